"""Sensors tick as often as the settings say."""

from pathlib import Path

import pytest
from dagster._daemon.sensor import MIN_INTERVAL_LOOP_TIME

from ops_platform.definitions import compose
from ops_platform.defs.pace import DAGSTER_LOOKS_SECONDS, minimum_interval
from ops_platform_tests.defs.dagster_world import settings_in

_HURRIED = ("ingest_events_staging", "report_flow_runs", "deliver_alerts")


@pytest.mark.parametrize(("wanted", "asked"), [(1, 1), (5, 4), (10, 9), (3600, 3599)])
def test_a_sensor_is_due_a_little_before_the_look_that_is_meant_for_it(
    wanted: int, asked: int
) -> None:
    """Or else one that is to tick every five seconds ticks every ten."""
    assert minimum_interval(wanted) == asked


def test_dagster_looks_at_its_sensors_as_often_as_we_think() -> None:
    """A Dagster that looks more often needs no such care."""
    assert MIN_INTERVAL_LOOP_TIME == DAGSTER_LOOKS_SECONDS


@pytest.mark.parametrize("name", _HURRIED)
def test_no_hurried_sensor_is_due_at_a_look(name: str, tmp_path: Path) -> None:
    """With the settings as they are by default."""
    sensor = compose(settings_in(tmp_path)).resolve_sensor_def(name)

    assert (sensor.minimum_interval_seconds or 0) % DAGSTER_LOOKS_SECONDS
