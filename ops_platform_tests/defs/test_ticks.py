"""What is read of Dagster's ticks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.defs.ticks import Clockwork, automations, clockworks
from ops_platform.domain.health_rules import Automation, AutomationKind
from ops_platform_tests.build import NOON
from ops_platform_tests.defs.dagster_world import NO_DATABASE, Dagster, settings_in
from ops_platform_tests.defs.health_world import HOUR, Instance, instance_of

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """Give a Dagster instance in which nothing has ticked yet."""
    dagster = Dagster(settings_in(tmp_path), Ledger(NO_DATABASE))
    with instance_of(dagster, tmp_path) as made:
        yield made


def read(instance: Instance, name: str, *, loaded_at: datetime | None = None) -> list[Automation]:
    """Read the ticks of one sensor or schedule."""
    wanted = [each for each in clockworks(instance.definitions) if each.name == name]
    assert len(wanted) == 1
    return automations(instance.instance, wanted, loaded_at=loaded_at)


def interval(instance: Instance) -> timedelta:
    """Return how often the code has alerts delivered."""
    declared = instance.definitions.resolve_sensor_def("deliver_alerts")
    return timedelta(seconds=declared.minimum_interval_seconds or 0)


def test_a_sensor_is_due_its_interval_after_its_last_tick(instance: Instance) -> None:
    """The interval is the one that the code declares."""
    instance.tick("deliver_alerts", ago=MINUTE)
    (read_one,) = read(instance, "deliver_alerts")
    assert read_one.ticked_at is not None
    assert abs(read_one.ticked_at - (now() - MINUTE)) < 30 * SECOND
    assert read_one.due_at - read_one.ticked_at == interval(instance)
    assert (read_one.kind, read_one.is_on, read_one.failures) == (AutomationKind.SENSOR, True, 0)


@pytest.mark.parametrize(
    ("crons", "timezone", "due"),
    [
        (("*/5 * * * *",), None, NOON + 5 * MINUTE),
        (("0 3 * * *",), "UTC", datetime(2026, 3, 3, 3, 0, tzinfo=UTC)),
        (("0 3 * * *",), "Europe/Berlin", datetime(2026, 3, 3, 2, 0, tzinfo=UTC)),
        (("0 3 * * *", "30 12 * * *"), None, NOON + 30 * MINUTE),
    ],
)
def test_a_schedule_is_due_when_its_cron_says_so(
    crons: tuple[str, ...], timezone: str | None, due: datetime
) -> None:
    """One that ticks once a day does not stand still all day."""
    clockwork = Clockwork(
        "nightly", AutomationKind.SCHEDULE, is_on=True, crons=crons, timezone=timezone
    )
    assert clockwork.due_after(NOON) == due


def test_failures_in_a_row_are_counted_since_the_last_that_was_well(instance: Instance) -> None:
    """With the error of the last one."""
    instance.tick("deliver_alerts", ago=HOUR)
    instance.tick("deliver_alerts", ago=MINUTE, error="Boom", failures=7)
    (failing,) = read(instance, "deliver_alerts")
    assert (failing.failures, failing.error) == (7, "Boom")
    assert failing.well_at is not None
    assert abs(failing.well_at - (now() - HOUR)) < 30 * SECOND


def test_a_tick_that_is_at_work_hides_no_failures(instance: Instance) -> None:
    """Else a sensor that always fails would look well while it is busy failing again."""
    instance.tick("deliver_alerts", ago=HOUR)
    instance.tick("deliver_alerts", ago=MINUTE, error="Boom", failures=7)
    instance.begin("deliver_alerts")
    (failing,) = read(instance, "deliver_alerts")
    assert failing.failures == 7


def test_a_sensor_that_has_never_ticked_has_its_time_from_when_the_code_was_loaded(
    instance: Instance,
) -> None:
    """Where that is not known, nothing can be said."""
    assert read(instance, "deliver_alerts") == []
    (new,) = read(instance, "deliver_alerts", loaded_at=NOON)
    assert (new.ticked_at, new.due_at) == (None, NOON + interval(instance))


def test_a_sensor_that_was_turned_off_is_read_and_one_that_never_was_on_is_not(
    instance: Instance,
) -> None:
    """Only what is meant to tick can stand still."""
    instance.tick("deliver_alerts", ago=HOUR)
    instance.turn("deliver_alerts", on=False)
    (off,) = read(instance, "deliver_alerts")
    assert off.is_on is False

    @dg.sensor(name="spare", job_name="spare", default_status=dg.DefaultSensorStatus.STOPPED)
    def spare() -> None:
        """Never be turned on."""

    unused = clockworks(dg.Definitions(sensors=[spare]))
    assert automations(instance.instance, unused, loaded_at=NOON) == []


def test_a_code_location_that_was_renamed_hides_nothing(instance: Instance) -> None:
    """Its old sensors stay in Dagster's storage as they were."""
    instance.tick("deliver_alerts", ago=HOUR, location="before")
    instance.tick("deliver_alerts")
    (read_one,) = read(instance, "deliver_alerts")
    assert read_one.ticked_at is not None
    assert now() - read_one.ticked_at < MINUTE
