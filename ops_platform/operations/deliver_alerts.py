"""Work off the outbox: each message due is posted, edited, or written into its thread.

A lease makes the sender the only one. What it was posting when it died, or does not know to have
arrived, is looked up in the channel before it is posted again. It never sleeps: being told to wait
becomes a later due time, and a hold that every sender keeps.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from ops_platform.adapters.ledger import alerts, leases
from ops_platform.adapters.ledger.alerts import MESSAGE, Alert
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.delivery import (
    Delivery,
    LookupUnavailable,
    RateLimited,
    Sent,
    Unreachable,
)
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import Attempt, Next, State, after, unsure_wait
from ops_platform.domain.ports import Notifier
from ops_platform.domain.telling import Told, Why
from ops_platform.operations.compose_alert import Composed, Composer, gather, incident_of
from ops_platform.operations.hold_back_alerts import HeldBack, hold_back
from ops_platform.operations.plan_alerts import plan_message, plan_pages, remind

LEASE = "deliver_alerts"
HOLD = "posts to "
EDITS = "edits"  # which Slack limits wherever they are
# So long we wait for a look-up that fails in passing: after that, a second copy beats a lost alert.
LOOKUP_PATIENCE = timedelta(minutes=10)
_NEWS = frozenset({Why.FIRST, Why.FAILED_AGAIN})


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one attempt at a message came to."""

    incident: Incident
    state: State
    channel: str
    part: str
    why: Why
    reason: str | None = None
    permalink: str | None = None


class _Due(NamedTuple):
    """A message that is due, the one in whose thread it belongs, and its incident."""

    alert: Alert
    parent: Alert
    incident: Incident


