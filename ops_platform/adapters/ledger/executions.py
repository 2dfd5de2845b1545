"""The state of Step Functions executions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ops_platform.adapters.ledger import rows
from ops_platform.adapters.ledger.queries import Filter, Row, fetch, narrowed, one_of
from ops_platform.adapters.ledger.runs import FLOW, OWNER
from ops_platform.adapters.ledger.schema import columns_of, executions, runs
from ops_platform.domain.events import ExecutionEvent
from ops_platform.domain.lifecycle import EXECUTION_ENDS, EXECUTION_FAILURES, Execution, Move

_FIELDS = columns_of(ExecutionEvent)
_COLUMNS = ("account", *_FIELDS, "failure", "run_id", "flow", "project", "branch", "seq", "moves")
_SELECTED = [executions.c[name] for name in ("account", *_FIELDS, "failure", "moves")]
_FLOW = sa.func.coalesce(FLOW, executions.c.flow)
_OWNER = OWNER.label("owner")
_WITH_RUN = executions.outerjoin(
    runs, sa.and_(runs.c.account == executions.c.account, runs.c.run_id == executions.c.run_id)
)


def load(tx: sa.Connection, account: str, arns: Collection[str]) -> dict[str, Execution]:
    """Return the executions of an account by ARN, those that are known."""
    wanted = one_of(executions.c.execution_arn, arns)
    found = tx.execute(sa.select(*_SELECTED).where(executions.c.account == account, wanted))
    return {known.latest.execution_arn: known for known in map(_execution, found)}


def save(tx: sa.Connection, changed: Sequence[Execution]) -> None:
    """Store the executions as they are now, each with its number in the order of changes.

    The number is a new one unless the execution stands as before: what a late event adds to the
    past of a run, or a second source to its end, is no reason to report it again.
    """
    known = _numbers(tx, changed)
    new = tx.scalars(
        sa.select(sa.func.nextval("execution_changes")).select_from(
            sa.func.generate_series(1, len(changed))
        )
    )
    numbers = [
        known.get(_reported(each), number) for each, number in zip(changed, new, strict=True)
    ]
    rows.upsert(tx, executions, _COLUMNS, map(_row, changed, numbers))


def _reported(execution: Execution) -> tuple[str, ...]:
    latest = execution.latest
    at = latest.stopped_at or latest.time
    return (
        execution.account,
        latest.execution_arn,
        latest.status,
        str(at.timestamp()),
        str(latest.metaflow_input),
    )


def _numbers(tx: sa.Connection, changed: Iterable[Execution]) -> dict[tuple[str, ...], int]:
    """Return the numbers that executions have, by what is reported of them."""
    by_account = defaultdict(list)
    for each in changed:
        by_account[each.account].append(each.latest.execution_arn)
    numbers = {}
    for account, arns in by_account.items():
        wanted = executions.c.execution_arn == sa.any_(sa.cast(arns, sa.ARRAY(sa.Text)))
        query = sa.select(*_SELECTED, executions.c.seq).where(executions.c.account == account)
        for *row, seq in tx.execute(query.where(wanted)):
            numbers[_reported(_execution(row))] = seq
    return numbers


def of_run(tx: sa.Connection, account: str, run_id: str) -> Execution | None:
    """Return the execution that a run is, or None if the ledger knows of none."""
    is_child = executions.c.machine_arn.contains("/", autoescape=True)
    query = sa.select(*_SELECTED).where(
        executions.c.account == account, executions.c.run_id == run_id, ~is_child
    )
    newest = query.order_by(executions.c.started_at.desc().nulls_last()).limit(1)
    return next(map(_execution, tx.execute(newest)), None)


def failed_runs(
    tx: sa.Connection, account: str, run_ids: Collection[str]
) -> list[tuple[Execution, str | None, str | None]]:
    """Return those executions of the runs that ever failed, with the runs' flow and owner."""
    wanted = one_of(executions.c.run_id, run_ids)
    query = (
        sa.select(*_SELECTED, FLOW, OWNER)
        .select_from(_WITH_RUN)
        .where(executions.c.account == account, wanted, executions.c.failure.is_not(None))
    )
    return [(_execution(row[:-2]), row[-2], row[-1]) for row in tx.execute(query)]


