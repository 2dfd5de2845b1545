"""Jobs and executions of some hours in a ledger, and the rollups made of them."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import Attempt, Event
from ops_platform.operations.ingest_events import record
from ops_platform_tests.build import (
    ACCOUNTS,
    MACHINE_ARN,
    a_job_event,
    an_execution_event,
    bodies,
)
from ops_platform_tests.ledger_world import POLICY

Rows = list[dict[str, Any]]


def job(name: str, began: datetime, *, fails: bool = False, **changes: Any) -> Iterator[Event]:
    """Yield the events of a job that waits 10 s, starts for 5 s and runs for 2 min."""
    ran, ended = began + timedelta(seconds=15), began + timedelta(seconds=135)
    status = "FAILED" if fails else "SUCCEEDED"
    moments: dict[str, dict[str, Any]] = {
        "RUNNABLE": {"time": began},
        "STARTING": {"time": began + timedelta(seconds=10)},
        "RUNNING": {"time": ran, "started_at": ran},
        status: {
            "time": ended,
            "started_at": ran,
            "stopped_at": ended,
            "attempts": (Attempt(started_at=ran, stopped_at=ended, exit_code=int(fails)),),
            "exit_code": int(fails),
        },
    }
    for told, known in moments.items():
        yield a_job_event(
            id=f"{name}-{told}", job_id=name, status=told, created_at=began, **(changes | known)
        )


def run(
    name: str, began: datetime, *, status: str = "SUCCEEDED", flow: str = "TrainFlow"
) -> Iterator[Event]:
    """Yield the events of an execution of ten minutes."""
    ended = began + timedelta(minutes=10)
    machine = MACHINE_ARN.replace("TrainFlow", flow)
    arn = f"{machine.replace('stateMachine', 'execution')}:{name}"
    shared: dict[str, Any] = {"name": name, "execution_arn": arn, "machine_arn": machine}
    yield an_execution_event(id=f"{name}-start", time=began, started_at=began, **shared)
    yield an_execution_event(
        id=f"{name}-end",
        time=ended,
        started_at=began,
        stopped_at=ended,
        status=status,
        error=None if status == "SUCCEEDED" else "States.TaskFailed",
        **shared,
    )


def ingest(ledger: Ledger, events: Iterable[Event], *, now: datetime) -> None:
    """Take events into the ledger."""
    record(ledger, bodies(events), accounts=ACCOUNTS, policy=POLICY, now=now)


def rolled(ledger: Ledger) -> Rows:
    """Return all rows of rollups, in an order of their own."""
    with ledger.transaction() as tx:
        return [
            row._asdict()
            for table in (schema.metrics_hourly, schema.metrics_daily)
            for row in tx.execute(
                sa.select(table).order_by(*(sa.cast(c, sa.Text) for c in table.c))
            )
        ]
