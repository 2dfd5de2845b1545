"""The outbox, and the memory of what was sent."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.queries import fetch
from ops_platform.adapters.ledger.schema import alerts, incidents
from ops_platform.domain.alerts import Send, Withhold


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

    @property
    def is_unsure(self) -> bool:
        """Whether it may have arrived already."""
        return self.state in {State.SENDING, State.AMBIGUOUS}


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


def are_due(tx: sa.Connection, now: datetime) -> bool:
    """Tell whether any alert waits for a sender."""
    waiting = sa.exists().where(alerts.c.state.in_(OPEN), alerts.c.due_at <= now)
    return bool(tx.scalar(sa.select(waiting)))


def first_due(tx: sa.Connection, now: datetime, *, not_of: Collection[str]) -> Alert | None:
    """Return the alert that waits longest for a sender, those of some accounts left aside.

    One that is ``sending`` was left behind by a sender that died: under the lease there is but one.
    """
    query = (
        sa.select(alerts)
        .join(incidents)
        .where(alerts.c.state.in_(OPEN), alerts.c.due_at <= now)
        .where(incidents.c.account.not_in(not_of))
    )
    return next(iter(_alerts(tx, query.order_by(alerts.c.due_at, alerts.c.id).limit(1))), None)


def of_incident(tx: sa.Connection, incident_id: str) -> list[Alert]:
    """Return the alerts of an incident, in the order of their revisions."""
    query = sa.select(alerts).where(alerts.c.incident_id == incident_id)
    return _alerts(tx, query.order_by(alerts.c.revision))


def claim(
    tx: sa.Connection, alert: Alert, *, channel: str, now: datetime, again_at: datetime
) -> bool:
    """Mark an alert as being sent; return False if it is no longer as it was read.

    Should the sender die over it, it is due again at ``again_at``, so that no alert stands in the
    way of all others. Of several attempts in doubt the time of the first is kept: there a look-up
    has to begin.
    """
    as_read = (alerts.c.state == alert.state) & (alerts.c.attempts == alert.attempts)
    began = alert.sending_at if alert.is_unsure else now
    claimed = (
        sa.update(alerts)
        .where(alerts.c.id == alert.id, as_read)
        .values(
            state=State.SENDING,
            sending_at=began,
            due_at=again_at,
            channel=channel,
            attempts=alert.attempts + 1,
        )
        .returning(alerts.c.id)
    )
    return tx.scalar(claimed) is not None


def change(tx: sa.Connection, alert: Alert, **values: object) -> None:
    """Write down what became of an alert."""
    tx.execute(sa.update(alerts).where(alerts.c.id == alert.id).values(**values))


def _alerts(tx: sa.Connection, query: sa.Select[Any]) -> list[Alert]:
    return [msgspec.convert(row, Alert) for row in fetch(tx, query)]
