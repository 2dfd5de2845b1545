"""The outbox as its sender sees it: which message is due, and what became of an attempt at it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from ops_platform.adapters.ledger.alerts import OPEN, Alert, found, plain
from ops_platform.adapters.ledger.schema import alerts
from ops_platform.domain.delivery import Sent
from ops_platform.domain.outbox import EDITS, LOOKUPS, State
from ops_platform.domain.telling import Told

_IS_THREAD = alerts.c.part != sa.literal_column("'message'")  # in the words of the index


def first_due(
    tx: sa.Connection, now: datetime, *, held: Collection[str] = (), fallback: str | None = None
) -> Alert | None:
    """Return the message that waits longest for a sender, and keep others from changing it.

    Left aside are posts to ``held`` channels, and edits or look-ups if Slack wants to see none of
    them for now; and what somebody else is just changing.

    One that is ``sending`` was left behind by a sender that died: under the lease there is but one.
    What an incident's own message has to say goes before what its thread has.
    """
    channel = sa.case((alerts.c.fallback, fallback or ""), else_=alerts.c.channel)
    is_edit = alerts.c.message_ts.is_not(None)
    needs_no_lookup = alerts.c.state == State.PENDING
    may_edit = is_edit & sa.literal(EDITS not in held)
    may_post = ~is_edit & channel.not_in(held) & (needs_no_lookup | sa.literal(LOOKUPS not in held))
    query = (
        sa.select(alerts)
        .where(alerts.c.state.in_(OPEN), alerts.c.due_at <= now, may_edit | may_post)
        .order_by(_IS_THREAD, alerts.c.due_at, alerts.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return next(iter(found(tx, query)), None)


def keep(tx: sa.Connection, alert: Alert) -> bool:
    """Keep others from changing a message; return False if it is no longer as it was read."""
    same = sa.select(alerts.c.id).where(alerts.c.id == alert.id, _as_read(alert))
    return tx.scalar(same.with_for_update()) is not None


def claim(
    tx: sa.Connection, alert: Alert, *, telling: Told, now: datetime, again_at: datetime
) -> Alert | None:
    """Mark a message as being sent, and return it so; None if it is no longer as it was read.

    Should the sender die over it, it is due again at ``again_at``, so that no message stands in the
    way of all others. Of several attempts in doubt the time of the first is kept: there a look-up
    has to begin.
    """
    values = {
        "state": State.SENDING,
        "sending_at": alert.sending_at if alert.is_unsure else now,
        "due_at": again_at,
        "telling": telling,
        "attempts": alert.attempts + 1,
    }
    return _change_as_read(tx, alert, values)


def adopt(tx: sa.Connection, alert: Alert, sent: Sent, *, now: datetime) -> Alert | None:
    """Take a message for ours that was found in Slack, and return it so, due to be looked over.

    Of several attempts nobody knows which one it was.
    """
    told = alert.telling
    if told is not None and alert.attempts > 1:
        told = msgspec.structs.replace(told, digest="")
    where = {"posted_to": sent.channel, "message_ts": sent.ts}
    return _change_as_read(
        tx, alert, {"state": State.PENDING, "due_at": now, "told": told, "sent_at": now} | where
    )


def conclude(tx: sa.Connection, alert: Alert, **values: object) -> bool:
    """Write down what became of an attempt; return False if somebody else is at it by now."""
    return _change_as_read(tx, alert, values) is not None


def _change_as_read(tx: sa.Connection, alert: Alert, values: dict[str, Any]) -> Alert | None:
    changed = (
        sa.update(alerts)
        .where(alerts.c.id == alert.id, _as_read(alert))
        .values(**plain(values))
        .returning(*alerts.c)
    )
    return next(iter(found(tx, changed)), None)


def _as_read(alert: Alert) -> sa.ColumnElement[bool]:
    return (alerts.c.state == alert.state) & (alerts.c.attempts == alert.attempts)