@dataclass(frozen=True, slots=True)
class Sender:
    """Delivers what is due.

    ``understand`` is given an incident before it is first told, to find out more of it.
    ``holder`` names this sender alone: a tick that outlived its time still works beside the next
    one, in the same process. A message that a wrong token or channel holds up is tried for
    ``give_up``.
    """

    ledger: Ledger
    notifier: Notifier
    composer: Composer
    policy: AlertPolicy
    clock: Callable[[], datetime]
    holder: str
    understand: Callable[[Incident], object] = lambda _: None
    fallback_channel: str | None = None
    lease: timedelta = timedelta(seconds=120)
    give_up: timedelta = timedelta(hours=24)

    def deliver(self, *, seconds: float) -> list[Delivered] | None:
        """Deliver until nothing is due or time is up; None while another sender has the lease."""
        deadline = self.clock() + timedelta(seconds=seconds)
        with self.ledger.transaction() as tx:
            mine = self._renew(tx)
            if mine:
                remind(tx, policy=self.policy, now=self.clock())
        if not mine:
            return None
        done: list[Delivered] = []
        try:
            while self.clock() < deadline and (delivered := self._step()):
                done.append(delivered)
        finally:
            with self.ledger.transaction() as tx:
                leases.give_back(tx, LEASE, holder=self.holder)
        return done

    def _renew(self, tx: Transaction) -> bool:
        return leases.take(tx, LEASE, holder=self.holder, now=self.clock(), length=self.lease)

    def _step(self) -> Delivered | None:
        """Work on the message that is due first; None if there is none, or the lease is lost."""
        with self.ledger.transaction() as tx:
            if not self._renew(tx):
                return None
            due = self._first_due(tx)
            if due is None:
                return None
            may_be_there = due.alert.is_unsure or due.alert.is_posted
            held = None if may_be_there else self._hold_back(tx, due)
        if held is not None:
            return self._delivered(due, held.state, held.reason)
        return self._attempt(due)

    def _first_due(self, tx: Transaction) -> _Due | None:
        now = self.clock()
        held = leases.held(tx, HOLD, now)
        alert = alerts.first_due(
            tx, now, held=held, hold_edits=EDITS in held, fallback=self.fallback_channel
        )
        if alert is None:
            return None
        return _Due(alert, alerts.parent_of(tx, alert) or alert, incident_of(tx, alert))

    def _hold_back(self, tx: Transaction, due: _Due) -> HeldBack | None:
        return hold_back(tx, *due, policy=self.policy, now=self.clock())

    def _attempt(self, due: _Due) -> Delivered | None:
        if due.alert.is_unsure and not due.alert.is_posted:
            found = self._look_up(due)
            if found is not None:
                return self._conclude(due, found, due.alert.telling)
        if due.alert.part == MESSAGE and due.alert.why in _NEWS:
            self.understand(due.incident)
        due, composed = self._compose(due)
        alert, told = due.alert, due.alert.told
        if alert.is_posted and told and told.digest == composed.telling.digest:
            outcome: Delivery | None = Sent(str(alert.posted_to), str(alert.message_ts))
        else:
            outcome = self._send(due, composed)
        if outcome is None:
            return None
        return self._conclude(due, outcome, composed.telling)

    def _look_up(self, due: _Due) -> Delivery | None:
        """Return what the channel tells of an earlier attempt; None means to send again."""
        began = due.alert.sending_at or due.alert.due_at
        where = self._channel(due)
        found = self.notifier.find(
            channel=where, metadata_key=due.alert.key, since=began, thread_ts=_thread(due)
        )
        match found:
            case Sent():
                return found
            case LookupUnavailable(retry_after_seconds=int(wait)):
                return RateLimited(wait)
            case LookupUnavailable(error=error, passing=True):
                if self.clock() - began < LOOKUP_PATIENCE:
                    return Unreachable(f"no look-up: {error}")
        return None  # not there, or nobody may ever look: a second copy beats a lost alert

    def _compose(self, due: _Due) -> tuple[_Due, Composed]:
        """Write the message from what is known by now."""
        with self.ledger.transaction() as tx:
            # A burst may have begun, and the log told more, since it was read.
            alert = alerts.load(tx, due.alert.id) or due.alert
            due = _Due(alert, alerts.parent_of(tx, alert) or alert, incident_of(tx, alert))
            material = gather(tx, *due)
        return due, self.composer.compose(material, now=self.clock())

    def _send(self, due: _Due, composed: Composed) -> Delivery | None:
        alert, now = due.alert, self.clock()
        again_at = now + unsure_wait(alert.attempts)
        with self.ledger.transaction() as tx:
            # What came before may have taken long, and somebody else may be at it by now.
            if not self._renew(tx):
                return None
            if not alerts.claim(tx, alert, telling=composed.telling, now=now, again_at=again_at):
                return None
        message = composed.message
        if alert.message_ts is not None:
            return self.notifier.update(
                channel=str(alert.posted_to),
                ts=alert.message_ts,
                text=message.text,
                blocks=message.blocks,
                metadata_key=alert.key,
            )
        return self.notifier.post(
            channel=self._channel(due),
            text=message.text,
            blocks=message.blocks,
            metadata_key=alert.key,
            thread_ts=_thread(due),
        )

    def _channel(self, due: _Due) -> str:
        """Return where to post: beside the parent, or where it is meant for, or the fallback."""
        if due.alert.part != MESSAGE and due.parent.posted_to:
            return due.parent.posted_to
        if due.alert.fallback and self.fallback_channel:
            return self.fallback_channel
        return due.alert.channel

    def _conclude(self, due: _Due, outcome: Delivery, telling: Told | None) -> Delivered:
        if isinstance(outcome, Sent):
            return self._sent(due, outcome, telling)
        falls_back = self.fallback_channel not in {None, due.alert.channel}
        attempt = Attempt(
            number=due.alert.attempts,
            unsure=due.alert.is_unsure,
            edits=due.alert.is_posted,
            replies=due.alert.part != MESSAGE,
            plain=due.alert.plain,
            may_fall_back=falls_back and not due.alert.fallback,
        )
        then = after(outcome, attempt, now=self.clock(), give_up=self.give_up)
        with self.ledger.transaction() as tx:
            self._keep_hold(tx, due, then)
            alerts.change(tx, due.alert, **_changes(then))
        return self._delivered(due, then.state, then.reason)

    def _keep_hold(self, tx: Transaction, due: _Due, then: Next) -> None:
        # The limit is the channel's, not the message's: nobody posts there until it is over.
        if then.hold is None:
            return
        limited = self.fallback_channel if due.alert.fallback else due.alert.channel
        name = f"{HOLD}{EDITS if due.alert.is_posted else limited}"
        leases.take(tx, name, holder="Slack", now=self.clock(), length=then.hold)

    def _sent(self, due: _Due, sent: Sent, telling: Told | None) -> Delivered:
        now = self.clock()
        with self.ledger.transaction() as tx:
            alerts.change(
                tx,
                due.alert,
                state=State.SENT,
                posted_to=sent.channel,
                message_ts=sent.ts,
                told=telling,
                mentioned_at=telling.mentioned_at if telling else now,
                sent_at=now,
                reason=None,
            )
            self._follow_up(tx, due, now)
        permalink = due.alert.permalink or self._permalink(due.alert, sent)
        return replace(self._delivered(due, State.SENT), permalink=permalink)

    def _follow_up(self, tx: Transaction, due: _Due, now: datetime) -> None:
        """Have the thread written, and told again what changed while it was being told."""
        message = alerts.load(tx, due.alert.id)
        if message is None or message.part != MESSAGE:
            return
        incident = incident_of(tx, message)
        plan_pages(tx, message, incident, now=now)
        plan_message(tx, message, incident.account, policy=self.policy, now=now)

    def _permalink(self, alert: Alert, sent: Sent) -> str | None:
        # Only now, since a death before the record would leave the message in doubt.
        permalink = self.notifier.permalink(channel=sent.channel, ts=sent.ts)
        with self.ledger.transaction() as tx:
            alerts.change(tx, alert, permalink=permalink)
        return permalink

    def _delivered(self, due: _Due, state: State, reason: str | None = None) -> Delivered:
        alert = due.alert
        return Delivered(due.incident, state, alert.channel, alert.part, alert.why, reason)


def _thread(due: _Due) -> str | None:
    return None if due.alert.part == MESSAGE else due.parent.message_ts


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
