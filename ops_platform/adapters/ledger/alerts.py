"""The outbox, and the memory of what was sent.

An alert is pending until it is due, sending while one sender has it, then sent; ambiguous if the
sender does not know, dead if nothing will deliver it, withheld if it never was to be sent.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.schema import alerts
from ops_platform.domain.incidents import Send, Withhold


class State(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    AMBIGUOUS = "ambiguous"
    DEAD = "dead"
    WITHHELD = "withheld"


OPEN = (State.PENDING, State.SENDING, State.AMBIGUOUS)


def open_alert(
    tx: sa.Connection, incident_id: str, verdict: Send | Withhold, *, now: datetime
) -> None:
    """Put the first alert of an incident into the outbox, or note why there is none to send."""
    match verdict:
        case Send(due_at):
            values = {"state": State.PENDING, "due_at": due_at}
        case Withhold(reason):
            values = {"state": State.WITHHELD, "due_at": now, "reason": reason}
    tx.execute(insert(alerts).values(incident_id=incident_id, revision=1, **values))


def due(tx: sa.Connection, now: datetime, limit: int) -> Sequence[Mapping[str, Any]]:
    """Return alerts that wait for a sender, the longest due first.

    One that is ``sending`` was left behind by a sender that died: under the lease there is but one.
    """
    query = (
        sa.select(alerts)
        .where(alerts.c.state.in_(OPEN), alerts.c.due_at <= now)
        .order_by(alerts.c.due_at, alerts.c.id)
        .limit(limit)
    )
    return tx.execute(query).mappings().all()


def change(tx: sa.Connection, alert_id: int, **values: Any) -> None:
    """Write down what became of an alert."""
    tx.execute(sa.update(alerts).where(alerts.c.id == alert_id).values(**values))


def of_incident(tx: sa.Connection, incident_id: str) -> Sequence[Mapping[str, Any]]:
    """Return the alerts of an incident as rows, in the order of their revisions."""
    query = sa.select(alerts).where(alerts.c.incident_id == incident_id)
    return tx.execute(query.order_by(alerts.c.revision)).mappings().all()
