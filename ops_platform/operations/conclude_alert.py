"""What an attempt at a message came to, written down in one transaction with what follows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_platform.adapters.ledger import alerts, leases, sending
from ops_platform.adapters.ledger.alerts import MESSAGE, Alert
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain import incidents as noun
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.delivery import Sent
from ops_platform.domain.outbox import EDITS, LOOKUPS, Attempt, Next, State
from ops_platform.domain.telling import Told
from ops_platform.operations.compose_alert import incident_of
from ops_platform.operations.due_alert import Due
from ops_platform.operations.plan_alerts import plan_message, plan_pages

HOLD = "Slack: "


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes down what became of messages, unless another sender has taken them over."""

    tx: Transaction
    policy: AlertPolicy
    now: datetime

    def sent(self, due: Due, sent: Sent, told: Told, *, anew: bool) -> bool:
        """Record that a message stands in Slack; ``anew`` unless it stood there like this before.

        Its thread is to be written, and what changed while it was being told is told as well.
        """
        recorded = sending.conclude(
            self.tx,
            due.alert,
            state=State.SENT,
            posted_to=sent.channel,
            message_ts=sent.ts,
            told=told,
            mentioned_at=told.mentioned_at if self._is_to_be_repeated(due, told) else None,
            sent_at=self.now if anew else due.alert.sent_at,
            reason=None,
        )
        message = alerts.load(self.tx, due.alert.id)
        if recorded and message is not None and message.part == MESSAGE:
            incident = incident_of(self.tx, message)
            plan_pages(self.tx, message, incident, before=due.alert.told, now=self.now)
            plan_message(self.tx, message, policy=self.policy, now=self.now)
        return recorded

    def _is_to_be_repeated(self, due: Due, told: Told) -> bool:
        # Of what is over nobody is reminded.
        is_open = told.standing.state is noun.State.OPEN
        return is_open and due.incident.account in self.policy.repeat

    def found(self, due: Due, there: Sent) -> Alert | None:
        """Record where a message stands that was looked up; its thread may not be there yet.

        What has happened since it was posted is noted, as of one that was known to stand there.
        """
        adopted = sending.adopt(self.tx, due.alert, there, now=self.now)
        if adopted is not None and adopted.part == MESSAGE:
            plan_pages(self.tx, adopted, due.incident, before=None, now=self.now)
            plan_message(self.tx, adopted, policy=self.policy, now=self.now)
        return adopted

    def failed(self, due: Due, attempt: Attempt, then: Next, *, limited: str) -> bool:
        """Record that a message was not delivered; ``limited`` is the channel of the attempt."""
        if then.hold is not None:
            self.hold(_limited(due.alert, attempt, limited), then.hold)
        recorded = sending.conclude(self.tx, due.alert, **_changes(then))
        message = alerts.load(self.tx, due.alert.id)
        if recorded and then.afresh and message is not None and message.part == MESSAGE:
            alerts.forget_thread(self.tx, message, now=self.now)
        return recorded

    def hold(self, what: str, wait: timedelta) -> None:
        """Have nobody ask this of Slack until the wait is over."""
        leases.take(self.tx, f"{HOLD}{what}", holder="Slack", now=self.now, length=wait)


def _limited(alert: Alert, attempt: Attempt, channel: str) -> str:
    """Return what Slack limits: it is more than the message."""
    if attempt.edits:
        return EDITS
    # Still in doubt, so that it was the look-up that did not pass.
    return LOOKUPS if attempt.unsure and alert.attempts == attempt.number else channel


def _changes(then: Next) -> dict[str, object]:
    """Return what to write down of a message that was not delivered."""
    changes: dict[str, object] = {"state": then.state, "due_at": then.due_at, "reason": then.reason}
    if then.plain:
        changes |= {"plain": True}
    if then.fallback:
        changes |= {"fallback": True, "posted_to": None}
    if then.afresh:
        changes |= {"message_ts": None, "posted_to": None, "permalink": None}
    return changes
