"""A ledger, a Slack and a clock, and failed runs between them: what a sender works in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient

from ops_platform.adapters.ledger import alerts, incidents, silences
from ops_platform.adapters.ledger.alerts import MESSAGE, Alert
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.events import Event
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident, incident_id
from ops_platform.domain.silences import Silence
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.rates import Rates
from ops_platform.embedded.slack_inbox.store import Message
from ops_platform.embedded.slack_inbox.workspace import channel
from ops_platform.operations.compose_alert import Composer
from ops_platform.operations.deliver_alerts import Delivered, Sender
from ops_platform.operations.find_owner import OwnerFinder
from ops_platform.operations.ingest_events import record
from ops_platform.operations.plan_alerts import plan
from ops_platform.settings.slack import Person, SlackSettings
from ops_platform_tests.build import ACCOUNTS, NOON, REGION, ROUTING, bodies
from ops_platform_tests.fakes import FakeClock
from ops_platform_tests.operations.failing_runs import Run

Mention = Callable[[str | None], str | None]

SETTLE = timedelta(seconds=60)
UPDATE = timedelta(seconds=30)
LEASE = timedelta(seconds=120)
FALLBACK = "#fallback"
CHANNELS = {"staging": "#alerts-staging", "production": "#alerts-production"}
POLICY = AlertPolicy(settle=SETTLE, max_age=timedelta(hours=24), routing=ROUTING, update=UPDATE)
OWNERS = SlackSettings(
    owners={"ada": Person(slack_user="U0ADA00001"), "grace": Person(slack_user="U0GRACE001")}
)


@dataclass(slots=True)
class World:
    """Where alerts are delivered; ``failed_run`` makes one that is due once ``SETTLE`` is over."""

    ledger: Ledger
    inbox: SlackInbox
    clock: FakeClock
    policy: AlertPolicy = POLICY
    fallback: str | None = None
    understood: list[str] = field(default_factory=list)

    def configure(self, **policy: Any) -> None:
        """Change the settings."""
        self.policy = replace(self.policy, **policy)

    def failed_run(self, run: str, *, account: str = "staging", status: str = "FAILED") -> str:
        """Record a run that failed just now, or came to another end; return its incident's id."""
        return self.happened(Run(run, account=account), status)

    def happened(self, run: Run, status: str = "FAILED", *, replayed: bool = False) -> str:
        """Record the end of a run, just now; return the id of its incident."""
        return self.came(run.arn, *run.ended(self.clock(), status), replayed=replayed)

    def came(self, arn: str, *events: Event, replayed: bool = False) -> str:
        """Record events; return the id of the incident of an execution."""
        policy = replace(self.policy, replayed=replayed)
        record(self.ledger, bodies(events), accounts=ACCOUNTS, policy=policy, now=self.clock())
        return incident_id(arn)

    def resolved_by_hand(self, incident: str) -> None:
        """Resolve an incident as an operator does."""
        with self.ledger.transaction() as tx:
            resolved = incidents.resolve(tx, incident, by="ada: known", now=self.clock())
            assert resolved is not None
            plan(tx, resolved, policy=self.policy, now=self.clock())

    def silenced(self, *, hours: float = 1, **patterns: Any) -> Silence:
        """Mute what matches."""
        with self.ledger.transaction() as tx:
            return silences.add(
                tx,
                author="ada",
                reason="maintenance",
                now=self.clock(),
                ends_at=self.clock() + timedelta(hours=hours),
                **patterns,
            )

    def heard_again(self, silence: Silence) -> None:
        """End a silence early."""
        with self.ledger.transaction() as tx:
            assert silences.expire(tx, silence.id, by="ada", now=self.clock())

    def wait(self, **by: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**by))

    def settle(self) -> None:
        """Let the settle time pass."""
        self.clock.advance(SETTLE)

    def update(self) -> None:
        """Let the time pass after which a message is edited."""
        self.clock.advance(UPDATE)

    def notifier(self, *, timeout: int = 10) -> SlackNotifier:
        """Return the way to the inbox, over HTTP."""
        return SlackNotifier(client_of(self.inbox.api_url, timeout=timeout))

    def sender(
        self, holder: str = "one", *, timeout: int = 10, mention: Mention | None = None
    ) -> Sender:
        """Return a sender at work in this world."""
        return replace(
            sender(
                self.ledger,
                self.notifier(timeout=timeout),
                clock=self.clock,
                holder=holder,
                policy=self.policy,
                mention=mention,
                fallback=self.fallback,
            ),
            understand=lambda incident: self.understood.append(incident.id),
        )

    def deliver(
        self,
        holder: str = "one",
        *,
        seconds: float = 30,
        timeout: int = 10,
        mention: Mention | None = None,
    ) -> list[str] | None:
        """Deliver once; return what became of the channels' messages, not of their threads."""
        one = self.sender(holder, timeout=timeout, mention=mention)
        return states(one.deliver(seconds=seconds))

    def delivered(self) -> list[tuple[str, str]]:
        """Deliver once; return part and state of each attempt."""
        done = self.sender().deliver(seconds=30)
        assert done is not None
        return [(each.part, str(each.state)) for each in done]

    def until_quiet(self, *, rounds: int = 200, seconds: float = 10) -> None:
        """Deliver, as often as the sensor would, until nothing is left to do."""
        for _ in range(rounds):
            self.deliver()
            if not self.waiting():
                return
            self.wait(seconds=seconds)
        raise AssertionError(self.waiting())

    def waiting(self) -> list[Alert]:
        """Return what is still to be delivered."""
        return [one for one in self.alerts() if one.state in alerts.OPEN]

    def alerts(self) -> list[Alert]:
        """Return all messages of the outbox."""
        with self.ledger.transaction() as tx:
            ids = [str(row["id"]) for row in incidents.recent(tx, Filter())]
            return [alert for one in ids for alert in alerts.of_incident(tx, one)]

    def alert(self, incident: str, part: str = MESSAGE) -> Alert:
        """Return the one alert of an incident, or a part of its thread."""
        (alert,) = (one for one in self.alerts() if (one.incident_id, one.part) == (incident, part))
        return alert

    def incident(self, incident: str) -> Incident:
        """Return an incident."""
        with self.ledger.transaction() as tx:
            found = incidents.load(tx, incident)
        assert found is not None
        return found

    def parts(self, incident: str) -> dict[str, str]:
        """Return the state of each part of an incident's alert."""
        return {one.part: str(one.state) for one in self.alerts() if one.incident_id == incident}

    def alerts_sent(self) -> int:
        """Return how many messages the ledger counts in all."""
        with self.ledger.transaction() as tx:
            return sum(row["alerts_sent"] for row in incidents.recent(tx, Filter()))

    def messages(self, account: str = "staging") -> list[Message]:
        """Return what stands in the channel of an account, without the threads."""
        return self.posted(CHANNELS[account])

    def posted(self, name: str) -> list[Message]:
        """Return what stands in a channel, without the threads."""
        return [message for message in self.inbox.messages(name) if not message.is_reply]

    def thread(self, account: str = "staging") -> list[Message]:
        """Return what stands in the thread of the only message of an account's channel."""
        (message,) = self.messages(account)
        return self.inbox.replies(message)

    def edits(self) -> int:
        """Return how often Slack was asked to edit a message."""
        return len(self.inbox.calls("chat.update"))


