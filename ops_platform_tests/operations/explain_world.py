"""A ledger that knows a part of a failed run, and the AWS account that knows more."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ops_platform.adapters.ledger import incidents, job_logs
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.domain.events import Event
from ops_platform.domain.incidents import Incident
from ops_platform.domain.ports import JobLogs
from ops_platform.domain.story import JobLog
from ops_platform.operations.explain_failures import explain
from ops_platform.operations.ingest_events import record
from ops_platform_tests.build import ACCOUNT, ACCOUNTS, after, bodies
from ops_platform_tests.fake_batch import FakeBatchJobs, FakeHistories
from ops_platform_tests.fakes import FakeClock, FakeLogs
from ops_platform_tests.ledger_world import POLICY


@dataclass(slots=True)
class World:
    """Everything that `explain` is given, each part to be exchanged by a test."""

    ledger: Ledger
    jobs: FakeBatchJobs = field(default_factory=FakeBatchJobs)
    history: FakeHistories = field(default_factory=FakeHistories)
    logs: JobLogs = field(default_factory=lambda: FakeLogs({}))
    clock: FakeClock = field(default_factory=lambda: FakeClock(after(120)))

    def arrive(self, *events: Event) -> None:
        """Record events as they come from a queue."""
        now = self.clock()
        record(self.ledger, bodies(events), accounts=ACCOUNTS, policy=POLICY, now=now)

    def explain(self, *, seconds: float = 20) -> Sequence[str]:
        """Explain the only incident there is; return what was said."""
        return explain(
            self.ledger,
            self.incident(),
            jobs=self.jobs,
            history=self.history,
            logs=self.logs,
            policy=POLICY,
            clock=self.clock,
            seconds=seconds,
        )

    def incident(self) -> Incident:
        """Return the only incident there is, as it is now."""
        with self.ledger.transaction() as tx:
            (row,) = incidents.recent(tx, Filter())
            found = incidents.load(tx, row["id"])
        assert found is not None
        return found

    def log(self) -> JobLog | None:
        """Return what was kept of the log of the first root failure."""
        job_id = self.incident().job_id
        with self.ledger.transaction() as tx:
            return job_logs.load(tx, ACCOUNT, job_id) if job_id else None

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(seconds=seconds))
