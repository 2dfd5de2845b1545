"""What keeps a message that is due from being posted: it is over, muted, or told with others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_platform.adapters.ledger import alerts, bursts, silences
from ops_platform.adapters.ledger.alerts import DETAILS, MESSAGE, Alert
from ops_platform.adapters.ledger.bursts import of_leader
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain import incidents as noun
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.bursts import BurstRule
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import State
from ops_platform.domain.silences import Silence, muted_by
from ops_platform.domain.telling import Why
from ops_platform.operations.plan_alerts import open_incident, plan_message, standing_of

# A message that is being posted anew is soon there.
_PARENT_WAIT = timedelta(seconds=30)
# So long nobody is at work on one message.
_MOMENT = timedelta(seconds=1)
_ENDED = frozenset({State.DEAD, State.WITHHELD})
# What is said in the thread while it is true, and of which nobody wants to hear later.
_OF_THE_MOMENT = frozenset({Why.RESOLVED, Why.REMINDER})


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Where a message stands that was not posted, and why."""

    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Gate:
    """What a message passes that is due but does not stand in Slack yet.

    One that is to lead a burst passes, but from now on tells of the others too.
    """

    tx: Transaction
    policy: AlertPolicy
    now: datetime

    def hold_back(self, alert: Alert, parent: Alert, incident: Incident) -> HeldBack | None:
        """Hold a message back, and say why; None means to post it."""
        return (
            self._waits_for_parent(alert, parent)
            or self._is_over(alert, parent)
            or self._is_unwanted(alert, incident)
            or self._is_silenced(alert, parent, incident)
            or self._is_told_with(alert, incident)
        )

    def _waits_for_parent(self, alert: Alert, parent: Alert) -> HeldBack | None:
        if alert.part == MESSAGE or parent.is_posted:
            return None
        state = parent.state if parent.state in _ENDED else State.PENDING
        reason = "the message it belongs to is not there"
        return self._put_off(alert, reason, _PARENT_WAIT, state=state)

    def _is_over(self, alert: Alert, parent: Alert) -> HeldBack | None:
        if alert.part.startswith(DETAILS):
            return None
        over = standing_of(self.tx, parent).state is noun.State.RESOLVED
        if alert.part != MESSAGE and alert.why is Why.RESOLVED:
            return None if over else self._withhold(alert, parent, "failed again before it was due")
        return self._withhold(alert, parent, "resolved before it was due") if over else None

    def _is_unwanted(self, alert: Alert, incident: Incident) -> HeldBack | None:
        """Ask the settings again: they, and what is known of the run, may have changed."""
        if alert.part != MESSAGE or alert.told is not None or alert.burst is not None:
            return None
        reason = self.policy.unwanted(incident)
        if reason is not None:
            return self._withhold(alert, alert, reason)
        channels = self.policy.routing.channels_of(incident)
        if alert.channel in channels:
            return None
        open_incident(self.tx, incident, policy=self.policy, now=self.now)
        return self._withhold(alert, alert, f"told in {', '.join(channels)} by now")

    def _is_silenced(self, alert: Alert, parent: Alert, incident: Incident) -> HeldBack | None:
        if alert.part.startswith(DETAILS):
            return None
        burst = of_leader(self.tx, parent)
        silence = self._muting(burst.still_open if burst else [incident])
        if silence is None:
            if alert.silence_id is not None:
                alerts.change(self.tx, alert, silence_id=None, reason=None)
            return None
        reason = f"silence {silence.id} by {silence.author}: {silence.reason}"
        if alert.part != MESSAGE and alert.why in _OF_THE_MOMENT:
            return self._withhold(alert, parent, reason)
        held = {"due_at": silence.ends_at, "reason": reason, "silence_id": silence.id}
        alerts.change(self.tx, alert, **held)
        return HeldBack(State.PENDING, reason)

    def _muting(self, told: Sequence[Incident]) -> Silence | None:
        """Return the silence that ends first of those that mute all that is told, if they do."""
        active = silences.active(self.tx, self.now)
        muting = [muted_by(each, active) for each in told] if active else []
        known = [silence for silence in muting if silence is not None]
        if not known or len(known) < len(told):
            return None
        return min(known, key=lambda silence: silence.ends_at)

    def _is_told_with(self, alert: Alert, incident: Incident) -> HeldBack | None:
        """Have it join the burst it belongs to, or begin one if there are enough alike."""
        if alert.part != MESSAGE or alert.told is not None or alert.burst is not None:
            return None
        for rule in self.policy.bursts:
            key = rule.key(incident)
            leader = bursts.leader(self.tx, alert.channel, key, rule, now=self.now)
            if leader is not None:
                return self._join(alert, leader)
        for rule in self.policy.bursts:
            if self._leads(alert, incident, rule):
                return None
        return None

    def _join(self, alert: Alert, leader: Alert) -> HeldBack:
        held = bursts.hold(self.tx, leader)
        if held is None:
            return self._put_off(alert, "the message of its burst is just being changed", _MOMENT)
        bursts.join(self.tx, held, [alert], now=self.now)
        plan_message(self.tx, held, policy=self.policy, now=self.now)
        return HeldBack(State.WITHHELD, f"told with {leader.incident_id}")

    def _leads(self, alert: Alert, incident: Incident, rule: BurstRule) -> bool:
        """Tell whether a message leads a burst of this rule, now that it is due."""
        alike = bursts.alike(self.tx, alert, incident, rule)
        if not alike:
            return False
        bursts.lead(self.tx, alert, rule.key(incident), now=self.now)
        untold = [a for a in alike if a.state is State.PENDING and a.told is None]
        others = [a for a in untold if a.id != alert.id]
        bursts.join(self.tx, alert, others, now=self.now)
        return True

    def _put_off(
        self, alert: Alert, reason: str, wait: timedelta, *, state: State = State.PENDING
    ) -> HeldBack:
        due_at = self.now + wait
        alerts.change(self.tx, alert, state=state, reason=reason, due_at=due_at)
        return HeldBack(state, reason)

    def _withhold(self, alert: Alert, parent: Alert, reason: str) -> HeldBack:
        unsaid = standing_of(self.tx, parent)
        alerts.withhold(self.tx, alert, reason, unsaid=unsaid, now=self.now)
        return HeldBack(State.WITHHELD, reason)
