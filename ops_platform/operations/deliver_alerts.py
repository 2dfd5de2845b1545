"""Work off the outbox: each message due is posted, edited, or written into its thread.

A lease makes the sender the only one. What it was posting when it died, or does not know to have
arrived, is looked up in the channel before it is posted again. It never sleeps: being told to wait
becomes a later due time, and a hold that every sender keeps.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ops_platform.adapters.ledger import alerts, leases, sending
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
from ops_platform.domain.outbox import (
    PERMALINKS,
    UNTELLABLE,
    Attempt,
    State,
    after,
    unsure_wait,
)
from ops_platform.domain.ports import Notifier
from ops_platform.domain.telling import Told, Why
from ops_platform.operations.compose_alert import Composed, Composer, gather
from ops_platform.operations.conclude_alert import HOLD, Recorder
from ops_platform.operations.due_alert import Due, with_surroundings
from ops_platform.operations.hold_back_alerts import Gate, HeldBack
from ops_platform.operations.plan_alerts import remind

LEASE = "deliver_alerts"
# So long we wait for a look-up that fails in passing: after that, a second copy beats a lost alert.
LOOKUP_PATIENCE = timedelta(minutes=10)
_NEWS = frozenset({Why.FIRST, Why.FAILED_AGAIN, Why.RETRIED})


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
            alert = self._first_due(tx)
            if alert is None:
                return None
            due = with_surroundings(tx, alert)
            may_be_there = alert.is_unsure or alert.is_posted
            held = None if may_be_there else self._hold_back(tx, due)
            if held is None:
                # Should one that is made of it be the end of each sender, the others are told.
                later = self.clock() + unsure_wait(alert.attempts)
                alerts.change(tx, alert, due_at=later)
        if held is not None:
            return _delivered(due, held.state, held.reason)
        try:
            return self._attempt(due)
        except Exception as error:
            self._set_aside(alert, error)
            raise

    def _set_aside(self, alert: Alert, error: Exception) -> None:
        """Note why a message cannot even be written, so that somebody sees it."""
        reason = f"{UNTELLABLE}: {type(error).__name__}"
        with self.ledger.transaction() as tx:
            alerts.change(tx, alert, reason=reason)

    def _first_due(self, tx: Transaction) -> Alert | None:
        now = self.clock()
        held = leases.held(tx, HOLD, now)
        return sending.first_due(tx, now, held=held, fallback=self.fallback_channel)

    def _hold_back(self, tx: Transaction, due: Due) -> HeldBack | None:
        return Gate(tx, self.policy, self.clock()).hold_back(*due)

    def _attempt(self, due: Due) -> Delivered | None:
        if due.alert.is_unsure and not due.alert.is_posted:
            found = self._look_up(due)
            if isinstance(found, Sent):
                return self._adopt(due, found)
            if found is not None:
                return self._failed(due, due.attempt(self.fallback_channel), found)
            # It is not there, so what holds back one that was never tried holds for it as well.
            with self.ledger.transaction() as tx:
                if not sending.keep(tx, due.alert):
                    return None
                held = self._hold_back(tx, due)
            if held is not None:
                return _delivered(due, held.state, held.reason)
        if due.alert.part == MESSAGE and due.alert.why in _NEWS:
            self.understand(due.incident)
        return self._tell(due)

    def _look_up(self, due: Due) -> Delivery | None:
        """Return what the channel tells of an earlier attempt; None means to send again."""
        began = due.alert.sending_at or due.alert.due_at
        where = due.channel(self.fallback_channel)
        found = self.notifier.find(
            channel=where, metadata_key=due.alert.key, since=began, thread_ts=due.thread
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

    def _adopt(self, due: Due, found: Sent) -> Delivered | None:
        """Take what was found for ours, and see whether it still says what there is to say."""
        with self.ledger.transaction() as tx:
            adopted = Recorder(tx, self.policy, self.clock()).found(due, found)
        return None if adopted is None else self._tell(due._replace(alert=adopted))

    def _tell(self, due: Due) -> Delivered | None:
        due, composed = self._compose(due)
        alert = due.alert
        stands = alert.is_posted and not alert.is_unsure and alert.told is not None
        if stands and alert.told and alert.told.digest == composed.telling.digest:
            there = Sent(str(alert.posted_to), str(alert.message_ts))
            return self._sent(due, there, composed.telling, anew=False)
        attempt = due.attempt(self.fallback_channel)
        claimed = self._claim(due, composed)
        if claimed is None:
            return None
        due = due._replace(alert=claimed)
        outcome = self._send(due, composed)
        if isinstance(outcome, Sent):
            return self._sent(due, outcome, composed.telling, anew=True)
        return self._failed(due, attempt, outcome)

    def _compose(self, due: Due) -> tuple[Due, Composed]:
        """Write the message from what is known by now."""
        with self.ledger.transaction() as tx:
            # A burst may have begun, and the log told more, since it was read.
            due = with_surroundings(tx, alerts.load(tx, due.alert.id) or due.alert)
            material = gather(tx, *due)
        return due, self.composer.compose(material, now=self.clock())

    def _claim(self, due: Due, composed: Composed) -> Alert | None:
        now = self.clock()
        again_at = now + unsure_wait(due.alert.attempts)
        with self.ledger.transaction() as tx:
            # What came before may have taken long, and somebody else may be at it by now.
            if not self._renew(tx):
                return None
            return sending.claim(
                tx, due.alert, telling=composed.telling, now=now, again_at=again_at
            )

    def _send(self, due: Due, composed: Composed) -> Delivery:
        alert, message = due.alert, composed.message
        if alert.message_ts is not None:
            return self.notifier.update(
                channel=alert.posted_to or alert.channel,
                ts=alert.message_ts,
                text=message.text,
                blocks=message.blocks,
                metadata_key=alert.key,
            )
        return self.notifier.post(
            channel=due.channel(self.fallback_channel),
            text=message.text,
            blocks=message.blocks,
            metadata_key=alert.key,
            thread_ts=due.thread,
        )

    def _failed(self, due: Due, attempt: Attempt, outcome: Delivery) -> Delivered:
        if isinstance(outcome, Sent):
            raise TypeError(outcome)
        now = self.clock()
        then = after(outcome, attempt, now=now, give_up=self.give_up)
        # The limit is of the channel as the settings name it, not of its id.
        falls_back = due.alert.fallback and self.fallback_channel
        limited = self.fallback_channel if falls_back else due.alert.channel
        with self.ledger.transaction() as tx:
            Recorder(tx, self.policy, now).failed(due, attempt, then, limited=str(limited))
        return _delivered(due, then.state, then.reason)

    def _sent(self, due: Due, sent: Sent, told: Told, *, anew: bool) -> Delivered:
        with self.ledger.transaction() as tx:
            recorded = Recorder(tx, self.policy, self.clock()).sent(due, sent, told, anew=anew)
        permalink = due.alert.permalink
        if recorded and permalink is None and due.alert.part == MESSAGE:
            permalink = self._permalink(due.alert, sent)
        return replace(_delivered(due, State.SENT), permalink=permalink)

    def _permalink(self, alert: Alert, sent: Sent) -> str | None:
        # Only now, since a death before the record would leave the message in doubt.
        with self.ledger.transaction() as tx:
            if PERMALINKS in leases.held(tx, HOLD, self.clock()):
                return None
        told = self.notifier.permalink(channel=sent.channel, ts=sent.ts)
        with self.ledger.transaction() as tx:
            match told:
                case LookupUnavailable(retry_after_seconds=int(wait)):
                    recorder = Recorder(tx, self.policy, self.clock())
                    recorder.hold(PERMALINKS, timedelta(seconds=wait))
                case str(link):
                    alerts.change(tx, alert, permalink=link)
                    return link
        return None


def _delivered(due: Due, state: State, reason: str | None = None) -> Delivered:
    alert = due.alert
    return Delivered(due.incident, state, alert.channel, alert.part, alert.why, reason)
