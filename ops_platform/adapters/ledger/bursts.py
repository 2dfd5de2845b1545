"""Which incidents are told as one: the messages of the others name the one that tells for all."""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from ops_platform.adapters.ledger.alerts import MESSAGE, Alert, found
from ops_platform.adapters.ledger.queries import fetch
from ops_platform.adapters.ledger.schema import alerts, incidents
from ops_platform.domain.bursts import Burst, BurstRule, By, kinds_like
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import State

_INCIDENT = [incidents.c[name] for name in Incident.__struct_fields__]
# A message that was told, or is about to be.
_TOLD = (State.PENDING, State.SENDING, State.AMBIGUOUS, State.SENT)


def of_leader(tx: sa.Connection, message: Alert) -> Burst | None:
    """Return the burst that a message tells of, None as long as it tells of one incident alone."""
    if message.burst is None:
        return None
    query = (
        sa.select(*_INCIDENT)
        .join(alerts, alerts.c.incident_id == incidents.c.id)
        .where(sa.or_(alerts.c.id == message.id, alerts.c.told_with == message.id))
        .order_by(alerts.c.id != message.id, incidents.c.opened_at, incidents.c.id)
    )
    members = [msgspec.convert(row, Incident) for row in fetch(tx, query)]
    return Burst(By(message.burst.split("\n", 1)[0]), members) if len(members) > 1 else None


def leader(
    tx: sa.Connection, channel: str, key: str, rule: BurstRule, *, now: datetime
) -> Alert | None:
    """Return the message of a burst that another incident may still join."""
    query = (
        sa.select(alerts)
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .where(alerts.c.burst == key, alerts.c.channel == channel)
        .where(alerts.c.state.in_(_TOLD), alerts.c.joined_at > now - rule.within)
        .where(incidents.c.opened_at > now - rule.lasts)
        .order_by(alerts.c.joined_at.desc())
        .limit(1)
    )
    return next(iter(found(tx, query)), None)


def hold(tx: sa.Connection, message: Alert) -> Alert | None:
    """Keep others from changing a message, and return it as it is; None if one of them is at it.

    Whoever holds one message must not wait for another: whoever plans holds the earlier ones, and
    waits for the later.
    """
    query = sa.select(alerts).where(alerts.c.id == message.id).with_for_update(skip_locked=True)
    return next(iter(found(tx, query)), None)


def alike(tx: sa.Connection, message: Alert, incident: Incident, rule: BurstRule) -> list[Alert]:
    """Return the messages of a channel that make a burst with this one, itself included.

    They are of incidents that opened at about the same time. Empty if they are not enough. None of
    them changes until the transaction ends; those that somebody else is just changing are left out.
    """
    common = incidents.c.flow if rule.by is By.FLOW else incidents.c.reason
    value = incident.flow if rule.by is By.FLOW else incident.reason
    earliest, latest = incident.opened_at - rule.within, incident.opened_at + rule.within
    wanted = (
        sa.select(alerts.c.id)
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .where(incidents.c.account == incident.account, common == value)
        .where(incidents.c.kind.in_(kinds_like(incident.kind)))
        .where(incidents.c.opened_at.between(earliest, latest), incidents.c.state == "open")
        .where(alerts.c.channel == message.channel, alerts.c.part == MESSAGE)
        .where(alerts.c.state.in_(_TOLD), alerts.c.burst.is_(None))
        .where(alerts.c.told_with.is_(None), alerts.c.silence_id.is_(None))
    )
    enough = wanted.limit(rule.at_least).subquery()
    if (tx.scalar(sa.select(sa.func.count()).select_from(enough)) or 0) < rule.at_least:
        return []
    ids = list(tx.scalars(wanted))
    query = sa.select(alerts).where(alerts.c.id == sa.any_(sa.cast(ids, sa.ARRAY(sa.BigInteger))))
    return found(tx, query.order_by(alerts.c.id).with_for_update(skip_locked=True))


def join(tx: sa.Connection, first: Alert, others: list[Alert], *, now: datetime) -> None:
    """Have the first message tell of the others too, which are not told by themselves."""
    withheld = {
        "state": State.WITHHELD,
        "reason": f"told with {first.incident_id}",
        "due_at": now,
        "told_with": first.id,
    }
    ids = sa.cast([other.id for other in others], sa.ARRAY(sa.BigInteger))
    tx.execute(sa.update(alerts).where(alerts.c.id == sa.any_(ids)).values(**withheld))
    tx.execute(sa.update(alerts).where(alerts.c.id == first.id).values(joined_at=now))


def lead(tx: sa.Connection, first: Alert, key: str, *, now: datetime) -> None:
    """Make a message that of a burst."""
    tx.execute(sa.update(alerts).where(alerts.c.id == first.id).values(burst=key, joined_at=now))
