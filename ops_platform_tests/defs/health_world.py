"""A real Dagster instance in which sensors and schedules have ticked, or have not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster_shared.error import SerializableErrorInfo

from ops_platform.clock import now
from ops_platform.definitions import platform
from ops_platform.defs.cleanup_reports import CHECK as QUEUES_MOVE
from ops_platform.defs.health import with_watch
from ops_platform.defs.metric_keys import GROUP as METRICS
from ops_platform.defs.resources import Slack
from ops_platform_tests.defs.dagster_world import AssetEvent, Dagster

HOUR = timedelta(hours=1)
LOCATION = "ops_platform"
KINDS = {"sensor": InstigatorType.SENSOR, "schedule": InstigatorType.SCHEDULE}


@dataclass
class Instance:
    """Dagster's storage, with the ticks of whatever a test says has ticked."""

    dagster: Dagster
    instance: dg.DagsterInstance
    definitions: dg.Definitions
    reported: list[AssetEvent] = field(default_factory=list)

    def all_tick(self, *, but: str = "") -> None:
        """Have each sensor and schedule tick well just now, but one that did so an hour ago."""
        for sensor in self.definitions.sensors or ():
            self.tick(sensor.name, ago=HOUR if sensor.name == but else timedelta())
        for schedule in self.definitions.schedules or ():
            assert isinstance(schedule, dg.ScheduleDefinition)
            ago = HOUR if schedule.name == but else timedelta()
            self.tick(schedule.name, kind="schedule", ago=ago)

    def tick(
        self,
        name: str,
        *,
        kind: str = "sensor",
        ago: timedelta = timedelta(),
        error: str | None = None,
        failures: int = 1,
        location: str = LOCATION,
    ) -> None:
        """Have a sensor or schedule tick so long ago, and turn it on if nobody did."""
        told = SerializableErrorInfo(error, [], None) if error is not None else None
        status = TickStatus.SKIPPED if told is None else TickStatus.FAILURE
        tick = self._tick(name, kind, TickStatus.SKIPPED, at=now() - ago, location=location)
        failed = failures if told is not None else 0
        tick = tick._replace(status=status, error=told, consecutive_failure_count=failed)
        self.instance.create_tick(tick)
        state = self._state(name, kind, location)
        assert state is not None
        if isinstance(state.instigator_data, SensorInstigatorData):
            data = state.instigator_data._replace(last_tick_timestamp=tick.timestamp)
            self.instance.update_instigator_state(state.with_data(data))

    def begin(self, name: str) -> None:
        """Have a sensor begin a tick that does not end."""
        self.instance.create_tick(self._tick(name, "sensor", TickStatus.STARTED, at=now()))

    def _tick(
        self, name: str, kind: str, status: TickStatus, *, at: datetime, location: str = LOCATION
    ) -> TickData:
        state = self._state(name, kind, location) or self.turn(
            name, kind=kind, on=True, location=location
        )
        return TickData(
            instigator_origin_id=state.instigator_origin_id,
            instigator_name=name,
            instigator_type=KINDS[kind],
            status=status,
            timestamp=at.timestamp(),
            selector_id=state.selector_id,
        )

    def turn(
        self, name: str, *, kind: str = "sensor", on: bool, location: str = LOCATION
    ) -> InstigatorState:
        """Turn a sensor or schedule on or off, as the web page does."""
        status = InstigatorStatus.DECLARED_IN_CODE if on else InstigatorStatus.STOPPED
        state = self._state(name, kind, location)
        if state is not None:
            return self.instance.update_instigator_state(state.with_status(status))
        data = SensorInstigatorData() if kind == "sensor" else ScheduleInstigatorData("* * * * *")
        return self.instance.add_instigator_state(
            InstigatorState(_origin(name, location), KINDS[kind], status, data)
        )

    def watch(self) -> str:
        """Tick the sensor that watches the platform; return what it says, keep what it reports."""
        with dg.build_sensor_context(
            instance=self.instance, resources=self._resources()
        ) as context:
            ticked = self.definitions.resolve_sensor_def("watch_platform").evaluate_tick(context)
        for event in ticked.asset_events:
            self.instance.report_runless_asset_event(event)
        self.reported = list(ticked.asset_events)
        return str(ticked.skip_message)

    def schedule(self) -> dg.RunRequest | None:
        """Tick the schedule that watches the watcher; return the run it asks for."""
        with dg.build_schedule_context(
            instance=self.instance, scheduled_execution_time=datetime.now(UTC)
        ) as context:
            ticked = self.definitions.resolve_schedule_def("watch_the_watcher").evaluate_tick(
                context
            )
        return next(iter(ticked.run_requests or ()), None)

    def check(self) -> bool:
        """Run the job that checks the platform."""
        job = self.definitions.resolve_job_def("check_platform")
        done = job.execute_in_process(instance=self.instance, resources=self._resources())
        return bool(done.success)

    def outcomes(self) -> dict[str, bool | None]:
        """Return whether each check of the platform itself passed last, as its page shows it."""
        graph = self.definitions.resolve_asset_graph()
        return {
            f"{key.asset_key.to_user_string()}:{key.name}": self._passed(key)
            for key in graph.asset_check_keys
            if key.name != QUEUES_MOVE and key.asset_key.path[0] != METRICS
        }

    def told(self, key: str) -> dg.AssetCheckEvaluation:
        """Return what was last reported of a check."""
        asset, _, name = key.partition(":")
        found = self._latest(dg.AssetCheckKey(dg.AssetKey(asset.split("/")), name))
        assert found is not None
        return found

    def _passed(self, key: dg.AssetCheckKey) -> bool | None:
        found = self._latest(key)
        return None if found is None else found.passed

    def _latest(self, key: dg.AssetCheckKey) -> dg.AssetCheckEvaluation | None:
        record = self.instance.get_latest_asset_check_evaluation_record(key)
        return record.evaluation if record else None

    def _state(self, name: str, kind: str, location: str) -> InstigatorState | None:
        states = self.instance.all_instigator_state(instigator_type=KINDS[kind])
        named = (state for state in states if state.name == name)
        return next((s for s in named if s.repository_selector.location_name == location), None)

    def _resources(self) -> dict[str, object]:
        slack = Slack(token="xoxb-test", base_url=self.dagster.slack_url)
        return {"ledger": self.dagster.ledger, "accounts": self.dagster.accounts, "slack": slack}


def dagster_instance(folder: Path) -> dg.DagsterInstance:
    """Return the Dagster instance whose databases are in a folder; it tells nobody of itself."""
    quiet = {"telemetry": {"enabled": False}}
    return dg.DagsterInstance.local_temp(str(folder), overrides=quiet)


@contextmanager
def instance_of(dagster: Dagster, folder: Path) -> Iterator[Instance]:
    """Yield a Dagster instance for the code location, which was loaded long ago.

    ``folder`` holds its databases, which are quicker copied than made.
    """
    settings = dagster.settings
    definitions = with_watch(platform(settings), settings, loaded_at=now() - 3 * HOUR)
    with dagster_instance(folder) as instance:
        yield Instance(dagster, instance, definitions)


def _origin(name: str, location: str) -> RemoteInstigatorOrigin:
    target = LoadableTargetOrigin(python_file="definitions.py")
    code = InProcessCodeLocationOrigin(target, location_name=location)
    return RemoteInstigatorOrigin(RemoteRepositoryOrigin(code, "__repository__"), name)
