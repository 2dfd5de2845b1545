"""One account whose events can be lost, and the reconciliation that reads its API."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import Event
from ops_platform.operations.ingest_events import record
from ops_platform.operations.reconcile_executions import Reconciled, Reconciler
from ops_platform_tests.build import ACCOUNT, ACCOUNTS, NOON, bodies
from ops_platform_tests.fake_states import FakeStepFunctions
from ops_platform_tests.fakes import FakeClock
from ops_platform_tests.ledger_world import POLICY, alerts

INTERVAL = timedelta(minutes=5)


@dataclass
class World:
    """An account, the ledger, and a clock that both go by."""

    ledger: Ledger
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))
    policy: Any = POLICY
    api: FakeStepFunctions = field(init=False)
    flow: str = field(init=False)

    def __post_init__(self) -> None:
        """Deploy one flow."""
        self.api = FakeStepFunctions(self.clock)
        self.flow = self.api.deploy("fraud.prod.TrainFlow", flow="TrainFlow", owner="ana")

    def wait(self, **by: float) -> datetime:
        """Let time pass; return the time then."""
        self.clock.advance(timedelta(**by))
        return self.clock()

    def fail(self, name: str, *, machine: str | None = None, after: float = 60) -> str:
        """Run an execution that fails after so many seconds; its events are not delivered."""
        arn = self.api.start(machine or self.flow, name)
        self.wait(seconds=after)
        self.api.end(arn, "FAILED", error="States.TaskFailed", cause="it broke")
        return arn

    def deliver(self, *events: Event) -> None:
        """Bring events as messages, all that there were if none is named."""
        told = events or self.api.events
        record(
            self.ledger,
            bodies(told),
            accounts=ACCOUNTS,
            policy=self.policy,
            now=self.clock(),
        )

    def watch(self) -> None:
        """Begin to watch the account, and see nothing; then half an hour passes."""
        self.reconcile()
        self.wait(minutes=30)

    def reconcile(self, *, seconds: float | None = None, **changes: Any) -> Reconciled:
        """Reconcile the account once."""
        reconciler = Reconciler(
            ledger=self.ledger,
            api=self.api,
            account=ACCOUNT,
            policy=self.policy,
            clock=self.clock,
            look_back=timedelta(hours=24),
            interval=INTERVAL,
        )
        return replace(reconciler, **changes).reconcile(seconds=seconds)

    def statuses(self) -> dict[str, str]:
        """Return the status of each execution in the ledger by its name."""
        return {row["name"]: row["status"] for row in self.rows(schema.executions)}

    def incidents(self) -> dict[str, str]:
        """Return the state of each incident by its run."""
        return {
            row["run_id"].removeprefix("sfn-"): row["state"] for row in self.rows(schema.incidents)
        }

    def told(self) -> list[tuple[str, str | None]]:
        """Return state and reason of the alerts that there are."""
        return [(alert["state"], alert["reason"]) for alert in alerts(self.ledger)]

    def watermarks(self) -> dict[str, datetime | None]:
        """Return up to when each machine's executions are read, by its name."""
        return {
            row["arn"].rpartition(":")[2]: row["reconciled_until"]
            for row in self.rows(schema.state_machines)
        }

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """Return the rows of a table."""
        with self.ledger.transaction() as tx:
            found = tx.execute(sa.select(table).order_by(*table.primary_key.columns))
            return [dict(row) for row in found.mappings()]
