"""The outbox, and the memory of what was sent."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.queries import fetch
from ops_platform.adapters.ledger.schema import alerts
from ops_platform.domain.incidents import Send, Withhold


class State(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    """Waits until it is due."""
    SENDING = "sending"
    """A sender has it, or had it when it died."""
    AMBIGUOUS = "ambiguous"
    """The sender does not know whether it arrived."""
    SENT = "sent"
    DEAD = "dead"
    """Nothing will deliver it."""
    WITHHELD = "withheld"
    """Recorded, but not to be sent."""


OPEN = (State.PENDING, State.SENDING, State.AMBIGUOUS)


class Alert(msgspec.Struct, frozen=True):
    """One message about an incident, to be sent or sent."""

    id: int
    incident_id: str
    revision: int
    state: State
    reason: str | None
    due_at: datetime
    attempts: int
    channel: str | None
    message_ts: str | None
    permalink: str | None
    sending_at: datetime | None
    sent_at: datetime | None

    @property
    def key(self) -> str:
        """What the message carries, by which it is known again."""
        return f"{self.incident_id}:{self.revision}"


def open_alert(
    tx: sa.Connection, incident_id: str, verdict: Send | Withhold, *, now: datetime
) -> None:
    """Put the first alert of an incident into the outbox, or note why there is none to send."""
    values: dict[str, Any]
    match verdict:
        case Send(due_at):
            values = {"state": State.PENDING, "due_at": due_at}
        case Withhold(reason):
            values = {"state": State.WITHHELD, "due_at": now, "reason": reason}
    tx.execute(insert(alerts).values(incident_id=incident_id, revision=1, **values))


def due(tx: sa.Connection, now: datetime, limit: int) -> list[Alert]:
    """Return alerts that wait for a sender, the longest due first.

    One that is ``sending`` was left behind by a sender that died: under the lease there is but one.
    """
    query = sa.select(alerts).where(alerts.c.state.in_(OPEN), alerts.c.due_at <= now)
    return _alerts(tx, query.order_by(alerts.c.due_at, alerts.c.id).limit(limit))


def of_incident(tx: sa.Connection, incident_id: str) -> list[Alert]:
    """Return the alerts of an incident, in the order of their revisions."""
    query = sa.select(alerts).where(alerts.c.incident_id == incident_id)
    return _alerts(tx, query.order_by(alerts.c.revision))


def change(tx: sa.Connection, alert: Alert, **values: object) -> None:
    """Write down what became of an alert."""
    tx.execute(sa.update(alerts).where(alerts.c.id == alert.id).values(**values))


def _alerts(tx: sa.Connection, query: sa.Select[Any]) -> list[Alert]:
    return [msgspec.convert(row, Alert) for row in fetch(tx, query)]
