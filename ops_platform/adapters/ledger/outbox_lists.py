"""What operators ask of the outbox: lists of messages, and what a silence touches."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ops_platform.adapters.ledger.alerts import Alert, found
from ops_platform.adapters.ledger.queries import Filter, Row, fetch, narrowed
from ops_platform.adapters.ledger.schema import alerts, incidents
from ops_platform.domain.incidents import State
from ops_platform.domain.outbox import State as Standing

_AT_A_TIME = 1000
_SHOWN = (
    "id", "incident_id", "channel", "part", "state", "why", "reason", "due_at", "attempts",
    "sent_at", "permalink", "silence_id", "told_with",
)  # fmt: skip


def recent(tx: sa.Connection, wanted: Filter) -> list[Row]:
    """Return messages as rows with the flow and the run they tell of, the last touched first."""
    query = narrowed(
        sa.select(
            *(alerts.c[name] for name in _SHOWN),
            *(incidents.c[name] for name in ("account", "flow", "run_id", "kind")),
        ).join_from(alerts, incidents),
        wanted,
        account=incidents.c.account,
        flow=incidents.c.flow,
        status=alerts.c.state,
        at=sa.func.greatest(alerts.c.due_at, alerts.c.sent_at),
    )
    return fetch(tx, query)


def held(tx: sa.Connection, alert_id: int) -> Alert:
    """Return a message, which no sender can take until the transaction ends."""
    query = sa.select(alerts).where(alerts.c.id == alert_id).with_for_update()
    return found(tx, query)[0]


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """What a silence goes by in an incident, and what people know it by."""

    id: str
    account: str
    project: str | None
    flow: str
    owner: str | None
    run_id: str
    opened_at: datetime


def open_incidents(tx: sa.Connection) -> Iterator[OpenIncident]:
    """Yield what somebody still has to care for, the last opened first; never all at once."""
    columns = (incidents.c[name] for name in OpenIncident.__slots__)
    query = sa.select(*columns).where(incidents.c.state == State.OPEN)
    ordered = query.order_by(incidents.c.opened_at.desc(), incidents.c.id)
    for row in tx.execute(ordered.execution_options(yield_per=_AT_A_TIME)):
        yield OpenIncident(*row)


def held_back(tx: sa.Connection) -> dict[int, int]:
    """Return how many messages each silence holds back."""
    waits = (alerts.c.state == Standing.PENDING) & alerts.c.silence_id.is_not(None)
    query = sa.select(alerts.c.silence_id, sa.func.count()).where(waits)
    return {row[0]: row[1] for row in tx.execute(query.group_by(alerts.c.silence_id))}
