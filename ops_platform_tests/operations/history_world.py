"""Some days of runs in a ledger, and what is kept of them."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from hypothesis import strategies as st

from ops_platform.adapters.ledger import history
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import Attempt, Event, ExecutionEvent, InstanceEvent, JobEvent
from ops_platform.operations.ingest_events import record
from ops_platform_tests.build import (
    ACCOUNTS,
    NOON,
    after,
    an_execution_event,
    an_instance_event,
    bodies,
)
from ops_platform_tests.build_runs import a_failing_run, a_job_history
from ops_platform_tests.ledger_world import POLICY

REPLAYED = dataclasses.replace(POLICY, replayed=True)
FIRST = NOON.date()
NOW = NOON + timedelta(days=10)
_MOMENTS = ("time", "created_at", "started_at", "stopped_at", "redriven_at")
Move = Callable[[datetime], datetime]
Rows = dict[str, list[dict[str, Any]]]
TABLES = ("events", "jobs", "executions", "container_instances", "runs")


def day(number: int) -> date:
    """Return the day so many days after the first."""
    return FIRST + timedelta(days=number)


def moved(event: Event, move: Move, name: str = "") -> Event:
    """Return an event as it would have been told at other times, of subjects with another name."""
    changes: dict[str, Any] = {"id": event.id + name}
    for moment in _MOMENTS:
        if (at := getattr(event, moment, None)) is not None:
            changes[moment] = move(at)
    match event:
        case JobEvent():
            changes |= {"job_id": event.job_id + name, "run_id": f"{event.run_id}{name}"}
            changes["attempts"] = tuple(_moved_attempt(each, move) for each in event.attempts)
        case ExecutionEvent():
            changes |= {"name": event.name + name, "execution_arn": event.execution_arn + name}
        case InstanceEvent():
            changes["instance_arn"] = event.instance_arn + name
    return msgspec.structs.replace(event, **changes)


def _moved_attempt(attempt: Attempt, move: Move) -> Attempt:
    moments = {name: getattr(attempt, name) for name in ("started_at", "stopped_at")}
    return msgspec.structs.replace(
        attempt, **{name: at and move(at) for name, at in moments.items()}
    )


def a_run_of(number: int) -> list[Event]:
    """Return the events of a failing run at noon, so many days after the first day."""
    by = timedelta(days=number)
    return [moved(event, lambda at: at + by, f"-{number}") for event in a_failing_run()]


def some_days(count: int) -> list[Event]:
    """Return the events of a run a day."""
    return [event for number in range(count) for event in a_run_of(number)]


@st.composite
def any_days(draw: st.DrawFn) -> list[Event]:
    """Draw jobs, executions and hosts of the first five days, some of them through many a day."""
    told: list[Event] = []
    for number in range(draw(st.integers(1, 5))):
        begin, length = draw(st.floats(0, 4)), draw(st.sampled_from([0.001, 0.4, 3.0]))
        exits = draw(st.lists(st.sampled_from([0, 1]), min_size=1, max_size=3))

        def move(at: datetime, begin: float = begin, length: float = length) -> datetime:
            days = begin + (at - NOON) / timedelta(seconds=30) * length
            return NOON + timedelta(milliseconds=int(days * 86_400_000))

        job = a_job_history("job", exits=exits, begin=0)
        job = [*job, msgspec.structs.replace(job[0], id="blocked", blocked=True)]
        end = {"status": draw(st.sampled_from(["SUCCEEDED", "FAILED"])), "stopped_at": after(30)}
        run = [an_execution_event(), an_execution_event(id="end", time=after(30), **end)]
        gone = {"status": "INACTIVE", "version": 2, "time": after(30)}
        host = [an_instance_event(), an_instance_event(id="gone", **gone)]
        some = draw(st.lists(st.sampled_from([*job, *run, *host]), min_size=1, unique_by=id))
        told += [moved(event, move, f"-{number}") for event in some]
    return told


def tell(ledger: Ledger, events: Iterable[Event], *, now: datetime = NOW) -> None:
    """Ingest events as if each had come a second and a half after it happened."""
    by_day: dict[date, list[Event]] = {}
    for event in events:
        by_day.setdefault(event.time.date(), []).append(event)
    for at, told in sorted(by_day.items()):
        midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
        came = min(now, midnight + timedelta(days=1, seconds=1.5))
        record(ledger, bodies(told), accounts=ACCOUNTS, policy=POLICY, now=came)


def resolve_all(ledger: Ledger) -> None:
    """Resolve every incident, so that none keeps its run."""
    with ledger.transaction() as tx:
        tx.execute(sa.text("UPDATE incidents SET state = 'resolved', resolved_at = opened_at"))


def all_rows(ledger: Ledger, tables: Sequence[str] = TABLES) -> Rows:
    """Return every row of the tables, whole but for the order of changes."""
    found: Rows = {}
    with ledger.transaction() as tx:
        for table in tables:
            rows = tx.scalars(sa.text(f"SELECT to_jsonb(one) - 'seq' FROM {table} AS one"))
            found[table] = sorted(rows, key=str)
    return found


def dropped(ledger: Ledger) -> list[date]:
    """Return the days that are recorded as dropped."""
    with ledger.transaction() as tx:
        return list(tx.scalars(sa.text("SELECT day FROM dropped_days ORDER BY day")))


def partitions(ledger: Ledger) -> list[date]:
    """Return the days that have a partition."""
    with ledger.transaction() as tx:
        return [each.day for each in history.days_of_events(tx)]