@contextmanager
def world_around(ledger: Ledger, *, rates: Rates | None = None) -> Iterator[World]:
    """Yield a world around a ledger, at noon."""
    clock = FakeClock(NOON)
    names = [*CHANNELS.values(), FALLBACK, "#elsewhere"]
    channels = [channel(name.removeprefix("#")) for name in names]
    with SlackInbox(channels=channels, clock=lambda: clock().timestamp(), rates=rates) as inbox:
        yield World(ledger, inbox, clock)


def sender(
    ledger: Ledger,
    notifier: SlackNotifier,
    *,
    clock: Callable[[], datetime],
    holder: str,
    policy: AlertPolicy = POLICY,
    mention: Mention | None = None,
    fallback: str | None = None,
) -> Sender:
    """Return a sender for both accounts."""
    links = Links(region=REGION, metaflow_ui="https://metaflow.example.com")
    return Sender(
        ledger=ledger,
        notifier=notifier,
        composer=Composer(
            dict.fromkeys(CHANNELS, links), mention or OwnerFinder(OWNERS, notifier).mention
        ),
        policy=policy,
        clock=clock,
        holder=holder,
        fallback_channel=fallback,
        lease=LEASE,
    )


def states(delivered: list[Delivered] | None) -> list[str] | None:
    """Return what a round came to, each attempt at a message of a channel as one word."""
    if delivered is None:
        return None
    return [str(each.state) for each in delivered if each.part == MESSAGE]


def client_of(base_url: str, *, timeout: int = 10) -> WebClient:
    """Return a client that tries nothing twice and gives up soon."""
    return WebClient("xoxb-test", base_url=base_url, timeout=timeout, retry_handlers=[])


def end_of_run(run: str, account: str, at: datetime, status: str) -> list[Event]:
    """Return the events of the jobs that failed, and that of their run."""
    return Run(run, account=account).ended(at, status)
