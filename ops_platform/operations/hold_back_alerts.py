"""What keeps a message that is due from being posted: it is over, muted, or told with others."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_platform.adapters.ledger import alerts, bursts, silences
from ops_platform.adapters.ledger.alerts import MESSAGE, Alert
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain import incidents as noun
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import State
from ops_platform.domain.silences import muted_by
from ops_platform.domain.telling import Why
from ops_platform.operations.plan_alerts import plan_message

# A message that is being posted anew is soon there.
_PARENT_WAIT = timedelta(seconds=30)
_ENDED = frozenset({State.DEAD, State.WITHHELD})


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Where a message stands that was not posted, and why."""

    state: State
    reason: str


def hold_back(
    tx: Transaction,
    alert: Alert,
    parent: Alert,
    incident: Incident,
    *,
    policy: AlertPolicy,
    now: datetime,
) -> HeldBack | None:
    """Hold a message back that is due but not yet posted, and say why; None means to post it.

    One that is to lead a burst is not held back, but from now on tells of the others too.
    """
    if alert.part != MESSAGE and not parent.is_posted:
        state = State.DEAD if parent.state in _ENDED else State.PENDING
        reason = "the message it belongs to is not there"
        alerts.change(tx, alert, state=state, reason=reason, due_at=now + _PARENT_WAIT)
        return HeldBack(state, reason)
    if alert.why is Why.FIRST and incident.state is noun.State.RESOLVED:
        reason = "resolved before it was due"
        alerts.change(tx, alert, state=State.WITHHELD, reason=reason, due_at=now, silence_id=None)
        return HeldBack(State.WITHHELD, reason)
    silence = muted_by(incident, silences.active(tx, now))
    if silence is not None:
        reason = f"silence {silence.id} by {silence.author}: {silence.reason}"
        alerts.change(tx, alert, due_at=silence.ends_at, reason=reason, silence_id=silence.id)
        return HeldBack(State.PENDING, reason)
    if alert.silence_id is not None:
        alerts.change(tx, alert, silence_id=None, reason=None)
    if alert.part == MESSAGE and alert.why is Why.FIRST and alert.burst is None:
        return _told_with(tx, alert, incident, policy=policy, now=now)
    return None


def _told_with(
    tx: Transaction, alert: Alert, incident: Incident, *, policy: AlertPolicy, now: datetime
) -> HeldBack | None:
    """Join the burst that a message belongs to, or begin one if there are enough alike."""
    for rule in policy.bursts:
        key = rule.key(incident)
        leader = bursts.leader(tx, alert.channel, key, now=now, within=rule.within)
        if leader is not None:
            bursts.join(tx, leader, [alert], now=now)
            if leader.state is State.SENT:
                plan_message(tx, leader, incident.account, policy=policy, now=now)
            return HeldBack(State.WITHHELD, f"told with {leader.incident_id}")
    for rule in policy.bursts:
        alike = bursts.alike(tx, alert, incident, rule, since=now - rule.within - policy.settle)
        if len(alike) >= rule.at_least:
            bursts.lead(tx, alert, rule.key(incident), now=now)
            untold = (a for a in alike if a.state is State.PENDING and a.told is None)
            others = [a for a in untold if a.id != alert.id]
            bursts.join(tx, alert, others, now=now)
            return None
    return None
