"""Rows of a day put back as they were; what is there already is joined with what is given."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

from ops_platform.adapters.ledger import (
    container_instances,
    executions,
    jobs,
    rows,
)
from ops_platform.adapters.ledger.events import provide_partitions
from ops_platform.adapters.ledger.schema import columns_of
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.events import Event, ExecutionEvent, InstanceEvent, JobEvent
from ops_platform.domain.joined_states import join_executions, join_instances, join_jobs
from ops_platform.domain.lifecycle import Execution, Instance, Job, Move
from ops_platform.domain.moments import Entered

E = TypeVar("E", bound=Event)
S = TypeVar("S", Job, Execution, Instance)
_INCOMING = "CREATE TEMP TABLE IF NOT EXISTS incoming_lines (line jsonb) ON COMMIT DELETE ROWS"
_ROWS = "FROM incoming_lines, LATERAL jsonb_populate_record(NULL::{table}, line || '{also}') AS one"
_INSERT = "INSERT INTO {table} SELECT one.* " + _ROWS + " ON CONFLICT {conflict}"
_ALSO = {
    # Brought back from the past, it is no news: what reports ended runs goes by this number.
    "executions": '{"seq": 0}',
    "rejected_messages": '{"body": "\\\\x"}',
}
_CONFLICT = {
    # One that came again after it was dropped came first when it came first.
    "events": """(time, event_id) DO UPDATE SET received_at = excluded.received_at
WHERE excluded.received_at < events.received_at""",
    "runs": """(account, run_id) DO UPDATE SET
  flow = least(runs.flow COLLATE "C", excluded.flow),
  owner = least(runs.owner COLLATE "C", excluded.owner),
  machine_flow = coalesce(runs.machine_flow, excluded.machine_flow),
  machine_owner = coalesce(runs.machine_owner, excluded.machine_owner)
WHERE runs IS DISTINCT FROM excluded""",
    "rejected_messages": """(digest) DO UPDATE SET
  first_seen_at = least(rejected_messages.first_seen_at, excluded.first_seen_at),
  last_seen_at = greatest(rejected_messages.last_seen_at, excluded.last_seen_at),
  times = greatest(rejected_messages.times, excluded.times)
WHERE excluded.first_seen_at < rejected_messages.first_seen_at
  OR excluded.last_seen_at > rejected_messages.last_seen_at""",
}
_DIFFERING = """
SELECT line FROM incoming_lines JOIN {table} AS one
  ON (one.account, one.{key}) = (line->>'account', line->>'{key}')
WHERE to_jsonb(one) - 'seq' <> line
"""


@dataclass(frozen=True, slots=True)
class _Noun(Generic[S]):
    """Something that has a state: how it is read from a row, joined, and stored."""

    key: str
    read: Callable[[Mapping[str, Any]], S]
    load: Callable[[sa.Connection, str, Sequence[str]], dict[str, S]]
    join: Callable[[S, S], S]
    save: Callable[[sa.Connection, Sequence[S]], None]


def restore(
    tx: sa.Connection, table: str, lines: Iterable[bytes], *, day: date, now: datetime
) -> int:
    """Put rows of a table back, and return how many of them were not there."""
    if table == "events":
        provide_partitions(tx, {day}, now)
    tx.exec_driver_sql(_INCOMING)
    rows.copy(tx, "incoming_lines", ["line"], ((line.decode(),) for line in lines))
    noun = _NOUNS.get(table)
    if noun is not None:
        _lock(tx)
    query = _INSERT.format(
        table=table, also=_ALSO.get(table, "{}"), conflict=_CONFLICT.get(table, "DO NOTHING")
    )
    try:
        new = tx.exec_driver_sql(query).rowcount
    except (sa.exc.IntegrityError, sa.exc.DataError) as error:
        said = str(error.orig).splitlines()[0]
        raise PlatformError(f"The {table} of {day} do not fit this ledger: {said}.") from error
    if noun is not None:
        _join(tx, table, noun)
    return int(new)


def _lock(tx: sa.Connection) -> None:
    """Keep ingest from changing the state meanwhile."""
    names = tx.exec_driver_sql("SELECT DISTINCT line->>'account' FROM incoming_lines ORDER BY 1")
    for (account,) in names.all():
        rows.lock(tx, f"state of {account}")


def _join(tx: sa.Connection, table: str, noun: _Noun[S]) -> None:
    found = tx.exec_driver_sql(_DIFFERING.format(table=table, key=noun.key)).scalars()
    given: dict[str, dict[str, S]] = {}
    for line in found:
        given.setdefault(line["account"], {})[line[noun.key]] = noun.read(line)
    for account, states in given.items():
        known = noun.load(tx, account, list(states))
        joined = [noun.join(known[key], state) for key, state in states.items()]
        noun.save(tx, [each for each in joined if each not in known.values()])


def _event(kind: type[E], row: Mapping[str, Any]) -> E:
    columns = zip(kind.__struct_fields__, columns_of(kind), strict=True)
    return msgspec.convert({field: row[column] for field, column in columns}, kind)


def _moment(row: Mapping[str, Any], name: str) -> datetime | None:
    return msgspec.convert(row[name], datetime | None)


def _job(row: Mapping[str, Any]) -> Job:
    by_attempt = (row[f"{state}_ats"] or () for state in ("runnable", "starting", "running"))
    entered = Entered(
        _moment(row, "submitted_at"),
        _moment(row, "pending_at"),
        *(msgspec.convert(ats, tuple[datetime | None, ...]) for ats in by_attempt),
    )
    moments = (_moment(row, "runnable_at"), _moment(row, "starting_at"))
    return Job(row["account"], _event(JobEvent, row), *moments, entered)


def _execution(row: Mapping[str, Any]) -> Execution:
    return Execution(
        row["account"],
        _event(ExecutionEvent, row),
        msgspec.convert(row["failure"], ExecutionEvent | None),
        msgspec.convert(row["moves"], tuple[Move, ...]),
    )


def _instance(row: Mapping[str, Any]) -> Instance:
    registered = msgspec.convert(row["registered_at"], datetime)
    gone = _moment(row, "deregistered_at")
    return Instance(row["account"], _event(InstanceEvent, row), registered, gone)


_NOUNS: Mapping[str, _Noun[Any]] = {
    "jobs": _Noun("job_id", _job, jobs.load, join_jobs, jobs.save),
    "executions": _Noun(
        "execution_arn", _execution, executions.load, join_executions, executions.save
    ),
    "container_instances": _Noun(
        "instance_arn",
        _instance,
        container_instances.load,
        join_instances,
        container_instances.save,
    ),
}
