"""A ledger of the fourth version becomes one of the fifth, and knows when jobs came to states."""

from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger, open_engine
from ops_platform.adapters.ledger.migrate import MIGRATIONS
from ops_platform.domain.events import Attempt, Event
from ops_platform.domain.lifecycle import Move
from ops_platform.operations.ingest_events import record
from ops_platform_tests.build import (
    ACCOUNTS,
    NOON,
    a_failure,
    a_job_event,
    after,
    an_execution_event,
    an_instance_event,
    bodies,
)
from ops_platform_tests.build_runs import a_failing_run
from ops_platform_tests.ledger_world import POLICY, Contents, contents, open_ledger

STATE = ("jobs", "executions", "container_instances")
REDRIVEN = {"execution_arn": "arn:redriven", "name": "redriven", "redriven_at": after(100)}
EVENTS: list[Event] = [
    *a_failing_run(),
    # Submitted and pending; of the first attempt only its end is known, of the second its start.
    a_job_event(id="p-1", job_id="p", status="SUBMITTED", time=after(1)),
    a_job_event(id="p-2", job_id="p", status="PENDING", time=after(2)),
    a_job_event(id="p-2-again", job_id="p", status="PENDING", time=after(2)),
    a_job_event(
        id="p-3",
        job_id="p",
        status="RUNNING",
        time=after(60),
        started_at=after(60.25),
        attempts=(Attempt(stopped_at=after(40)),),
    ),
    # What an API told does not say since when.
    a_job_event(id="api:q", job_id="q", status="STARTING", time=after(70)),
    a_failure(50, **(REDRIVEN | {"id": "r-1", "redriven_at": None})),
    an_execution_event(id="r-2", time=after(100), **REDRIVEN),
    an_execution_event(
        id="s", execution_arn="arn:silent", name="silent", started_at=None, time=after(3)
    ),
    an_instance_event(id="i-1", instance_arn="arn:gone", version=4, status="INACTIVE"),
    an_instance_event(
        id="i-2", instance_arn="arn:gone", version=5, status="INACTIVE", time=after(9)
    ),
]


def test_what_events_told_before_is_known_as_if_they_came_now(
    database_url: str, ledger: Ledger
) -> None:
    """Of each job, execution and host; only why old jobs failed stays unknown."""
    record(ledger, bodies(EVENTS), accounts=ACCOUNTS, policy=POLICY, now=NOON)
    wanted = contents(ledger)
    engine = open_engine(database_url)
    with engine.begin() as tx:
        _upgrade(tx, "0004")
        for name in ("events", *STATE):
            _fill(tx, schema.metadata.tables[name], wanted[name])
    engine.dispose()

    with open_ledger(database_url) as migrated:
        found = contents(migrated)

    assert {name: _comparable(found, name) for name in STATE} == {
        name: _comparable(wanted, name) for name in STATE
    }
    assert any(row["runnable_ats"] and len(row["runnable_ats"]) > 1 for row in found["jobs"])
    assert all(row["reason"] is None for row in found["jobs"])


def _comparable(found: Contents, name: str) -> list[dict[str, Any]]:
    rows = [{key: row[key] for key in row if key != "reason"} for row in found[name]]
    # Moments within JSON are written in two ways.
    return [row | {"moves": msgspec.convert(row.get("moves", []), list[Move])} for row in rows]


def _fill(tx: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows with those of their columns that the table has in the old version."""
    old = {column["name"] for column in sa.inspect(tx).get_columns(table.name)}
    late = {"received_at": NOON, "seq": 1}
    for row in rows:
        values = {name: value for name, value in (late | row).items() if name in old}
        tx.execute(sa.insert(table).values(values))


def _upgrade(tx: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = tx
    command.upgrade(config, revision)
