"""What Dagster knows of the ticks of its sensors and schedules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorTick,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickStatus,
)
from dagster._utils.schedules import get_next_cron_tick

from ops_platform.domain.health_rules import Automation, AutomationKind

_WELL = [TickStatus.SUCCESS, TickStatus.SKIPPED]  # Dagster takes no tuple
_KINDS = {
    AutomationKind.SENSOR: InstigatorType.SENSOR,
    AutomationKind.SCHEDULE: InstigatorType.SCHEDULE,
}


@dataclass(frozen=True, slots=True)
class Clockwork:
    """A sensor or schedule as the code declares it: how often it ticks, if it is on."""

    name: str
    kind: AutomationKind
    is_on: bool
    interval: timedelta = timedelta(seconds=30)
    crons: tuple[str, ...] = ()
    timezone: str | None = None

    def due_after(self, moment: datetime) -> datetime:
        """Return when it has to tick next after it ticked, or was turned on."""
        if self.kind is AutomationKind.SENSOR:
            return moment + self.interval
        # The moment itself counts as the next tick of its cron.
        later = moment + timedelta(seconds=1)
        return min(get_next_cron_tick(cron, later, self.timezone) for cron in self.crons)


def clockworks(definitions: dg.Definitions) -> list[Clockwork]:
    """Return the sensors and schedules of a code location."""
    return [
        *(_of_sensor(each) for each in definitions.sensors or ()),
        *(
            _of_schedule(each)
            for each in definitions.schedules or ()
            if isinstance(each, dg.ScheduleDefinition)
        ),
    ]


def _of_sensor(sensor: dg.SensorDefinition) -> Clockwork:
    return Clockwork(
        sensor.name,
        AutomationKind.SENSOR,
        is_on=sensor.default_status is dg.DefaultSensorStatus.RUNNING,
        interval=timedelta(seconds=sensor.minimum_interval_seconds or 30),
    )


def _of_schedule(schedule: dg.ScheduleDefinition) -> Clockwork:
    cron = schedule.cron_schedule
    return Clockwork(
        schedule.name,
        AutomationKind.SCHEDULE,
        is_on=schedule.default_status is dg.DefaultScheduleStatus.RUNNING,
        crons=(cron,) if isinstance(cron, str) else tuple(cron),
        timezone=schedule.execution_timezone,
    )


def automations(
    instance: dg.DagsterInstance, wanted: Iterable[Clockwork], *, loaded_at: datetime | None
) -> list[Automation]:
    """Return sensors and schedules with their ticks, at two small queries each.

    Those that nobody ever turned on are left out. A process that has just ``loaded`` the code gives
    each its time; without that, what has never ticked is left out too.
    """
    states = instance.all_instigator_state()
    found = (
        _automation(instance, clockwork, _own(states, clockwork), loaded_at) for clockwork in wanted
    )
    return [each for each in found if each is not None]


def _own(states: Sequence[InstigatorState], clockwork: Clockwork) -> InstigatorState | None:
    """Return the state of a sensor or schedule, in the code location where it ticked last.

    A code location that was renamed leaves its states behind.
    """
    kind = _KINDS[clockwork.kind]
    named = (s for s in states if s.name == clockwork.name and s.instigator_type is kind)
    return max(named, key=_last_heard_of, default=None)


def _automation(
    instance: dg.DagsterInstance,
    clockwork: Clockwork,
    state: InstigatorState | None,
    loaded_at: datetime | None,
) -> Automation | None:
    is_on = clockwork.is_on if state is None else state.is_running
    if not is_on and not clockwork.is_on:
        return None
    ticks = _ticks(instance, state, limit=2)
    ticked_at = _moment(ticks[0].timestamp) if ticks else _last_tick(state)
    known = [moment for moment in (ticked_at, _turned_on(state), loaded_at) if moment]
    if not known:
        return None
    last = next((tick for tick in ticks if tick.status is not TickStatus.STARTED), None)
    failed = last is not None and last.status is TickStatus.FAILURE
    well = _ticks(instance, state, limit=1, statuses=_WELL) if failed else []
    return Automation(
        clockwork.name,
        clockwork.kind,
        is_on=is_on,
        due_at=clockwork.due_after(max(known)),
        ticked_at=ticked_at,
        failures=_failures(last) if last is not None and failed else 0,
        well_at=_moment(well[0].timestamp) if well else min(known),
        error=last.error.message if last is not None and last.error else None,
    )


def _ticks(
    instance: dg.DagsterInstance,
    state: InstigatorState | None,
    *,
    limit: int,
    statuses: list[TickStatus] | None = None,
) -> Sequence[InstigatorTick]:
    if state is None:
        return []
    return instance.get_ticks(
        state.instigator_origin_id, state.selector_id, limit=limit, statuses=statuses
    )


def _failures(tick: InstigatorTick) -> int:
    return max(1, tick.tick_data.consecutive_failure_count or tick.tick_data.failure_count)


def _last_tick(state: InstigatorState | None) -> datetime | None:
    data = state.instigator_data if state else None
    return _moment(data.last_tick_timestamp) if isinstance(data, SensorInstigatorData) else None


def _turned_on(state: InstigatorState | None) -> datetime | None:
    match state.instigator_data if state else None:
        case SensorInstigatorData(last_sensor_start_timestamp=at):
            return _moment(at)
        case ScheduleInstigatorData(start_timestamp=at):
            return _moment(at)
    return None


def _last_heard_of(state: InstigatorState) -> float:
    moments = (_last_tick(state), _turned_on(state), _last_iteration(state))
    return max((moment.timestamp() for moment in moments if moment), default=0.0)


def _last_iteration(state: InstigatorState) -> datetime | None:
    data = state.instigator_data
    if isinstance(data, ScheduleInstigatorData):
        return _moment(data.last_iteration_timestamp)
    return None


def _moment(timestamp: float | None) -> datetime | None:
    return datetime.fromtimestamp(timestamp, UTC) if timestamp else None
