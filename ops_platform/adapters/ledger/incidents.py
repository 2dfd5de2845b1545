"""The incidents: one per failed run, or other trouble."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger import alerts as alerts_
from ops_platform.adapters.ledger.queries import Filter, Row, fetch, narrowed, one_of
from ops_platform.adapters.ledger.schema import alerts, executions, incidents, runs
from ops_platform.domain.incidents import Incident, Kind, State
from ops_platform.domain.reasons import Reason

_RESOLUTION = ("state", "resolved_at", "resolved_by")
_SUCCEEDED = executions.c.status == sa.literal_column("'SUCCEEDED'")
_OPEN = incidents.c.state == sa.literal_column("'open'")  # both in the words of the indexes
_NEVER = datetime.min.replace(tzinfo=UTC)
_SELECTED = [incidents.c[name] for name in Incident.__struct_fields__]
_ALERTS_SENT = (
    sa.select(sa.func.count())
    .where(alerts.c.incident_id == incidents.c.id, alerts.c.part == alerts_.MESSAGE)
    .where(alerts.c.message_ts.is_not(None))
    .scalar_subquery()
    .label("alerts_sent")
)


def save(tx: sa.Connection, incident: Incident) -> bool:
    """Store the incident as it is now; return whether it is a new one.

    How it was resolved by others than its own run is kept, unless the run has failed since.
    """
    values = msgspec.to_builtins(incident, builtin_types=(datetime,))
    statement = insert(incidents).values(values)
    given = statement.excluded
    keep = (
        (given.state == State.OPEN)
        & (incidents.c.resolved_at >= given.opened_at)
        & incidents.c.resolved_by.is_not(None)
    )
    changes: dict[str, Any] = {name: given[name] for name in values if name != "id"}
    for name in _RESOLUTION:
        changes[name] = sa.case((keep, incidents.c[name]), else_=given[name])
    stored = statement.on_conflict_do_update(index_elements=["id"], set_=changes)
    return bool(tx.scalar(stored.returning(sa.text("xmax = 0"))))


def resolve_by_success(tx: sa.Connection, account: str, run_ids: Collection[str]) -> list[Incident]:
    """Resolve incidents of the runs' state machines of which a later run succeeded; return those.

    A later run is one that started after the failed one did, and ended after it. The first such
    run is named, in whatever order the ledger came to know of them.
    """
    ours = (executions.c.account == account) & one_of(executions.c.run_id, run_ids)
    machines = list(tx.scalars(sa.select(executions.c.machine_arn).where(ours).distinct()))
    news = tx.scalar(sa.select(sa.func.min(executions.c.stopped_at)).where(ours, _SUCCEEDED))
    first, by = _first_success()
    query = (
        sa.select(incidents.c.id, first.c.stopped_at, by.label("by"))
        .join(first, sa.true())
        .where(incidents.c.account == account, one_of(incidents.c.machine_arn, machines))
        .where(incidents.c.kind != Kind.MISSED_SCHEDULE)
    )
    found = list(tx.execute(query.where(_OPEN)))
    if news is not None:
        # What was resolved by a run that is later than one we hear of only now.
        later = (incidents.c.resolved_at > news) & incidents.c.resolved_by.like("run %")
        found += tx.execute(query.where(~_OPEN, later, incidents.c.resolved_by != by))
    if not found:
        return []
    change = (
        sa.update(incidents)
        .where(incidents.c.id == sa.bindparam("incident"))
        .values(resolved_at=sa.bindparam("at"), resolved_by=sa.bindparam("name"))
        .values(state=State.RESOLVED)
    )
    tx.execute(change, [{"incident": one, "at": at, "name": name} for one, at, name in found])
    resolved = sa.select(*_SELECTED).where(one_of(incidents.c.id, [row[0] for row in found]))
    return [msgspec.convert(row, Incident) for row in fetch(tx, resolved)]


def _first_success() -> tuple[sa.FromClause, sa.ColumnElement[str]]:
    """Return the first later run that succeeded, of the incident it is joined to, and its words."""
    first = (
        sa.select(executions.c.run_id, executions.c.stopped_at)
        .where(executions.c.account == incidents.c.account)
        .where(executions.c.machine_arn == incidents.c.machine_arn)
        .where(_SUCCEEDED, executions.c.stopped_at > incidents.c.opened_at)
        .where(executions.c.started_at > sa.func.coalesce(incidents.c.started_at, _NEVER))
        .where(executions.c.run_id != incidents.c.run_id)
        .order_by(executions.c.stopped_at, executions.c.run_id)
        .limit(1)
        .lateral("first")
    )
    return first, sa.func.concat("run ", first.c.run_id, " succeeded")


def resolve(tx: sa.Connection, incident_id: str, *, by: str, now: datetime) -> Incident | None:
    """Resolve an open incident by somebody's word; None if there is no open one of this id."""
    resolved = (
        sa.update(incidents)
        .where(incidents.c.id == incident_id, incidents.c.state == State.OPEN)
        .values(state=State.RESOLVED, resolved_at=now, resolved_by=by)
        .returning(*_SELECTED)
    )
    row = next(iter(fetch(tx, resolved)), None)
    return None if row is None else msgspec.convert(row, Incident)


