"""Production in memory with a flow in it, a real ledger, and promotions between them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec

from ops_platform.adapters.ledger import deployments, flow_locks
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.domain.checks import LOADS
from ops_platform.domain.definition_shape import shape
from ops_platform.domain.deployed_machines import Rule
from ops_platform.domain.deployers import Expected, PromotionPolicy
from ops_platform.domain.deployments import Deployment, digest_of
from ops_platform.domain.findings import Report
from ops_platform.domain.machine_definitions import read_machine
from ops_platform.domain.promotions import Kind, Request, request_id
from ops_platform.operations.adopt_flow import Adoption
from ops_platform.operations.promote_flow import Promoter
from ops_platform.operations.roll_back_flow import RollBack
from ops_platform_tests.compiled_flows import CompiledFlow
from ops_platform_tests.fake_production import FakeDeployer, FakeProduction
from ops_platform_tests.ledger_world import POLICY

MACHINE = "shop.prod.Forecast"
DAILY, HOURLY = "cron(0 0 * * ? *)", "cron(0 * * * ? *)"
PASSED = Report("Forecast", (LOADS.passed("It loads."),))
State = tuple[str | None, Rule | None]


class KilledError(BaseException):
    """Stands for a process that is gone: no code of ours runs after it."""


@dataclass
class PromotionWorld:
    """One flow, promoted now and then by pull requests."""

    ledger: Ledger
    policy: PromotionPolicy = field(default_factory=PromotionPolicy)
    now: datetime = datetime(2026, 1, 31, 12, tzinfo=UTC)
    production: FakeProduction = field(init=False)
    on_sleep: Callable[[], None] = lambda: None
    on_clock: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        """Begin with an empty account."""
        self.production = FakeProduction(lambda: self.now)

    def clock(self) -> datetime:
        """Tell the time, which goes on by it."""
        self.on_clock()
        self.now += timedelta(seconds=1)
        return self.now

    def deployed_by_hand(self, flow: CompiledFlow, schedule: str | None = DAILY) -> None:
        """Deploy without us."""
        FakeDeployer(self.production, MACHINE, flow, schedule).deploy()

    def state(self) -> State:
        """Return what runs in production: the digest of the definition, and the rule."""
        machine = self.production.machine(MACHINE)
        return digest_of(machine) if machine else None, self.production.rule(MACHINE)

    def request(self, number: int = 12, commit: str = "b" * 40, **changes: object) -> Request:
        """Return the request of a pull request."""
        told = {
            "id": request_id(Kind.PROMOTE, MACHINE, number, commit, changes.pop("attempt", 1)),
            "kind": Kind.PROMOTE,
            "account": "production",
            "machine": MACHINE,
            "actor": "ana",
            "reason": "productionize flow",
            "requested_at": self.now,
            "repository": "acme/flows",
            "pull_request": number,
            "commit": commit,
            "owner": "ada",
            **changes,
        }
        return Request(**told)  # type: ignore[arg-type]

    def promote(
        self,
        request: Request,
        flow: CompiledFlow | None = None,
        *,
        schedule: str | None = HOURLY,
        report: Report = PASSED,
        expected: Expected | None = None,
        machine: str = MACHINE,
        confirm: Callable[[], None] = lambda: None,
    ) -> Recorded:
        """Promote a flow, by default another version of it at the commit of the request."""
        flow = flow or CompiledFlow(commit=request.commit).but_first(memory="8000")
        wanted = Expected(shape(read_machine(flow.text())), MACHINE, schedule)
        deployer = FakeDeployer(self.production, machine, flow, schedule)
        promoter = Promoter(
            ledger=self.ledger,
            production=self.production,
            alerts=POLICY,
            deployer=lambda: deployer,
            policy=self.policy,
            clock=self.clock,
            sleep=self._sleep,
            confirm=confirm,
        )
        return promoter.promote(request, report, expected or wanted)

    def roll_back(self, number: int | None = 12, **changes: object) -> Recorded:
        """Roll the flow back, by default as its pull request."""
        return self.rolling().roll_back(self._asked(Kind.ROLL_BACK, number, changes))

    def rolling(self) -> RollBack:
        """Return what rolls flows back."""
        return RollBack(
            ledger=self.ledger, production=self.production, alerts=POLICY, clock=self.clock
        )

    def adopt(self, machine: str = MACHINE, **changes: object) -> Recorded:
        """Adopt what runs."""
        adoption = Adoption(
            ledger=self.ledger, production=self.production, alerts=POLICY, clock=self.clock
        )
        request = self._asked(Kind.ADOPT, None, {"machine": machine, **changes})
        return adoption.adopt(request, rule=machine)

    def _asked(self, kind: Kind, number: int | None, changes: dict[str, object]) -> Request:
        attempt = changes.pop("attempt", 1)
        told = {"id": request_id(kind, number, attempt, changes), "kind": kind, "commit": None}
        return msgspec.structs.replace(self.request(), pull_request=number, **(told | changes))

    def history(self) -> list[Deployment]:
        """Return the deployments, the last first."""
        with self.ledger.transaction() as tx:
            return deployments.history(tx, "production", MACHINE)

    def holder(self) -> int | None:
        """Return the pull request that holds the flow."""
        with self.ledger.transaction() as tx:
            held = flow_locks.holder(tx, "production", MACHINE)
        return held.pull_request if held else None

    def waiting_for(self, **policy: object) -> None:
        """Change the policy."""
        self.policy = replace(self.policy, **policy)  # type: ignore[arg-type]

    def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.on_sleep()
