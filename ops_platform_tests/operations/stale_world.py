"""An account whose jobs wait, the ledger that hears of them or not, and the cleanup at work."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.adapters.ledger import cancellations, schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.reasons import STALE_MARK
from ops_platform.domain.stale_policy import Policies, Policy
from ops_platform.domain.staleness import Judged
from ops_platform.operations.clean_queues import Cleaner
from ops_platform.operations.cleaned import Cleaned
from ops_platform.operations.ingest_events import record
from ops_platform_tests.build import (
    ACCOUNT,
    ACCOUNTS,
    MACHINE_ARN,
    NOON,
    an_execution_event,
    bodies,
)
from ops_platform_tests.fake_queues import FakeQueues, FakeRunStopper
from ops_platform_tests.fakes import FakeClock
from ops_platform_tests.ledger_world import POLICY

HUGE = 999
"""More vCPUs than anything has."""


@dataclass
class World:
    """One account with a queue of 8 vCPUs at most, which starts nothing unless it is told to."""

    ledger: Ledger
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))
    policies: Policies = field(default_factory=Policies)
    batch: FakeQueues = field(init=False)
    stopper: FakeRunStopper = field(init=False)
    slept: list[float] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the account."""
        self.batch = FakeQueues(self.clock)
        self.stopper = FakeRunStopper()
        self.batch.queue("flows")

    def want(self, *, most: int = 50, breaker: int = 10, **policy: Any) -> None:
        """Change the settings."""
        self.policies = Policies(Policy(**policy), breaker_runs=breaker, most=most)

    def wait(self, **by: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**by))

    def submit(self, queue: str = "flows", *, heard: bool = True, **asked: Any) -> str:
        """Submit a job that waits from now on; return its id."""
        job_id = self.batch.submit(queue, **{"run": f"run-{len(self.batch.api.jobs)}", **asked})
        if heard:
            self.hear(job_id)
        return job_id

    def unfit(self, queue: str = "flows", **asked: Any) -> str:
        """Submit a job that fits nothing its queue has."""
        return self.submit(queue, vcpus=HUGE, **asked)

    def hear(self, *job_ids: str) -> None:
        """Bring the events that tell how jobs are now."""
        self.record(*(self.batch.event(job_id) for job_id in job_ids))

    def record(self, *events: Any) -> None:
        """Bring events."""
        told = bodies(events)
        record(self.ledger, told, accounts=ACCOUNTS, policy=POLICY, now=self.clock())

    def execution(self, run: str, **changes: Any) -> str:
        """Let the execution of a run be known; return its ARN."""
        arn = f"{MACHINE_ARN.replace(':stateMachine:', ':execution:')}:{run}"
        known = {"id": f"execution-{run}", "name": run, "execution_arn": arn, **changes}
        self.record(an_execution_event(**known))
        return arn

    def cleaner(self, *, api: AwsBatchQueues | None = None, **changes: Any) -> Cleaner:
        """Return one that cleans the account."""
        given: dict[str, Any] = {
            "ledger": self.ledger,
            "api": api or self.batch.batch(),
            "types": self.batch.types,
            "runs": self.stopper,
            "account": ACCOUNT,
            "policies": self.policies,
            "clock": self.clock,
            "asked_by": "the schedule",
            "sleep": self.slept.append,
        }
        return Cleaner(**{**given, **changes})

    def clean(self, *, enforce: bool = True, **options: Any) -> Cleaned:
        """Clean the account once."""
        return self.cleaner().clean(enforce=enforce, show=self.seen.append, **options)

    def ended_by_us(self) -> list[str]:
        """Return the jobs that Batch has cancelled at our request."""
        return [
            job.id
            for job in self.batch.api.jobs.values()
            if job.status == "FAILED" and str(job.detail.get("statusReason")).startswith(STALE_MARK)
        ]

    def records(self) -> list[Cancellation]:
        """Return what was done, the first first."""
        with self.ledger.transaction() as tx:
            return cancellations.recent(tx)[::-1]

    def outcomes(self) -> dict[str, str]:
        """Return what came of each job whose end was asked for."""
        return {each.job_id: str(each.outcome) for each in self.records()}

    def calls(self, action: str) -> int:
        """Return how often Batch was called."""
        return self.batch.api.requests[action]

    def everything(self) -> list[Any]:
        """Return all that a dry run must not change, to compare."""
        tables = (
            schema.cancellations,
            schema.incidents,
            schema.alerts,
            schema.leases,
            schema.jobs,
            schema.queues,
        )
        with self.ledger.transaction() as tx:
            rows = [tx.execute(sa.select(table)).all() for table in tables]
        states = {job.id: dict(job.detail) for job in self.batch.api.jobs.values()}
        return [rows, states]


def before(world: World, action: str, number: int, happens: Callable[[], object]) -> None:
    """Let something happen before a call of Batch is answered."""

    def on_call(called: str) -> None:
        if called == action and world.calls(action) == number:
            happens()

    world.batch.api.on_call = on_call


def retry(world: World, job: str) -> None:
    """Let a job start, fail and wait again, of which no event has come yet."""
    world.batch.run(job)
    world.wait(seconds=1)
    world.batch.retry(job)


def verdicts(cleaned: Cleaned) -> dict[str, tuple[str, str]]:
    """Return what became of the jobs that are shown."""
    return {each.waiting.id: _verdict(each) for each in cleaned.judged}


def counts(cleaned: Cleaned) -> Counter[tuple[str, str]]:
    """Return how many were judged how."""
    found = {(str(key[0]), str(key[1])): number for key, number in cleaned.counts.items()}
    return +Counter(found)


def _verdict(judged: Judged) -> tuple[str, str]:
    return str(judged.verdict.decision), str(judged.verdict.why)
