"""Work off the outbox: each alert due becomes one message.

A lease makes the sender the only one. What it was sending when it died, or does not know to have
arrived, is looked up in the channel before it is sent again. It never sleeps: being told to wait
becomes a later due time, and a hold on the channel that every sender keeps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ops_platform.adapters.ledger import alerts, incidents, leases
from ops_platform.adapters.ledger.alerts import Alert, State
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.domain import incidents as domain
from ops_platform.domain.alert_message import render
from ops_platform.domain.delivery import (
    Ambiguous,
    Delivery,
    Fault,
    LookupUnavailable,
    RateLimited,
    Refused,
    Sent,
    Unreachable,
)
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident
from ops_platform.domain.ports import Notifier
from ops_platform.domain.story import Story

LEASE = "deliver_alerts"
HOLD = "posts to "
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)
# The message itself is refused, and will be the next time.
FINAL = frozenset({Fault.CONTENT, Fault.MESSAGE})
# Slack may still be at work on a post whose connection we lost; to look sooner proves nothing.
UNSURE_WAIT = timedelta(seconds=30)
# So long we wait for a look-up that fails in passing: after that, a second copy beats a lost alert.
LOOKUP_PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Address:
    """Where one account's alerts go, and the links they carry."""

    channel: str | None
    links: Links


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one attempt at an alert came to."""

    incident: Incident
    state: State
    channel: str | None
    reason: str | None = None
    permalink: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Delivers what is due; ``mention`` returns the Slack markup that names an owner.

    ``holder`` names this sender alone: a tick that outlived its time still works beside the next
    one, in the same process. An alert that a wrong token or channel holds up is tried until its
    run ended longer ago than ``give_up``.
    """

    ledger: Ledger
    notifier: Notifier
    addresses: Mapping[str, Address]
    mention: Callable[[str | None], str | None]
    clock: Callable[[], datetime]
    holder: str
    lease: timedelta = timedelta(seconds=120)
    give_up: timedelta = timedelta(hours=24)

    def deliver(self, *, seconds: float) -> list[Delivered] | None:
        """Deliver until nothing is due or time is up; None while another sender has the lease."""
        deadline = self.clock() + timedelta(seconds=seconds)
        with self.ledger.transaction() as tx:
            mine = self._renew(tx)
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
        """Work on the alert that is due first; None if there is none, or the lease is lost."""
        with self.ledger.transaction() as tx:
            if not self._renew(tx):
                return None
            now = self.clock()
            alert = alerts.first_due(tx, now, not_of=self._held(leases.held(tx, HOLD, now)))
            incident = incidents.load(tx, alert.incident_id) if alert else None
        if alert is None or incident is None:
            return None
        return self._attempt(alert, incident)

    def _held(self, channels: set[str]) -> list[str]:
        return [name for name, address in self.addresses.items() if address.channel in channels]

    def _attempt(self, alert: Alert, incident: Incident) -> Delivered | None:
        channel = self._channel(incident)
        if channel is None:
            return self._note(alert, incident, State.DEAD, reason="no channel is set")
        if alert.is_unsure:
            found = self._look_up(alert, alert.channel or channel)
            if found is not None:
                return self._conclude(alert, incident, found)
        elif incident.state is domain.State.RESOLVED:
            return self._note(alert, incident, State.WITHHELD, reason="resolved before it was due")
        outcome = self._send(alert, incident, channel)
        return None if outcome is None else self._conclude(alert, incident, outcome)

    def _look_up(self, alert: Alert, channel: str) -> Delivery | None:
        """Return what the channel tells of an earlier attempt; None means to send again."""
        began = alert.sending_at or alert.due_at
        match self.notifier.find(channel=channel, metadata_key=alert.key, since=began):
            case str(ts):
                return Sent(channel=channel, ts=ts)
            case LookupUnavailable(retry_after_seconds=int(wait)):
                return RateLimited(wait)
            case LookupUnavailable(error=error, passing=True):
                if self.clock() - began < LOOKUP_PATIENCE:
                    return Unreachable(f"no look-up: {error}")
        return None  # not there, or nobody may ever look: a second copy beats a lost alert

    def _send(self, alert: Alert, incident: Incident, channel: str) -> Delivery | None:
        links = self.addresses[incident.account].links
        message = render(Story(incident, links, self.mention(incident.owner)), self.clock())
        now = self.clock()
        again_at = now + _unsure_wait(alert)
        with self.ledger.transaction() as tx:
            # What came before may have taken long, and somebody else may be at it by now.
            mine = self._renew(tx)
            if not (mine and alerts.claim(tx, alert, channel=channel, now=now, again_at=again_at)):
                return None
        return self.notifier.post(
            channel=channel, text=message.text, blocks=message.blocks, metadata_key=alert.key
        )

    def _conclude(self, alert: Alert, incident: Incident, outcome: Delivery) -> Delivered:
        state = State.AMBIGUOUS if alert.is_unsure else State.PENDING
        match outcome:
            case Sent():
                return self._sent(alert, incident, outcome)
            case RateLimited(retry_after_seconds=seconds):
                wait = timedelta(seconds=seconds)
                self._hold_back(incident, wait)
                error = f"rate limited for {seconds} s"
            case Refused(error=error, permanent=True, fault=fault):
                if fault in FINAL or self.clock() - incident.opened_at > self.give_up:
                    return self._note(alert, incident, State.DEAD, reason=error)
                wait = LONGEST_RETRY  # until a person has repaired the token or the channel
            case Refused(error=error) | Unreachable(error=error):
                wait = _backoff(alert.attempts)
            case Ambiguous(error=error):
                state, wait = State.AMBIGUOUS, _unsure_wait(alert)
        return self._note(alert, incident, state, reason=error, due_at=self.clock() + wait)

    def _hold_back(self, incident: Incident, wait: timedelta) -> None:
        # The limit is the channel's, not the alert's: no sender posts there until it is over.
        name = f"{HOLD}{self._channel(incident)}"
        with self.ledger.transaction() as tx:
            leases.take(tx, name, holder="Slack", now=self.clock(), length=wait)

    def _sent(self, alert: Alert, incident: Incident, sent: Sent) -> Delivered:
        told = self._note(alert, incident, State.SENT, message_ts=sent.ts, sent_at=self.clock())
        # Only now, since a death before the record would leave the alert in doubt.
        permalink = self.notifier.permalink(channel=sent.channel, ts=sent.ts)
        with self.ledger.transaction() as tx:
            alerts.change(tx, alert, permalink=permalink)
        return replace(told, permalink=permalink)

    def _note(
        self,
        alert: Alert,
        incident: Incident,
        state: State,
        *,
        reason: str | None = None,
        **values: object,
    ) -> Delivered:
        with self.ledger.transaction() as tx:
            alerts.change(tx, alert, state=state, reason=reason, **values)
        return Delivered(incident, state, self._channel(incident), reason)

    def _channel(self, incident: Incident) -> str | None:
        address = self.addresses.get(incident.account)
        return address.channel if address else None


def _unsure_wait(alert: Alert) -> timedelta:
    return max(UNSURE_WAIT, _backoff(alert.attempts))


def _backoff(attempts: int) -> timedelta:
    return min(FIRST_RETRY * (1 << min(attempts, 10)), LONGEST_RETRY)
