"""A ledger, a Slack and a clock, and failed runs between them: what a sender works in."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from slack_sdk import WebClient

from ops_platform.adapters.ledger import alerts, incidents
from ops_platform.adapters.ledger.alerts import Alert
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.events import Event
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import incident_id
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.store import Message
from ops_platform.embedded.slack_inbox.workspace import channel
from ops_platform.operations.deliver_alerts import Address, Delivered, Sender
from ops_platform.operations.find_owner import OwnerFinder
from ops_platform.operations.ingest_events import record
from ops_platform.settings.slack import Person, SlackSettings
from ops_platform_tests.build import (
    ACCOUNTS,
    NOON,
    REGION,
    ROUTING,
    a_job_event,
    an_execution_event,
    bodies,
)
from ops_platform_tests.fakes import FakeClock

Mention = Callable[[str | None], str | None]

SETTLE = timedelta(seconds=60)
LEASE = timedelta(seconds=120)
_NUMBERS = {name: number for number, name in ACCOUNTS.items()}
CHANNELS = {"staging": "#alerts-staging", "production": "#alerts-production"}
POLICY = AlertPolicy(settle=SETTLE, max_age=timedelta(hours=24), routing=ROUTING)
OWNERS = SlackSettings(owners={"ada": Person(slack_user="U0ADA00001")})


@dataclass(slots=True)
class World:
    """Where alerts are delivered; ``failed_run`` makes one that is due once ``SETTLE`` is over."""

    ledger: Ledger
    inbox: SlackInbox
    clock: FakeClock
    channels: Mapping[str, str | None] = field(default_factory=lambda: CHANNELS)

    def failed_run(self, run: str, *, account: str = "staging", status: str = "FAILED") -> str:
        """Record a run that failed just now, or came to another end; return its incident's id."""
        events = end_of_run(run, account, self.clock(), status)
        record(self.ledger, bodies(events), accounts=ACCOUNTS, policy=POLICY, now=self.clock())
        return incident_id(_arn(run, account))

    def wait(self, **by: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**by))

    def settle(self) -> None:
        """Let the settle time pass."""
        self.clock.advance(SETTLE)

    def notifier(self, *, timeout: int = 10) -> SlackNotifier:
        """Return the way to the inbox, over HTTP."""
        return SlackNotifier(client_of(self.inbox.api_url, timeout=timeout))

    def deliver(
        self,
        holder: str = "one",
        *,
        seconds: float = 30,
        timeout: int = 10,
        mention: Mention | None = None,
    ) -> list[str] | None:
        """Deliver once; return the states that the attempts came to."""
        one = sender(
            self.ledger,
            self.notifier(timeout=timeout),
            clock=self.clock,
            holder=holder,
            mention=mention,
            channels=self.channels,
        )
        return states(one.deliver(seconds=seconds))

    def alert(self, incident: str) -> Alert:
        """Return the one alert of an incident."""
        with self.ledger.transaction() as tx:
            (alert,) = alerts.of_incident(tx, incident)
        return alert

    def alerts_sent(self) -> int:
        """Return how many messages the ledger counts in all."""
        with self.ledger.transaction() as tx:
            return sum(row["alerts_sent"] for row in incidents.recent(tx, Filter()))

    def messages(self, account: str = "staging") -> list[Message]:
        """Return what stands in the channel of an account."""
        return self.inbox.messages(CHANNELS[account])


@contextmanager
def world_around(ledger: Ledger) -> Iterator[World]:
    """Yield a world around a ledger, at noon."""
    clock = FakeClock(NOON)
    channels = [channel(name.removeprefix("#")) for name in CHANNELS.values()]
    with SlackInbox(channels=channels, clock=lambda: clock().timestamp()) as inbox:
        yield World(ledger, inbox, clock)


def sender(
    ledger: Ledger,
    notifier: SlackNotifier,
    *,
    clock: Callable[[], datetime],
    holder: str,
    mention: Mention | None = None,
    channels: Mapping[str, str | None] = CHANNELS,
) -> Sender:
    """Return a sender for both accounts."""
    links = Links(region=REGION, metaflow_ui="https://metaflow.example.com")
    return Sender(
        ledger=ledger,
        notifier=notifier,
        addresses={account: Address(name, links) for account, name in channels.items()},
        mention=mention or OwnerFinder(OWNERS, notifier).mention,
        clock=clock,
        holder=holder,
        lease=LEASE,
    )


def states(delivered: list[Delivered] | None) -> list[str] | None:
    """Return what a round came to, each attempt as one word."""
    return None if delivered is None else [str(each.state) for each in delivered]


def client_of(base_url: str, *, timeout: int = 10) -> WebClient:
    """Return a client that tries nothing twice and gives up soon."""
    return WebClient("xoxb-test", base_url=base_url, timeout=timeout, retry_handlers=[])


def _arn(run: str, account: str) -> str:
    return f"arn:aws:states:{REGION}:{_NUMBERS[account]}:execution:TrainFlow:{run}"


def end_of_run(run: str, account: str, at: datetime, status: str) -> list[Event]:
    """Return the event of the job that failed, and that of its run."""
    job = a_job_event(
        id=f"{account}-{run}-job",
        aws_account_id=_NUMBERS[account],
        job_id=f"job-{account}-{run}",
        run_id=f"sfn-{run}",
        owner="ada",
        time=at,
        status="FAILED",
        exit_code=1,
        stopped_at=at - timedelta(seconds=2),
    )
    execution = an_execution_event(
        id=f"{account}-{run}-{at:%H%M%S}",
        aws_account_id=_NUMBERS[account],
        execution_arn=_arn(run, account),
        machine_arn=f"arn:aws:states:{REGION}:{_NUMBERS[account]}:stateMachine:TrainFlow",
        name=run,
        time=at,
        stopped_at=at,
        status=status,
    )
    return [job, execution]