def still_open(tx: sa.Connection, account: str) -> list[Execution]:
    """Return the executions of an account that have not ended."""
    query = sa.select(*_SELECTED).where(
        executions.c.account == account, executions.c.status.in_(("RUNNING", "PENDING_REDRIVE"))
    )
    return list(map(_execution, tx.execute(query)))


def ended_after(tx: sa.Connection, account: str, seq: int, limit: int) -> list[Row]:
    """Return ended executions that changed after number ``seq``, in the order of changes."""
    query = (
        sa.select(executions, _FLOW.label("flow_name"), _OWNER)
        .select_from(_WITH_RUN)
        .where(executions.c.account == account, executions.c.seq > seq)
        .where(executions.c.status.in_(EXECUTION_ENDS), _is_metaflow())
        .order_by(executions.c.seq)
        .limit(limit)
    )
    return fetch(tx, query)


def recent(tx: sa.Connection, wanted: Filter) -> list[Row]:
    """Return executions as rows, the last changed first."""
    shown = (
        "account", "run_id", "status", "project", "branch", "started_at", "stopped_at",
        "changed_at", "error", "cause", "execution_arn",
    )  # fmt: skip
    query = narrowed(
        sa.select(*(executions.c[name] for name in shown), _FLOW.label("flow"), _OWNER).select_from(
            _WITH_RUN
        ),
        wanted,
        account=executions.c.account,
        flow=_FLOW,
        status=executions.c.status,
        at=executions.c.changed_at,
    )
    return fetch(tx, query)


def flows(tx: sa.Connection, wanted: Filter) -> list[Row]:
    """Return each flow with its number of runs by outcome and its last run, newest first."""
    status, at = executions.c.status, executions.c.changed_at
    count = sa.func.count()

    def last(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        newest = sa.func.array_agg(sa.dialects.postgresql.aggregate_order_by(column, at.desc()))
        return newest[1]

    one = (
        sa.select(
            executions.c.account,
            executions.c.project,
            _FLOW.label("flow"),
            last(OWNER).label("owner"),
            count.label("runs"),
            count.filter(status == "SUCCEEDED").label("succeeded"),
            count.filter(status.in_(EXECUTION_FAILURES)).label("failed"),
            count.filter(status == "RUNNING").label("running"),
            last(status).label("status"),
            last(executions.c.run_id).label("last_run_id"),
            sa.func.max(at).label("changed_at"),
        )
        .select_from(_WITH_RUN)
        .where(_is_metaflow())
        .group_by(executions.c.account, executions.c.project, _FLOW)
        .subquery()
    )
    query = narrowed(
        sa.select(one),
        wanted,
        account=one.c.account,
        flow=one.c.flow,
        status=one.c.status,
        at=one.c.changed_at,
    )
    return fetch(tx, query)


def _is_metaflow() -> sa.ColumnElement[bool]:
    named = executions.c.project.is_not(None) & executions.c.flow.is_not(None)
    # A child execution of a Distributed Map is a part of a run, and no run.
    is_child = executions.c.machine_arn.contains("/", autoescape=True)
    return sa.or_(executions.c.metaflow_input, FLOW.is_not(None), named) & ~is_child


def _execution(row: Sequence[Any]) -> Execution:
    account, *fields, failure, moves = row
    return Execution(
        account,
        ExecutionEvent(*fields),
        msgspec.convert(failure, ExecutionEvent) if failure else None,
        msgspec.convert(moves, tuple[Move, ...]),
    )


def _row(execution: Execution, seq: int) -> tuple[Any, ...]:
    machine = execution.machine
    return (
        execution.account,
        *msgspec.structs.astuple(execution.latest),
        rows.as_json(execution.failure) if execution.failure else None,
        execution.run_id,
        machine.flow,
        machine.project,
        machine.branch,
        seq,
        rows.as_json(execution.moves),
    )
