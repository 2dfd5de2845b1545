"""How the rollups' assets are defined: their partitions, words, and what depends on what."""

import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.defs.metric_keys import daily_asset
from ops_platform.defs.metrics import metrics_assets
from ops_platform.domain.hours import DAY, hour_of
from ops_platform.domain.metric import Noun
from ops_platform.settings.model import Settings
from ops_platform_tests.defs.dagster_world import settings_in
from ops_platform_tests.defs.metrics_world import dagster, location


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give settings by which everything has its default."""
    return settings_in(tmp_path)


def test_the_hour_that_runs_is_a_partition_and_the_day_that_runs_is_none(
    settings: Settings,
) -> None:
    """So nobody waits for the full hour."""
    hourly, daily = metrics_assets(settings)[0], metrics_assets(settings)[-1]
    assert hourly.partitions_def is not None
    assert daily.partitions_def is not None
    before = now()
    last = hourly.partitions_def.get_last_partition_key()
    assert last in {f"{hour_of(at):%Y-%m-%d-%H:%M}" for at in (before, now())}
    day = daily.partitions_def.get_last_partition_key()
    assert day in {f"{at - DAY:%Y-%m-%d}" for at in (before, now())}
    assert hourly.partitions_def.get_first_partition_key() == "2026-01-01-00:00"


def test_each_asset_says_what_it_is_and_is_made_in_one_run(settings: Settings) -> None:
    """Owners, kinds, a description with each metric, the columns; how fresh it is kept."""
    assets = metrics_assets(settings)
    assert len(assets) == 2 * len(Noun)
    for asset in assets:
        (spec,) = asset.specs
        assert spec.owners == ["team:ops_platform"]
        assert {"postgres", "python"} <= spec.kinds
        assert spec.group_name == "metrics"
        assert asset.backfill_policy == dg.BackfillPolicy.single_run()
        schema = spec.metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert schema.columns[0].name == "metric"
        assert all(column.description for column in schema.columns)
    (jobs,) = (spec for spec in assets[0].specs)
    assert "| `job_running_ms` | ms |" in (jobs.description or "")
    assert jobs.freshness_policy is not None


def test_a_day_needs_all_its_hours(settings: Settings) -> None:
    """So a backfill of both makes the hours first."""
    assets = metrics_assets(settings)
    hourly = assets[0].partitions_def
    assert hourly is not None
    (dep,) = assets[-4].specs_by_key[daily_asset(Noun.JOBS)].deps
    assert dep.partition_mapping is not None
    assert isinstance(assets[-4].partitions_def, dg.DailyPartitionsDefinition)
    subset = assets[-4].partitions_def.subset_with_partition_keys(["2026-03-02"])
    upstream = dep.partition_mapping.get_upstream_mapped_partitions_result_for_partitions(
        subset, assets[-4].partitions_def, hourly
    )
    assert len(list(upstream.partitions_subset.get_partition_keys())) == 24


def test_loading_warns_of_nothing(settings: Settings) -> None:
    """Dagster's word on features in beta is nothing that who runs the platform can change."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics_assets(settings)


def test_the_refresh_runs_each_quarter_of_an_hour(
    emptied_ledger: Ledger, settings: Settings
) -> None:
    """One run at a time."""
    schedule = location(settings, emptied_ledger).resolve_schedule_def("refresh_metrics_schedule")
    assert schedule.cron_schedule == "*/15 * * * *"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    at = datetime.now(UTC) + timedelta(minutes=1)
    with (
        dagster() as instance,
        dg.build_schedule_context(instance=instance, scheduled_execution_time=at) as context,
    ):
        ticked = schedule.evaluate_tick(context)
    assert len(ticked.run_requests or ()) == 1
