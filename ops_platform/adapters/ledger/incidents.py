"""The incidents: one per failed run."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.queries import Filter, Row, fetch, narrowed
from ops_platform.adapters.ledger.schema import alerts, executions, incidents, runs
from ops_platform.domain.incidents import Incident

_SELECTED = [incidents.c[name] for name in Incident.__struct_fields__]
_ALERTS_SENT = (
    sa.select(sa.func.count())
    .where(alerts.c.incident_id == incidents.c.id, alerts.c.state == "sent")
    .scalar_subquery()
    .label("alerts_sent")
)


def save(tx: sa.Connection, incident: Incident) -> bool:
    """Store the incident as it is now; return whether it is a new one."""
    values = msgspec.to_builtins(incident, builtin_types=(type(incident.opened_at),))
    changes = {name: value for name, value in values.items() if name != "id"}
    statement = (
        insert(incidents)
        .values(values)
        .on_conflict_do_update(index_elements=["id"], set_=changes)
        .returning(sa.text("xmax = 0"))
    )
    return bool(tx.scalar(statement))


def load(tx: sa.Connection, incident_id: str) -> Incident | None:
    """Return an incident, or None if there is none of this id."""
    query = sa.select(*_SELECTED).where(incidents.c.id == incident_id)
    row = next(iter(fetch(tx, query)), None)
    return None if row is None else msgspec.convert(row, Incident)


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
