"""A ledger with an afternoon's metrics, and a CloudWatch that they are published to."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.ledger import watched
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.adapters.ledger.published import Target
from ops_platform.adapters.ledger.schema import metric_requests, published_hours
from ops_platform.domain.cloudwatch_ports import MetricSink, Receipt, Took
from ops_platform.domain.events import Event
from ops_platform.domain.hours import HOUR, Hours
from ops_platform.domain.metric import Noun
from ops_platform.domain.metric_data import Datum
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.operations.ingest_events import record
from ops_platform.operations.publish_metrics import Published, publish_metrics
from ops_platform.operations.roll_up_metrics import roll_up_hours
from ops_platform_tests.build import ACCOUNT, ACCOUNTS, NOON, bodies
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
class Steps:
    """Counts what a run leaves behind it, and kills it at one such step; 0 lets it live."""

    kill_at: int = 0
    done: int = 0

    def reach(self) -> None:
        """Take one more step."""
        self.done += 1
        if self.done == self.kill_at:
            raise KilledError


class SteppingLedger(Ledger):
    """A ledger with a step before and after each commit that writes something."""

    def __init__(self, url: str, steps: Steps) -> None:
        super().__init__(url)
        self._steps = steps

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Take a step at each side of a commit."""
        with super().transaction() as tx:
            yield tx
            wrote = tx.scalar(sa.text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL"))
            if wrote:
                self._steps.reach()
        if wrote:
            self._steps.reach()


@dataclass(slots=True)
class Stepping:
    """A CloudWatch with a step before a request arrives, and one before its answer does."""

    behind: FakeCloudWatch
    steps: Steps

    def send(self, namespace: str, data: Sequence[Datum]) -> Receipt:
        """Let it arrive."""
        self.steps.reach()
        receipt = self.behind.send(namespace, data)
        self.steps.reach()
        return receipt

    def has(self, namespace: str, datum: Datum) -> bool:
        """Look into the CloudWatch behind."""
        return self.behind.has(namespace, datum)


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
    nouns: Sequence[Noun] = tuple(Noun)
    cloudwatch: FakeCloudWatch = field(init=False)

    def __post_init__(self) -> None:
        self.cloudwatch = FakeCloudWatch(
            clock=lambda: self.now, outcomes=self.outcomes, lost=self.lost
        )

    def happen(self, told: Iterable[Event] | None = None) -> None:
        """Let a run fail at noon, or something else happen, and compute the hours."""
        events = a_failing_run() if told is None else told
        with self.ledger.transaction() as tx:
            watched.begin(tx, [ACCOUNT], NOON)
        record(self.ledger, bodies(events), accounts=ACCOUNTS, policy=POLICY, now=self.now)
        self.compute()

    def compute(self) -> None:
        """Compute every hour from noon until now."""
        hours = Hours(NOON, self.now.replace(minute=0) + HOUR)
        roll_up_hours(self.ledger, hours, self.nouns, prices=DEFAULT_PRICES, now=self.now)

    def publish(
        self,
        sink: MetricSink | None = None,
        *,
        dimensions: Sequence[str] = CHOSEN,
        ledger: Ledger | None = None,
    ) -> Published:
        """Publish what is due."""
        return publish_metrics(
            ledger or self.ledger,
            sink or self.cloudwatch,
            TARGET,
            dimensions=dimensions,
            clock=lambda: self.now,
        )

    def forget(self) -> None:
        """Have published nothing."""
        with self.ledger.transaction() as tx:
            for table in (published_hours, metric_requests):
                tx.execute(sa.delete(table))

    def later(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by