def untouched(
    tx: sa.Connection, account: str, *, before: datetime, limit: int
) -> list[alerts_.Alert]:
    """Return the messages of an account, of what is still open, over which nobody was called since.

    Nobody else gets the same ones until the transaction ends. What somebody does by hand is left
    out: he knows; and so is a change that failed and left production as it was.
    """
    query = (
        sa.select(alerts)
        .join(incidents)
        .where(incidents.c.account == account, incidents.c.kind != Kind.INTERACTIVE_FAILED)
        .where(incidents.c.reason != Reason.AS_IT_WAS)
        .where(alerts.c.part == alerts_.MESSAGE, alerts.c.state == "sent")
        .where(alerts.c.mentioned_at <= before)
        .order_by(alerts.c.mentioned_at)
        .limit(limit)
        .with_for_update(of=alerts, skip_locked=True)
    )
    return alerts_.found(tx, query)


def load(tx: sa.Connection, incident_id: str) -> Incident | None:
    """Return an incident, or None if there is none of this id."""
    query = sa.select(*_SELECTED).where(incidents.c.id == incident_id)
    row = next(iter(fetch(tx, query)), None)
    return None if row is None else msgspec.convert(row, Incident)


def still_open(tx: sa.Connection, account: str, kind: Kind) -> list[Incident]:
    """Return the open incidents of one kind of an account, the first opened first."""
    query = sa.select(*_SELECTED).where(
        incidents.c.account == account, incidents.c.kind == kind, _OPEN
    )
    ordered = query.order_by(incidents.c.opened_at, incidents.c.id)
    return [msgspec.convert(row, Incident) for row in fetch(tx, ordered)]


def recent(tx: sa.Connection, wanted: Filter) -> list[Row]:
    """Return incidents as rows, the last opened first."""
    query = narrowed(
        sa.select(*_SELECTED, _ALERTS_SENT),
        wanted,
        account=incidents.c.account,
        flow=incidents.c.flow,
        status=incidents.c.state,
        at=incidents.c.opened_at,
    )
    return fetch(tx, query)


def find(tx: sa.Connection, incident_id: str) -> Row | None:
    """Return one incident as a row, or None if there is none of this id."""
    query = sa.select(*_SELECTED, _ALERTS_SENT).where(incidents.c.id == incident_id)
    return next(iter(fetch(tx, query)), None)


def unidentified(tx: sa.Connection, account: str, *, limit: int) -> list[Row]:
    """Return run and state machine of incidents whose run nobody has told of yet."""
    same = (executions.c.account == incidents.c.account) & (
        executions.c.execution_arn == incidents.c.execution_arn
    )
    told = (runs.c.account == incidents.c.account) & (runs.c.run_id == incidents.c.run_id)
    query = (
        sa.select(incidents.c.run_id, executions.c.machine_arn)
        .join(executions, same)
        .outerjoin(runs, told)
        .where(incidents.c.account == account, runs.c.run_id.is_(None))
        .order_by(incidents.c.opened_at.desc())
        .limit(limit)
    )
    return fetch(tx, query)
