"""The messages of an incident as they would be sent, whether or not they ever are."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from ops_platform.adapters.ledger import alerts
from ops_platform.adapters.ledger.alerts import MESSAGE, Alert
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain.alert_message import Message
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.detail_pages import pages
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import State
from ops_platform.domain.telling import Why
from ops_platform.operations.compose_alert import Composer, gather, incident_of
from ops_platform.operations.plan_alerts import page_part


@dataclass(frozen=True, slots=True)
class Preview:
    """A message, and where it stands or would stand; without a channel, nowhere."""

    channel: str
    part: str
    message: Message


def preview(
    tx: Transaction,
    incident: Incident,
    *,
    policy: AlertPolicy,
    composer: Composer,
    now: datetime,
    fallback_channel: str | None = None,
) -> list[Preview]:
    """Return what an incident's channels are told: in each its message, then what its thread has.

    Of an incident that is told with others it is the message that tells of all of them.
    """
    told = []
    for parent in _parents(tx, incident, policy, now):
        subject = incident_of(tx, parent) if parent.incident_id != incident.id else incident
        channel = fallback_channel or parent.channel if parent.fallback else parent.channel
        for alert in (parent, *_thread(tx, parent, subject)):
            composed = composer.compose(gather(tx, alert, parent, subject), now=now)
            told.append(Preview(channel, alert.part, composed.message))
    return told


def _parents(
    tx: Transaction, incident: Incident, policy: AlertPolicy, now: datetime
) -> Iterator[Alert]:
    """Yield the message of each channel; where the outbox has none, those it would get."""
    known = [row for row in alerts.messages_of(tx, incident.id) if row.channel]
    for row in known:
        leader = alerts.load(tx, row.told_with) if row.told_with else None
        yield leader or row
    if not known:
        for channel in policy.routing.channels_of(incident) or ("",):
            yield _unsent(incident, channel, now)


def _thread(tx: Transaction, parent: Alert, incident: Incident) -> Iterator[Alert]:
    """Yield what is below a message: the pages of its jobs, then what was noted since."""
    if parent.burst is None:
        for page in pages(incident):
            yield msgspec.structs.replace(
                parent, part=page_part(page.number), why=Why.FIRST, plain=False
            )
    for row in alerts.of_incident(tx, parent.incident_id):
        is_note = row.part != MESSAGE and not row.part.startswith("details/")
        if row.channel == parent.channel and is_note:
            yield row


def _unsent(incident: Incident, channel: str, now: datetime) -> Alert:
    unset: dict[str, Any] = dict.fromkeys(Alert.__struct_fields__)
    place = {"id": 0, "incident_id": incident.id, "channel": channel, "part": MESSAGE}
    stand = {"state": State.WITHHELD, "why": Why.FIRST, "due_at": now, "attempts": 0}
    return msgspec.convert(unset | place | stand | {"plain": False, "fallback": False}, Alert)
