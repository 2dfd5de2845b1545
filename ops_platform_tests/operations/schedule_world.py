"""An account whose flows EventBridge should start, and a ledger that is told of what did."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ops_platform.adapters.ledger import state_machines
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.ports import Machine, ScheduleRule
from ops_platform.operations.find_missed_schedules import MissedSchedules, find_missed_schedules
from ops_platform.operations.ingest_events import record
from ops_platform_tests.build import ACCOUNT, ACCOUNTS, REGION, bodies
from ops_platform_tests.fake_states import FakeStepFunctions
from ops_platform_tests.fakes import FakeClock, FakeSchedules
from ops_platform_tests.ledger_world import POLICY, contents

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GRACE = 15 * MINUTE
DAILY = "cron(0 0 * * ? *)"


def a_rule(expression: str = DAILY, *, name: str = "daily", enabled: bool = True) -> ScheduleRule:
    """Return a rule."""
    arn = f"arn:aws:events:{REGION}:222222222222:rule/{name}"
    return ScheduleRule(arn=arn, expression=expression, enabled=enabled)


class ScheduleWorld:
    """One flow, deployed on Sunday at noon, in an account that is watched from then on."""

    def __init__(self, ledger: Ledger, *rules: ScheduleRule) -> None:
        self.ledger = ledger
        self.clock = FakeClock(MONDAY - DAY / 2)
        self.states = FakeStepFunctions(self.clock)
        self.arn = self.states.deploy("fraud.prod.TrainFlow", flow="TrainFlow", owner="ana")
        self.rules: dict[str, list[ScheduleRule]] = {}
        self.forbidden: set[str] = set()
        self._told = 0
        self.known(Machine(self.arn, flow="TrainFlow", owner="ana"))
        self.schedule(*rules)

    def known(self, *machines: Machine) -> None:
        """Have the ledger know machines."""
        with self.ledger.transaction() as tx:
            state_machines.remember(tx, ACCOUNT, machines, now=self.clock())

    def forget(self, arn: str) -> None:
        """Have the ledger forget a machine."""
        with self.ledger.transaction() as tx:
            state_machines.forget(tx, ACCOUNT, [arn])

    def schedule(self, *rules: ScheduleRule) -> None:
        """Have these rules start the flow from now on, and look at them once."""
        self.rules[self.arn] = list(rules)
        self.look()

    def wait_until(self, moment: datetime) -> MissedSchedules:
        """Let time pass, and look."""
        self.clock.advance(moment - self.clock())
        return self.look()

    def look(self) -> MissedSchedules:
        """Look for missed schedules."""
        return find_missed_schedules(
            self.ledger,
            account=ACCOUNT,
            schedules=FakeSchedules(self.rules, forbidden=self.forbidden),
            starts=self.states,
            policy=POLICY,
            now=self.clock(),
            grace=GRACE,
        )

    def start(self, name: str, at: datetime, *, tell: bool = True) -> str:
        """Have a run start, and tell the ledger of it unless the event is lost."""
        self.clock.advance(at - self.clock())
        arn = self.states.start(self.arn, name)
        if tell:
            self.tell()
        return arn

    def end(self, arn: str, status: str, at: datetime) -> None:
        """Have a run end, and tell the ledger."""
        self.clock.advance(at - self.clock())
        self.states.end(arn, status)
        self.tell()

    def tell(self) -> None:
        """Have the events since the last time arrive."""
        new, self._told = self.states.events[self._told :], len(self.states.events)
        record(self.ledger, bodies(new), accounts=ACCOUNTS, policy=POLICY, now=self.clock())

    @property
    def incidents(self) -> Sequence[dict[str, Any]]:
        """The incidents, in the order they were opened."""
        return sorted(contents(self.ledger)["incidents"], key=lambda row: row["opened_at"])
