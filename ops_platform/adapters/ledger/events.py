"""The inbox: every event that arrived, once, partitioned by the day it happened."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from ops_platform.adapters.ledger import rows
from ops_platform.adapters.ledger.schema import events
from ops_platform.domain.events import Event, ExecutionEvent, InstanceEvent, JobEvent

DAYS_BACK = timedelta(days=400)
DAYS_AHEAD = timedelta(days=2)
_HEAD = ("account", "kind", "subject", "received_at", "detail")
_COMMON = ("event_id", "time", "aws_account_id", "region")
_JOB_FIELDS = JobEvent.__struct_fields__[len(_COMMON) :]
_COLUMNS = (*_HEAD, *_COMMON, *_JOB_FIELDS)
_ATTEMPTS = len(_HEAD) + len(_COMMON) + _JOB_FIELDS.index("attempts")
_STATUS = _JOB_FIELDS.index("status")
_NOT_A_JOB = (None,) * len(_JOB_FIELDS)


def insert_new(
    tx: sa.Connection, arrived: Sequence[tuple[str, Event]], *, received_at: datetime
) -> list[tuple[str, Event]]:
    """Store the events, each with its account's name, that are not stored yet; return those.

    Whoever calls holds the lock of the accounts, so that nobody else inserts the same meanwhile.
    """
    unique = {(event.time, event.id): (account, event) for account, event in arrived}
    provide_partitions(tx, {event.time.astimezone(UTC).date() for _, event in arrived}, received_at)
    known = _known(tx, unique)
    new = [pair for key, pair in unique.items() if key not in known]
    rows.copy(tx, "events", _COLUMNS, (_row(*pair, received_at) for pair in new))
    return new


def _known(tx: sa.Connection, keys: Iterable[tuple[datetime, str]]) -> set[tuple[datetime, str]]:
    times, ids = zip(*keys, strict=True) if keys else ((), ())
    wanted = (
        sa.func.unnest(
            sa.cast(list(times), sa.ARRAY(sa.DateTime(timezone=True))),
            sa.cast(list(ids), sa.ARRAY(sa.Text)),
        )
        .table_valued("time", "event_id")
        .render_derived()
    )
    same = (events.c.time == wanted.c.time) & (events.c.event_id == wanted.c.event_id)
    # The limit is there for the planner: left free, it reads every day there ever was.
    stored = sa.select(events.c.time).where(same).limit(1).lateral()
    found = tx.execute(sa.select(wanted).join(stored, sa.true()))
    return {(time, event_id) for time, event_id in found}


def _row(account: str, event: Event, received_at: datetime) -> tuple[Any, ...]:
    values = msgspec.structs.astuple(event)
    common, fields = values[: len(_COMMON)], values[len(_COMMON) :]
    match event:
        case JobEvent():
            kind = "queue_blocked" if event.blocked else "job"
            row = [account, kind, event.job_id, received_at, None, *common, *fields]
            row[_ATTEMPTS] = rows.as_json(event.attempts)
            return tuple(row)
        case ExecutionEvent():
            kind, subject, status = "execution", event.execution_arn, event.status
        case InstanceEvent():
            kind, subject, status = "container_instance", event.instance_arn, event.status
        case _:
            raise TypeError(f"No table column says how to store {type(event).__name__}.")
    blank = (*_NOT_A_JOB[:_STATUS], status, *_NOT_A_JOB[_STATUS + 1 :])
    return (account, kind, subject, received_at, rows.as_json(event), *common, *blank)


def provide_partitions(tx: sa.Connection, days: set[date], now: datetime) -> None:
    """Make the partitions of those days that are near enough to have one of their own.

    Before anything else of events is touched: a partition waits for all who read the table.
    """
    first, last = (now - DAYS_BACK).date(), (now + DAYS_AHEAD).date()
    wanted = {f"events_{day:%Y%m%d}": day for day in sorted(days) if first <= day <= last}
    missing = [name for name in wanted if not _exists(tx, name)]
    if missing:
        # Nobody else makes a partition meanwhile, or adds to the one the rows move out of.
        tx.exec_driver_sql("LOCK TABLE events_other IN ACCESS EXCLUSIVE MODE")
    for name in missing:
        if not _exists(tx, name):  # while we waited, another may have made it
            _create_partition(tx, name, wanted[name])


def _exists(tx: sa.Connection, table: str) -> bool:
    return tx.scalar(sa.select(sa.func.to_regclass(table))) is not None


def _create_partition(tx: sa.Connection, name: str, day: date) -> None:
    # A day may have events in the default partition already, from before it came near.
    first, last = (f"'{each.isoformat()} 00:00Z'" for each in (day, day + timedelta(days=1)))
    during = f"time >= {first} AND time < {last}"
    tx.exec_driver_sql(f"CREATE TABLE {name} (LIKE events INCLUDING ALL)")
    tx.exec_driver_sql(
        f"WITH moved AS (DELETE FROM events_other WHERE {during} RETURNING *)"  # noqa: S608, ours
        f" INSERT INTO {name} SELECT * FROM moved"
    )
    tx.exec_driver_sql(
        f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({last})"
    )
