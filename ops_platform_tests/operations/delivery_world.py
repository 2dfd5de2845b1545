"""A ledger, a Slack and a clock, and failed runs between them: what a sender works in."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk import WebClient

from ops_platform.adapters.ledger import alerts, incidents
from ops_platform.adapters.ledger.alerts import Alert
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import AlertPolicy, incident_id
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.store import Message
from ops_platform.embedded.slack_inbox.workspace import channel
from ops_platform.operations.deliver_alerts import Address, Sender
from ops_platform.operations.find_owner import OwnerFinder
from ops_platform.operations.ingest_events import record
from ops_platform.settings.slack import Person, SlackSettings
from ops_platform_tests.fakes import FakeClock

Mention = Callable[[str | None], str | None]

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SETTLE = timedelta(seconds=60)
LEASE = timedelta(seconds=120)
ACCOUNTS = {"111111111111": "staging", "222222222222": "production"}
CHANNELS = {"staging": "#alerts-staging", "production": "#alerts-production"}
POLICY = AlertPolicy(settle=SETTLE, max_age=timedelta(hours=24))
OWNERS = SlackSettings(owners={"ada": Person(slack_user="U0ADA00001")})


@dataclass(slots=True)
class World:
    """Where alerts are delivered; ``failed_run`` makes one that is due once ``SETTLE`` is over."""

    ledger: Ledger
    inbox: SlackInbox
    clock: FakeClock
    timeout: int = 2
    owners: SlackSettings = OWNERS
    channels: Mapping[str, str | None] = field(default_factory=lambda: CHANNELS)

    def failed_run(self, run: str, *, account: str = "staging", status: str = "FAILED") -> str:
        """Record a run that failed just now, or came to another end; return its incident's id."""
        bodies = [_job(run, account, self.clock()), _execution(run, account, self.clock(), status)]
        self.record(*bodies)
        return incident_id(_arn(run, account))

    def record(self, *events: Mapping[str, Any], policy: AlertPolicy = POLICY) -> None:
        """Put events into the ledger, as the ingest does."""
        bodies = [json.dumps(event).encode() for event in events]
        record(self.ledger, bodies, accounts=ACCOUNTS, policy=policy, now=self.clock())

    def wait(self, **by: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**by))

    def settle(self) -> None:
        """Let the settle time pass."""
        self.clock.advance(SETTLE)

    def notifier(self) -> SlackNotifier:
        """Return the way to the inbox, over HTTP."""
        return SlackNotifier(client_of(self.inbox.api_url, timeout=self.timeout))

    def sender(self, holder: str = "one", mention: Mention | None = None) -> Sender:
        """Return a sender that posts to the inbox."""
        notifier = self.notifier()
        return Sender(
            ledger=self.ledger,
            notifier=notifier,
            addresses=addresses(self.channels),
            mention=mention or OwnerFinder(self.owners, notifier).mention,
            clock=self.clock,
            holder=holder,
            lease=LEASE,
        )

    def deliver(
        self, holder: str = "one", *, seconds: float = 30, mention: Mention | None = None
    ) -> list[str] | None:
        """Deliver once; return the states that the attempts came to."""
        delivered = self.sender(holder, mention).deliver(seconds=seconds)
        return None if delivered is None else [str(each.state) for each in delivered]

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
def world_on(database_url: str) -> Iterator[World]:
    """Yield a world whose ledger is that database."""
    clock = FakeClock(NOON)
    ledger = Ledger(database_url)
    try:
        with inbox_at(lambda: clock().timestamp()) as inbox:
            yield World(ledger, inbox, clock)
    finally:
        ledger.close()


def inbox_at(clock: Callable[[], float]) -> SlackInbox:
    """Return an inbox with the channels of both accounts."""
    return SlackInbox(channels=[channel(name[1:]) for name in CHANNELS.values()], clock=clock)


def client_of(base_url: str, *, timeout: int = 2) -> WebClient:
    """Return a client that tries nothing twice and gives up soon."""
    return WebClient("xoxb-test", base_url=base_url, timeout=timeout, retry_handlers=[])


def addresses(channels: Mapping[str, str | None] = CHANNELS) -> dict[str, Address]:
    """Return the addresses of the accounts."""
    links = Links(region="eu-central-1", metaflow_ui="https://metaflow.example.com")
    return {account: Address(name, links) for account, name in channels.items()}


def _arn(run: str, account: str) -> str:
    number = {name: number for number, name in ACCOUNTS.items()}[account]
    return f"arn:aws:states:eu-central-1:{number}:execution:TrainFlow:{run}"


def _envelope(
    kind: str, name: str, account: str, at: datetime, detail: Mapping[str, Any]
) -> dict[str, Any]:
    number = {name: number for number, name in ACCOUNTS.items()}[account]
    return {
        "id": f"{account}-{name}",
        "detail-type": kind,
        "time": f"{at:%FT%TZ}",
        "account": number,
        "region": "eu-central-1",
        "detail": detail,
    }


def _execution(run: str, account: str, at: datetime, status: str) -> dict[str, Any]:
    arn = _arn(run, account)
    detail = {
        "executionArn": arn,
        "stateMachineArn": arn.rpartition(":")[0].replace(":execution:", ":stateMachine:"),
        "name": run,
        "status": status,
        "startDate": _millis(at - timedelta(minutes=5)),
        "stopDate": _millis(at),
        "error": "States.TaskFailed" if status == "FAILED" else None,
        "input": json.dumps({"Parameters": "{}"}),
    }
    kind = "Step Functions Execution Status Change"
    return _envelope(kind, f"{run}-{status}-{_millis(at)}", account, at, detail)


def _job(run: str, account: str, at: datetime) -> dict[str, Any]:
    names = {"owner": "ada", "user": "SFN", "flow_name": "TrainFlow", "step_name": "train"}
    detail = {
        "jobId": f"job-{account}-{run}",
        "jobName": "SFN-TrainFlow--train--",
        "jobQueue": "arn:aws:batch:eu-central-1:111111111111:job-queue/metaflow",
        "status": "FAILED",
        "stoppedAt": _millis(at - timedelta(seconds=2)),
        "container": {"exitCode": 1},
        "parameters": {f"metaflow.{key}": value for key, value in names.items()}
        | {"metaflow.run_id": run},
    }
    return _envelope("Batch Job State Change", f"{run}-job", account, at, detail)


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
