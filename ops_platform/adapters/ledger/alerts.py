"""The outbox, and the memory of what was sent: one row for each message about an incident.

A message is due while its row is pending, sending or ambiguous. A row that is sent becomes pending
again when the message has to be edited.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.queries import fetch, one_of
from ops_platform.adapters.ledger.schema import alerts
from ops_platform.domain.alerts import Send, Withhold
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import State
from ops_platform.domain.telling import Standing, Told, Why, standing

MESSAGE = "message"
"""The part of an incident's alert that stands in the channel; all others are in its thread."""
DETAILS = "details/"
"""How the parts begin that are pages of the thread, which ring no bell; the others are notes."""

OPEN = (State.PENDING, State.SENDING, State.AMBIGUOUS)
_AS_MEANT = {"plain": False, "fallback": False}
_AFRESH = {"message_ts": None, "posted_to": None, "permalink": None, "told": None}


class Alert(msgspec.Struct, frozen=True):
    """One message about an incident in one channel, to be sent or sent.

    ``channel`` is the one it is meant for, ``posted_to`` Slack's id of where it stands. ``why`` is
    why it is, or was last, due; ``reason`` what became of that. ``telling`` is what the last
    attempt said, or what was left unsaid; ``told`` what is known to stand there. ``plain`` and
    ``fallback`` say that Slack refused its blocks, or its channel. ``burst`` marks the message of a
    burst, ``told_with`` that message for the others of the burst.
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
    incident: Incident,
    verdict: Send | Withhold,
    *,
    channel: str,
    now: datetime,
) -> None:
    """Put an incident's first message into the outbox, or note why none is to be sent.

    What was withheld before, or never arrived, gets another chance.
    """
    values: dict[str, Any]
    match verdict:
        case Send(due_at):
            values = {"state": State.PENDING, "due_at": due_at, "reason": None}
        case Withhold(reason):
            values = {"state": State.WITHHELD, "due_at": now, "reason": reason}
    values |= {"why": Why.FIRST, "attempts": 0, "telling": _unsaid(standing(incident), now)}
    place = {"incident_id": incident.id, "channel": channel, "part": MESSAGE}
    untold = (
        alerts.c.state.in_((State.WITHHELD, State.DEAD))
        & alerts.c.told_with.is_(None)
        & alerts.c.message_ts.is_(None)
    )
    told = plain(values)
    statement = insert(alerts).values(**place, **_AS_MEANT, **told)
    tx.execute(statement.on_conflict_do_update(constraint="alerts_place", set_=told, where=untold))


def withhold(
    tx: sa.Connection, alert: Alert, reason: str, *, unsaid: Standing, now: datetime
) -> None:
    """Note why a message is not to be sent, and what it would have told."""
    values = {"state": State.WITHHELD, "due_at": now, "reason": reason, "silence_id": None}
    change(tx, alert, **values, telling=_unsaid(unsaid, now))


def expect(tx: sa.Connection, alert: Alert, why: Why, *, due_at: datetime) -> None:
    """Have a message edited; one that waits to be edited already is edited no later for it."""
    if alert.state is State.PENDING:
        soon = sa.func.least(alerts.c.due_at, due_at)
        change(tx, alert, why=why, due_at=soon)
    else:
        change(tx, alert, state=State.PENDING, why=why, due_at=due_at, attempts=0, reason=None)


def add_part(
    tx: sa.Connection, parent: Alert, part: str, why: Why, *, due_at: datetime, again: bool
) -> None:
    """Have a message written into the thread; ``again`` if what stands there is to be edited."""
    place = {"incident_id": parent.incident_id, "channel": parent.channel, "part": part}
    due = {"state": State.PENDING, "why": why, "due_at": due_at, "attempts": 0, "reason": None}
    how = _AS_MEANT | {"fallback": parent.fallback}
    statement = insert(alerts).values(**place, **due, **how)
    if again:
        ended = alerts.c.state.not_in(OPEN)
        statement = statement.on_conflict_do_update(
            constraint="alerts_place", set_=due, where=ended
        )
    else:
        statement = statement.on_conflict_do_nothing(constraint="alerts_place")
    tx.execute(statement)


def forget_thread(tx: sa.Connection, parent: Alert, *, now: datetime) -> None:
    """Have the pages of a thread written anew, since its message will be a new one."""
    ours = (alerts.c.incident_id == parent.incident_id) & (alerts.c.channel == parent.channel)
    pages = alerts.c.part.startswith(DETAILS, autoescape=True)
    due = {"state": State.PENDING, "due_at": now, "attempts": 0, "fallback": parent.fallback}
    tx.execute(sa.update(alerts).where(ours, pages).values(**due, **_AFRESH))


def are_due(tx: sa.Connection, now: datetime) -> bool:
    """Tell whether any message waits for a sender."""
    waiting = sa.exists().where(alerts.c.state.in_(OPEN), alerts.c.due_at <= now)
    return bool(tx.scalar(sa.select(waiting)))


def keep(tx: sa.Connection, incident_ids: Collection[str]) -> None:
    """Keep senders, until the transaction ends, from changing the messages that tell incidents.

    So each sees what the other has done: a change is planned for what was told before it, or told.
    """
    ours = one_of(alerts.c.incident_id, incident_ids) & (alerts.c.part == MESSAGE)
    messages = sa.select(alerts.c.id).where(ours)
    leaders = sa.select(alerts.c.told_with).where(ours, alerts.c.told_with.is_not(None))
    wanted = alerts.c.id.in_(messages.union(leaders))
    # In one order, so that nobody waits for somebody who waits for him.
    tx.execute(sa.select(alerts.c.id).where(wanted).order_by(alerts.c.id).with_for_update())


def load(tx: sa.Connection, alert_id: int) -> Alert | None:
    """Return a message by its number, or None if there is none of it."""
    return next(iter(found(tx, sa.select(alerts).where(alerts.c.id == alert_id))), None)


def of_incident(tx: sa.Connection, incident_id: str) -> list[Alert]:
    """Return the messages about an incident: by channel, its own message before its thread."""
    query = sa.select(alerts).where(alerts.c.incident_id == incident_id)
    return found(tx, query.order_by(alerts.c.channel, alerts.c.part != MESSAGE, alerts.c.id))


def messages_of(tx: sa.Connection, incident_id: str) -> list[Alert]:
    """Return an incident's own message in each channel, to be kept from senders for now."""
    wanted = (alerts.c.incident_id == incident_id) & (alerts.c.part == MESSAGE)
    query = sa.select(alerts).where(wanted).order_by(alerts.c.channel)
    return found(tx, query.with_for_update())


def parent_of(tx: sa.Connection, alert: Alert) -> Alert | None:
    """Return the message in whose thread a part belongs."""
    same = (alerts.c.incident_id == alert.incident_id) & (alerts.c.channel == alert.channel)
    query = sa.select(alerts).where(same, alerts.c.part == MESSAGE)
    return next(iter(found(tx, query)), None)


def change(tx: sa.Connection, alert: Alert, **values: object) -> None:
    """Write down what became of a message."""
    tx.execute(sa.update(alerts).where(alerts.c.id == alert.id).values(**plain(values)))


def found(tx: sa.Connection, query: sa.Executable) -> list[Alert]:
    """Return what a query for whole rows of the outbox finds, or a change has changed."""
    return [msgspec.convert(row, Alert) for row in fetch(tx, query)]


def plain(values: Mapping[str, object]) -> dict[str, object]:
    """Return values as the columns take them."""
    return {
        name: msgspec.to_builtins(value) if isinstance(value, Told) else value
        for name, value in values.items()
    }


def _unsaid(would: Standing, now: datetime) -> Told:
    return Told(would, now, digest="")
