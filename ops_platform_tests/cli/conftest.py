"""The command line on a ledger of its own, empty or with a few runs in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.embedded.postgres import PostgresServer
from ops_platform_tests.build import after, an_execution_event, bodies
from ops_platform_tests.build_runs import a_failing_run
from ops_platform_tests.cli.command_line import Platform, platform_in
from ops_platform_tests.operations.delivery_world import World, world_around
from ops_platform_tests.operations.failing_runs import Run
from ops_platform_tests.postgres_fixture import fresh_database


@pytest.fixture
def platform(database_url: str, tmp_path: Path) -> Platform:
    """Give the command line on an empty database."""
    return platform_in(tmp_path, database_url)


@pytest.fixture
def world(ledger: Ledger) -> Iterator[World]:
    """Give a ledger and a Slack in the present, which the command line lives in too."""
    with world_around(ledger) as made:
        made.clock.advance(now() - made.clock())
        yield made


@pytest.fixture
def platform_of(ledger_url: str, tmp_path: Path) -> Platform:
    """Give the command line on the ledger of the world."""
    return platform_in(tmp_path, ledger_url)


@pytest.fixture(scope="module")
def told(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Give the command line on the events of three runs; no test of a module may change them.

    A foreach that failed in production, then a run that failed in staging, and one that goes on.
    """
    folder = tmp_path_factory.mktemp("platform")
    events = [
        *a_failing_run(),
        *Run("run-2", jobs=1).ended(after(200), "FAILED"),
        an_execution_event(id="3", execution_arn="arn:3", name="run-3", time=after(300)),
    ]
    file = folder / "events.jsonl"
    file.write_bytes(b"\n".join(bodies(events)))
    with fresh_database(postgres) as name:
        made = platform_in(folder, postgres.url(name))
        made.record("events", "replay", str(file))
        yield made
