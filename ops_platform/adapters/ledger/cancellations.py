"""What was done to stale jobs: recorded before it is done, and settled when it is known."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.queries import Filter, fetch, narrowed
from ops_platform.adapters.ledger.schema import cancellations
from ops_platform.domain.cancellations import Cancellation, record_of
from ops_platform.domain.cancelling import Outcome
from ops_platform.domain.staleness import Decision, Judged, Why

_KEY = ("account", "job_id", "attempt", "verdict")
_COLUMNS = cancellations.c
# Whoever asked more than so long ago was stopped before it could look what came of it.
ASKED_FOR_LONG = timedelta(minutes=5)
# What a job refutes by waiting still: Batch shows it late, Step Functions may fail to end it.
_REFUTABLE = (Outcome.ASKED, Outcome.GONE, Outcome.STARTED, Outcome.RUN_STOPPED)


def ask(
    tx: sa.Connection,
    judged: Judged,
    *,
    now: datetime,
    asked_by: str,
    execution_arn: str | None = None,
) -> Cancellation | None:
    """Record that the end of a job is about to be asked for; commit before it is.

    None if that is not ours to do: it was asked for in this attempt before, and came or was asked
    for so short a while ago that whoever did has yet to look what came of it. One that started then
    and waits again, though Batch counts no new attempt, may be asked for; so may, after a while,
    one that waits still, though it was recorded as gone, as started or as ended with its run.
    """
    new = record_of(
        judged, outcome=Outcome.ASKED, now=now, asked_by=asked_by, execution_arn=execution_arn
    )
    refused = _COLUMNS.outcome == Outcome.REFUSED
    left = _COLUMNS.outcome.in_(_REFUTABLE) & (_COLUMNS.judged_at <= now - ASKED_FOR_LONG)
    started = (_COLUMNS.outcome == Outcome.STARTED) & (_COLUMNS.judged_at < new.runnable_since)
    again = _values(new) | {"tries": _COLUMNS.tries + 1}
    statement = insert(cancellations).values(_values(new))
    return _one(
        tx,
        statement.on_conflict_do_update(
            index_elements=_KEY, set_=again, where=refused | left | started
        ).returning(cancellations),
    )


def warn(tx: sa.Connection, judged: Judged, *, now: datetime, asked_by: str) -> Cancellation | None:
    """Record that the owner of a job was warned; None if that was so in this attempt before.

    That it is to be cancelled comes in the place of a milder warning.
    """
    new = record_of(judged, outcome=Outcome.WARNED, now=now, asked_by=asked_by)
    is_graver = (_COLUMNS.reason != Why.SOON) & (sa.literal(new.reason) == Why.SOON)
    statement = insert(cancellations).values(_values(new))
    return _one(
        tx,
        statement.on_conflict_do_update(
            index_elements=_KEY, set_=_values(new), where=is_graver
        ).returning(cancellations),
    )


def warned_at(tx: sa.Connection, judged: Judged) -> datetime | None:
    """Return when the owner was first warned that this job, or one of its run, is cancelled."""
    latest = judged.waiting.job.latest
    by_run = _COLUMNS.run_id == latest.run_id if latest.run_id else sa.false()
    found: datetime | None = tx.scalar(
        sa.select(sa.func.min(_COLUMNS.judged_at)).where(
            _COLUMNS.account == judged.waiting.job.account,
            by_run | (_COLUMNS.job_id == latest.job_id),
            _COLUMNS.verdict == Decision.WARN,
            _COLUMNS.reason == Why.SOON,
        )
    )
    return found


def settle(
    tx: sa.Connection,
    cancellation_id: int,
    outcome: Outcome,
    *,
    reason: str | None = None,
    now: datetime,
) -> Cancellation | None:
    """Record what came of it; None if that was known before, and then it stays as it was."""
    values = {"outcome": outcome, "outcome_reason": reason, "settled_at": now}
    unsettled_still = (_COLUMNS.id == cancellation_id) & _COLUMNS.settled_at.is_(None)
    statement = sa.update(cancellations).where(unsettled_still).values(values)
    return _one(tx, statement.returning(cancellations))


def unsettled(tx: sa.Connection, account: str) -> list[Cancellation]:
    """Return the records of an account of which nobody knows yet what came of it."""
    return _all(tx, _COLUMNS.account == account, _COLUMNS.settled_at.is_(None))


def of_run(tx: sa.Connection, account: str, run_id: str) -> list[Cancellation]:
    """Return what was done to the jobs of a run, the first first."""
    return _all(tx, _COLUMNS.account == account, _COLUMNS.run_id == run_id)


def of_job(tx: sa.Connection, account: str, job_id: str) -> list[Cancellation]:
    """Return what was done to a job, in whatever attempt, the first first."""
    return _all(tx, _COLUMNS.account == account, _COLUMNS.job_id == job_id)


def recent(
    tx: sa.Connection, wanted: Filter | None = None, *, queue: str | None = None
) -> list[Cancellation]:
    """Return what was done, the last first; the filter's status is the outcome."""
    query = sa.select(cancellations)
    if queue is not None:
        query = query.where(_COLUMNS.queue == queue)
    newest = narrowed(
        query,
        wanted or Filter(),
        account=_COLUMNS.account,
        flow=_COLUMNS.flow,
        status=_COLUMNS.outcome,
        at=_COLUMNS.judged_at,
    )
    return _read(tx, newest.order_by(_COLUMNS.id.desc()))


def _values(record: Cancellation) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in record.__struct_fields__ if name != "id"}
    return values | {"evidence": msgspec.to_builtins(record.evidence)}


def _all(tx: sa.Connection, *wanted: sa.ColumnElement[bool]) -> list[Cancellation]:
    return _read(tx, sa.select(cancellations).where(*wanted).order_by(_COLUMNS.id))


def _one(tx: sa.Connection, statement: sa.Executable) -> Cancellation | None:
    return next(iter(_read(tx, statement)), None)


def _read(tx: sa.Connection, statement: sa.Executable) -> list[Cancellation]:
    return [msgspec.convert(row, Cancellation) for row in fetch(tx, statement)]
