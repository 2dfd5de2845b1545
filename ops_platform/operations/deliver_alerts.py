"""Work off the outbox: each alert due becomes one message.

A lease makes the sender the only one. What it was sending when it died, or does not know to have
arrived, is looked up in the channel before it is sent again. It never sleeps: being told to wait
becomes a later due time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops_platform.adapters.ledger import alerts, incidents, leases
from ops_platform.adapters.ledger.alerts import Alert, State
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain import incidents as domain
from ops_platform.domain.alert_message import render
from ops_platform.domain.delivery import (
    Ambiguous,
    Delivery,
    LookupUnavailable,
    RateLimited,
    Refused,
    Sent,
    Unreachable,
)
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident
from ops_platform.domain.ports import Notifier

LEASE = "deliver_alerts"
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)


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


@dataclass(slots=True)
class Sender:
    """Delivers what is due; ``mention`` returns the Slack markup that names an owner."""

    ledger: Ledger
    notifier: Notifier
    addresses: Mapping[str, Address]
    mention: Callable[[str | None], str | None]
    clock: Callable[[], datetime]
    holder: str
    lease: timedelta = timedelta(seconds=120)
    _waiting: set[str] = field(default_factory=set)

    def deliver(self, *, seconds: float, limit: int = 50) -> list[Delivered] | None:
        """Deliver until nothing is due or time is up; None while another sender has the lease."""
        deadline = self.clock() + timedelta(seconds=seconds)
        with self.ledger.transaction() as tx:
            mine = leases.take(tx, LEASE, holder=self.holder, now=self.clock(), length=self.lease)
            due = alerts.due(tx, self.clock(), limit) if mine else []
        if not mine:
            return None
        try:
            done = [self._attempt(alert) for alert in due if self.clock() < deadline]
        finally:
            with self.ledger.transaction() as tx:
                leases.give_back(tx, LEASE, holder=self.holder)
        return [each for each in done if each is not None]

    def _attempt(self, alert: Alert) -> Delivered | None:
        with self.ledger.transaction() as tx:
            incident = incidents.load(tx, alert.incident_id)
        if incident is None or self._channel(incident) in self._waiting:
            return None
        channel = self._channel(incident)
        if channel is None:
            return self._note(alert, incident, State.DEAD, reason="no channel is set")
        if alert.state != State.PENDING:
            found = self._look_up(alert, channel)
            if isinstance(found, Sent):
                return self._conclude(alert, incident, found)
            if isinstance(found, RateLimited):
                return self._later(alert, incident, found)
        elif incident.state is domain.State.RESOLVED:
            return self._note(alert, incident, State.WITHHELD, reason="resolved before it was due")
        return self._conclude(alert, incident, self._send(alert, incident, channel))

    def _look_up(self, alert: Alert, channel: str) -> Sent | RateLimited | None:
        found = self.notifier.find(
            channel=channel, metadata_key=alert.key, since=alert.sending_at or alert.due_at
        )
        match found:
            case str(ts):
                return Sent(channel=channel, ts=ts)
            case LookupUnavailable(retry_after_seconds=int(wait)):
                return RateLimited(wait)
        return None  # not there, or nobody may look: a second copy beats a lost alert

    def _send(self, alert: Alert, incident: Incident, channel: str) -> Delivery:
        links = self.addresses[incident.account].links
        message = render(incident, links=links, mention=self.mention(incident.owner))
        with self.ledger.transaction() as tx:
            alerts.change(
                tx,
                alert,
                state=State.SENDING,
                sending_at=self.clock(),
                channel=channel,
                attempts=alert.attempts + 1,
            )
        return self.notifier.post(
            channel=channel, text=message.text, blocks=message.blocks, metadata_key=alert.key
        )

    def _conclude(self, alert: Alert, incident: Incident, outcome: Delivery) -> Delivered:
        match outcome:
            case Sent(ts=ts, permalink=permalink):
                return self._note(
                    alert,
                    incident,
                    State.SENT,
                    permalink=permalink,
                    message_ts=ts,
                    sent_at=self.clock(),
                )
            case RateLimited():
                return self._later(alert, incident, outcome)
            case Refused(error=error, permanent=True):
                return self._note(alert, incident, State.DEAD, reason=error)
            case Refused(error=error) | Unreachable(error=error):
                state = State.PENDING
            case Ambiguous(error=error):
                state = State.AMBIGUOUS
        due_at = self.clock() + _backoff(alert.attempts)
        return self._note(alert, incident, state, reason=error, due_at=due_at)

    def _later(self, alert: Alert, incident: Incident, limited: RateLimited) -> Delivered:
        # The limit is the channel's: nothing else goes there in this round.
        self._waiting.add(self._channel(incident) or "")
        wait = timedelta(seconds=limited.retry_after_seconds)
        unsure = alert.state != State.PENDING
        state = State.AMBIGUOUS if unsure else State.PENDING
        reason = f"rate limited for {limited.retry_after_seconds} s"
        return self._note(alert, incident, state, reason=reason, due_at=self.clock() + wait)

    def _note(
        self,
        alert: Alert,
        incident: Incident,
        state: State,
        *,
        reason: str | None = None,
        permalink: str | None = None,
        **values: object,
    ) -> Delivered:
        with self.ledger.transaction() as tx:
            values |= {"state": state, "reason": reason, "permalink": permalink}
            alerts.change(tx, alert, **values)
        return Delivered(incident, state, self._channel(incident), reason, permalink)

    def _channel(self, incident: Incident) -> str | None:
        address = self.addresses.get(incident.account)
        return address.channel if address else None


def _backoff(attempts: int) -> timedelta:
    return min(FIRST_RETRY * (1 << min(attempts, 10)), LONGEST_RETRY)
