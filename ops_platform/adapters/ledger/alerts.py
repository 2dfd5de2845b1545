"""The outbox, and the memory of what was sent: one row for each message about an incident.

A message is due while its row is pending, sending or ambiguous. A row that is sent becomes pending
again when the message has to be edited.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.queries import fetch
from ops_platform.adapters.ledger.schema import alerts
from ops_platform.domain.alerts import Send, Withhold
from ops_platform.domain.outbox import State
from ops_platform.domain.telling import Told, Why

MESSAGE = "message"
"""The part of an incident's alert that stands in the channel; all others are in its thread."""


_AS_MEANT = {"plain": False, "fallback": False}
OPEN = (State.PENDING, State.SENDING, State.AMBIGUOUS)


class Alert(msgspec.Struct, frozen=True):
    """One message about an incident in one channel, to be sent or sent.

    ``channel`` is the one it is meant for, ``posted_to`` Slack's id of where it stands. ``why`` is why it is, or was last, due; ``reason`` what became of that. ``telling`` is what the last
    attempt said, ``told`` what is known to stand there. ``plain`` and ``fallback`` say that
    Slack refused its blocks, or its channel. ``burst`` marks the message of a burst, ``told_with``
    that message for the others of the burst.
    """

    id: int
    incident_id: str
    channel: str
    part: str
    state: State
    why: Why
    reason: str | None
    due_at: datetime
    attempts: int
    posted_to: str | None
    message_ts: str | None
    permalink: str | None
    sending_at: datetime | None
    sent_at: datetime | None
    mentioned_at: datetime | None
    plain: bool
    fallback: bool
    told: Told | None
    telling: Told | None
    silence_id: int | None
    burst: str | None
    joined_at: datetime | None
    told_with: int | None

    @property
    def key(self) -> str:
        """What the message carries, by which it is known again."""
        return f"{self.incident_id}:{self.channel}:{self.part}"

    @property
    def is_unsure(self) -> bool:
        """Whether what was last tried may have arrived."""
        return self.state in {State.SENDING, State.AMBIGUOUS}

    @property
    def is_posted(self) -> bool:
        """Whether it stands in Slack, so that it can be edited."""
        return self.message_ts is not None


def open_alert(
    tx: sa.Connection,
    incident_id: str,
    verdict: Send | Withhold,
    *,
    channel: str,
    now: datetime,
) -> None:
    """Put the first message of an incident into the outbox, or note why none is to be sent."""
    values: dict[str, Any]
    match verdict:
        case Send(due_at):
            values = {"state": State.PENDING, "due_at": due_at, "reason": None}
        case Withhold(reason):
            values = {"state": State.WITHHELD, "due_at": now, "reason": reason}
    place = {"incident_id": incident_id, "channel": channel, "part": MESSAGE}
    statement = insert(alerts).values(**place, why=Why.FIRST, attempts=0, **_AS_MEANT, **values)
    tx.execute(statement.on_conflict_do_update(constraint="alerts_place", set_=values))


def expect(tx: sa.Connection, alert: Alert, why: Why, *, due_at: datetime) -> None:
    """Have a message that was sent edited."""
    change(tx, alert, state=State.PENDING, why=why, due_at=due_at, attempts=0, reason=None)


def add_part(
    tx: sa.Connection, parent: Alert, part: str, why: Why, *, due_at: datetime, again: bool
) -> None:
    """Have a message written into the thread; ``again`` if what stands there is to be edited."""
    place = {"incident_id": parent.incident_id, "channel": parent.channel, "part": part}
    due = {"state": State.PENDING, "why": why, "due_at": due_at, "attempts": 0}
    how = _AS_MEANT | {"fallback": parent.fallback}
    statement = insert(alerts).values(**place, **due, **how)
    if again:
        sent = alerts.c.state.in_((State.SENT, State.DEAD))
        statement = statement.on_conflict_do_update(constraint="alerts_place", set_=due, where=sent)
    else:
        statement = statement.on_conflict_do_nothing(constraint="alerts_place")
    tx.execute(statement)


def are_due(tx: sa.Connection, now: datetime) -> bool:
    """Tell whether any message waits for a sender."""
    waiting = sa.exists().where(alerts.c.state.in_(OPEN), alerts.c.due_at <= now)
    return bool(tx.scalar(sa.select(waiting)))


def first_due(
    tx: sa.Connection,
    now: datetime,
    *,
    held: Collection[str] = (),
    hold_edits: bool = False,
    fallback: str | None = None,
) -> Alert | None:
    """Return the message that waits longest for a sender.

    Left aside are posts to ``held`` channels, and edits if Slack wants to see none for now.

    One that is ``sending`` was left behind by a sender that died: under the lease there is but one.
    What an incident's own message has to say goes before what its thread has.
    """
    channel = sa.case((alerts.c.fallback, fallback or ""), else_=alerts.c.channel)
    is_edit = alerts.c.message_ts.is_not(None)
    may = sa.and_(is_edit, sa.literal(not hold_edits)) | (~is_edit & channel.not_in(held))
    query = (
        sa.select(alerts)
        .where(alerts.c.state.in_(OPEN), alerts.c.due_at <= now, may)
        .order_by(alerts.c.part != MESSAGE, alerts.c.due_at, alerts.c.id)
    )
    return next(iter(found(tx, query.limit(1))), None)


def load(tx: sa.Connection, alert_id: int) -> Alert | None:
    """Return a message by its number, or None if there is none of it."""
    return next(iter(found(tx, sa.select(alerts).where(alerts.c.id == alert_id))), None)


def of_incident(tx: sa.Connection, incident_id: str) -> list[Alert]:
    """Return the messages about an incident: by channel, its own message before its thread."""
    query = sa.select(alerts).where(alerts.c.incident_id == incident_id)
    return found(tx, query.order_by(alerts.c.channel, alerts.c.part != MESSAGE, alerts.c.id))


def messages_of(tx: sa.Connection, incident_id: str) -> list[Alert]:
    """Return an incident's own message in each channel, without the threads."""
    wanted = (alerts.c.incident_id == incident_id) & (alerts.c.part == MESSAGE)
    return found(tx, sa.select(alerts).where(wanted).order_by(alerts.c.channel))


def parent_of(tx: sa.Connection, alert: Alert) -> Alert | None:
    """Return the message in whose thread a part belongs."""
    same = (alerts.c.incident_id == alert.incident_id) & (alerts.c.channel == alert.channel)
    query = sa.select(alerts).where(same, alerts.c.part == MESSAGE)
    return next(iter(found(tx, query)), None)


def claim(
    tx: sa.Connection, alert: Alert, *, telling: Told | None, now: datetime, again_at: datetime
) -> bool:
    """Mark a message as being sent; return False if it is no longer as it was read.

    Should the sender die over it, it is due again at ``again_at``, so that no message stands in the
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
            telling=None if telling is None else msgspec.to_builtins(telling),
            attempts=alert.attempts + 1,
        )
        .returning(alerts.c.id)
    )
    return tx.scalar(claimed) is not None


def change(tx: sa.Connection, alert: Alert, **values: object) -> None:
    """Write down what became of a message."""
    plain = {
        name: msgspec.to_builtins(value) if isinstance(value, Told) else value
        for name, value in values.items()
    }
    tx.execute(sa.update(alerts).where(alerts.c.id == alert.id).values(**plain))


def found(tx: sa.Connection, query: sa.Select[Any]) -> list[Alert]:
    """Return what a query for whole rows of the outbox finds."""
    return [msgspec.convert(row, Alert) for row in fetch(tx, query)]
