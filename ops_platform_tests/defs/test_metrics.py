"""The rollups as Dagster makes them: a partition, a range in one run, the refresh."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.defs.metric_keys import daily_asset, hourly_asset
from ops_platform.defs.metrics import JOB
from ops_platform.domain.hours import DAY, HOUR, hour_of
from ops_platform.domain.metric import Noun
from ops_platform.settings.model import Settings
from ops_platform_tests.defs.dagster_world import SETTINGS, settings_in
from ops_platform_tests.defs.metrics_world import dagster, location, made, materialized
from ops_platform_tests.metrics_world import ingest, job, rolled, run

HOURLY = hourly_asset(Noun.JOBS)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give settings by which everything has its default."""
    return settings_in(tmp_path_factory.mktemp("settings"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give a Dagster of its own."""
    with dagster() as instance:
        yield instance


@pytest.fixture
def midnight() -> datetime:
    """Give the beginning of the day before yesterday."""
    return hour_of(now()).replace(hour=0) - 2 * DAY


def _key(at: datetime) -> str:
    return f"{at:%Y-%m-%d-%H:%M}"


def _value(metadata: dict[str, Any], name: str) -> Any:
    return metadata[name].value


def test_a_partition_is_computed_and_shows_its_numbers(
    emptied_ledger: Ledger, settings: Settings, instance: dg.DagsterInstance, midnight: datetime
) -> None:
    """Totals that Dagster plots, a table, and pictures; its checks run with it."""
    ingest(emptied_ledger, [*job("a", midnight), *job("b", midnight, fails=True)], now=now())
    done = materialized(location(settings, emptied_ledger), instance, HOURLY, _key(midnight))

    assert done.success
    shown = made(done)[_key(midnight)]
    assert _value(shown, "jobs_failed") == 1
    assert _value(shown, "job_running_ms p50") == 120_000
    assert _value(shown, "jobs_in_state max") == 2
    assert _value(shown, "partial") is False
    assert _value(shown, "pictures").count("](data:image/svg+xml;base64,") == 4
    assert "RUNNABLE" in _value(shown, "at_a_glance")
    (row,) = shown["top"].records
    assert (row.data["flow"], row.data["failed"], row.data["ended"]) == ("TrainFlow", "1", "2")
    checks = {each.check_name: each.passed for each in done.get_asset_check_evaluations()}
    assert checks == {
        "transitions_recounted": True,
        "durations_complete": True,
        "levels_continuous": True,
        # All hours since have not been computed.
        "nothing_left_behind": False,
    }


def test_a_backfill_is_one_run_with_a_materialization_of_each_partition(
    emptied_ledger: Ledger, settings: Settings, instance: dg.DagsterInstance, midnight: datetime
) -> None:
    """Each with its own numbers, and small; a second time the rows are the same."""
    events = [
        each for number in range(0, 24, 2) for each in job(f"{number}", midnight + number * HOUR)
    ]
    ingest(emptied_ledger, events, now=now())
    span = _key(midnight), _key(midnight + 23 * HOUR)
    loaded = location(settings, emptied_ledger)

    first = materialized(loaded, instance, HOURLY, *span)
    rows = rolled(emptied_ledger)
    again = materialized(loaded, instance, HOURLY, *span)

    shown = made(first)
    assert list(shown) == [_key(midnight + number * HOUR) for number in range(24)]
    assert [_value(each, "jobs_submitted") for each in shown.values()] == [1, 0] * 12
    assert [_value(each, "pictures").count("data:") for each in shown.values()] == [1] * 23 + [4]
    assert again.success
    assert rolled(emptied_ledger) == rows
    checks = {each.check_name: each.passed for each in first.get_asset_check_evaluations()}
    assert (checks["transitions_recounted"], checks["levels_continuous"]) == (True, True)


def test_a_day_follows_its_hours(
    emptied_ledger: Ledger, settings: Settings, instance: dg.DagsterInstance, midnight: datetime
) -> None:
    """Before they are computed it is refused with a sentence."""
    ingest(emptied_ledger, job("a", midnight), now=now())
    loaded, daily = location(settings, emptied_ledger), daily_asset(Noun.JOBS)
    refused = materialized(loaded, instance, daily, f"{midnight:%Y-%m-%d}")
    materialized(loaded, instance, HOURLY, _key(midnight), _key(midnight + 23 * HOUR))
    done = materialized(loaded, instance, daily, f"{midnight:%Y-%m-%d}")

    assert "ops-platform metrics compute" in _failure(refused)
    shown = made(done)[f"{midnight:%Y-%m-%d}"]
    assert _value(shown, "jobs_submitted") == 1
    assert _value(shown, "vcpus_reserved max") == 1


def test_days_of_dropped_events_are_refused_with_a_sentence(
    emptied_ledger: Ledger, settings: Settings, instance: dg.DagsterInstance, midnight: datetime
) -> None:
    """Rather than computed as zero."""
    with emptied_ledger.transaction() as tx:
        tx.exec_driver_sql(f"INSERT INTO dropped_days VALUES ('{midnight.date()}', now())")
    done = materialized(location(settings, emptied_ledger), instance, HOURLY, _key(midnight))
    assert "ops-platform events import" in _failure(done)


def _failure(done: dg.ExecuteInProcessResult) -> str:
    assert not done.success
    (failed,) = (each for each in done.all_events if each.event_type_value == "STEP_FAILURE")
    told = failed.step_failure_data.user_failure_data
    assert told is not None
    return str(told.description)


def test_the_refresh_computes_what_changed_in_one_run_and_reports_it(
    emptied_ledger: Ledger, settings: Settings, instance: dg.DagsterInstance
) -> None:
    """Hours far from each other and the one that now runs; a late event mends its hour."""
    this = hour_of(now())
    hours = [this - number * HOUR for number in (1, 2, 3)]
    for at in hours:
        ingest(emptied_ledger, [*job(f"{at}", at), *run(f"run-{at}", at)], now=now())
    refresh = location(settings, emptied_ledger).resolve_job_def(JOB)
    refresh.execute_in_process(instance=instance)
    ingest(emptied_ledger, job("late", this - 3 * HOUR, fails=True), now=now())
    done = refresh.execute_in_process(instance=instance)

    events = [each for each in done.all_events if each.event_type_value == "ASSET_MATERIALIZATION"]
    shown = {
        (each.asset_key.path[-1], each.partition): each.materialization.metadata
        for each in events
        if each.asset_key
    }
    mended = shown["jobs_hourly", _key(this - 3 * HOUR)]
    assert mended["jobs_failed"].value == 1
    assert shown["jobs_hourly", _key(hour_of(now()))]["partial"].value is True
    assert ("executions_hourly", _key(this - 3 * HOUR)) not in shown
    latest = instance.get_latest_materialization_event(HOURLY)
    assert latest is not None
    checked = [
        each for each in done.all_events if each.event_type_value == "ASSET_CHECK_EVALUATION"
    ]
    assert len(checked) == 13
    failing = [
        each.asset_check_evaluation_data.description
        for each in checked
        if not each.asset_check_evaluation_data.passed
    ]
    assert failing == []


def test_the_refresh_puts_days_together_once_they_are_complete(
    emptied_ledger: Ledger, settings: Settings, instance: dg.DagsterInstance, midnight: datetime
) -> None:
    """Each from its hours."""
    for number in range(24):
        ingest(emptied_ledger, job(f"{number}", midnight + number * HOUR), now=now())
    done = (
        location(settings, emptied_ledger)
        .resolve_job_def(JOB)
        .execute_in_process(instance=instance)
    )
    days = {
        each.partition
        for each in done.all_events
        if each.event_type_value == "ASSET_MATERIALIZATION"
        and each.asset_key == daily_asset(Noun.JOBS)
    }
    assert f"{midnight:%Y-%m-%d}" in days


def test_what_is_older_than_the_first_day_has_no_partition(
    emptied_ledger: Ledger, tmp_path: Path, instance: dg.DagsterInstance, midnight: datetime
) -> None:
    """It is computed all the same."""
    young = settings_in(tmp_path, f"metrics.first_day = {midnight + DAY:%F}\n{SETTINGS}")
    ingest(emptied_ledger, job("a", midnight), now=now())
    done = (
        location(young, emptied_ledger).resolve_job_def(JOB).execute_in_process(instance=instance)
    )
    partitions = {
        each.partition for each in done.all_events if each.asset_key == HOURLY and each.partition
    }
    assert min(partitions) >= f"{midnight + DAY:%Y-%m-%d}"
    assert any(row["hour"] == midnight for row in rolled(emptied_ledger) if "hour" in row)


def test_a_check_that_fails_is_shown_by_the_refresh_and_by_hand(
    emptied_ledger: Ledger, settings: Settings, instance: dg.DagsterInstance
) -> None:
    """With what is wrong; by hand, it looks at the last two days."""
    this = hour_of(now())
    ingest(emptied_ledger, job("a", this - 3 * HOUR), now=now())
    loaded = location(settings, emptied_ledger)
    loaded.resolve_job_def(JOB).execute_in_process(instance=instance)
    with emptied_ledger.transaction() as tx:
        tx.exec_driver_sql(
            "UPDATE metrics_hourly SET min = -1 WHERE metric = 'job_ms' AND count > 0"
        )
    check = dg.AssetCheckKey(HOURLY, "durations_complete")
    by_hand = dg.define_asset_job("check", selection=dg.AssetSelection.checks(check))
    done = (
        dg.Definitions.merge(loaded, dg.Definitions(jobs=[by_hand]))
        .resolve_job_def("check")
        .execute_in_process(instance=instance)
    )

    (failed,) = done.get_asset_check_evaluations()
    assert (failed.passed, failed.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "job_ms has a duration below zero: -1 ms" in str(failed.metadata["wrong"].value)
    assert failed.metadata["hours"].value == 49
