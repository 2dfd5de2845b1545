"""A ledger with an afternoon's metrics, and a CloudWatch that they are published to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.published import Target
from ops_platform.domain.cloudwatch_ports import MetricSink, Receipt, Took
from ops_platform.domain.events import Event
from ops_platform.domain.hours import HOUR, Hours
from ops_platform.domain.metric_data import Datum
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.operations.ingest_events import record
from ops_platform.operations.publish_metrics import Published, publish_metrics
from ops_platform.operations.roll_up_metrics import roll_up_hours
from ops_platform_tests.build import ACCOUNTS, NOON, bodies
from ops_platform_tests.build_runs import a_failing_run
from ops_platform_tests.fake_cloudwatch import FakeCloudWatch
from ops_platform_tests.ledger_world import POLICY

TARGET = Target("production", "OpsPlatform")
FOUR = NOON + 4 * HOUR
HOURS = Hours(NOON, NOON + 3 * HOUR)
"""What has settled by four: the hours until three."""
CHOSEN = ("account", "queue", "flow")


class KilledError(BaseException):
    """The process ends here, as nothing that catches errors can tell."""


@dataclass(slots=True)
class Killing:
    """A CloudWatch in front of which the process is killed, before or after a request arrives."""

    behind: FakeCloudWatch
    arrives: bool

    def send(self, namespace: str, data: Sequence[Datum]) -> Receipt:
        """Let it arrive or not, and never return."""
        if self.arrives:
            self.behind.send(namespace, data)
        raise KilledError

    def has(self, namespace: str, datum: Datum) -> bool:
        """Look into the CloudWatch behind."""
        return self.behind.has(namespace, datum)


class Mute(FakeCloudWatch):
    """A CloudWatch that takes data and may not be asked for any."""

    def has(self, namespace: str, datum: Datum) -> bool:
        """Refuse."""
        raise AwsError(
            f"Could not see whether {namespace} has {datum.metric}.", code="AccessDenied"
        )


@dataclass(slots=True)
class Publishing:
    """The platform's side: a ledger, and the time by which it publishes."""

    ledger: Ledger
    outcomes: Iterable[Took] = ()
    lost: bool = False
    now: datetime = FOUR
    cloudwatch: FakeCloudWatch = field(init=False)

    def __post_init__(self) -> None:
        self.cloudwatch = FakeCloudWatch(
            clock=lambda: self.now, outcomes=self.outcomes, lost=self.lost
        )

    def happen(self, told: Iterable[Event] | None = None) -> None:
        """Let a run fail at noon, or something else happen, and compute the hours."""
        events = a_failing_run() if told is None else told
        record(self.ledger, bodies(events), accounts=ACCOUNTS, policy=POLICY, now=self.now)
        self.compute()

    def compute(self) -> None:
        """Compute every hour from noon until now."""
        hours = Hours(NOON, self.now.replace(minute=0) + HOUR)
        roll_up_hours(self.ledger, hours, prices=DEFAULT_PRICES, now=self.now)

    def publish(
        self, sink: MetricSink | None = None, *, dimensions: Sequence[str] = CHOSEN
    ) -> Published:
        """Publish what is due."""
        return publish_metrics(
            self.ledger,
            sink or self.cloudwatch,
            TARGET,
            dimensions=dimensions,
            clock=lambda: self.now,
        )

    def later(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by
