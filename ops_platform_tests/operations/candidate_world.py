"""Pull requests of a real repository, held against Staging and production in memory."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ops_platform.adapters.flow_environments import FlowEnvironments
from ops_platform.adapters.git import GitCheckout, GitRepositories, Remote
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.metaflow_deployer import DeployedFlow
from ops_platform.domain.candidates import Candidate, CandidateRules, Order
from ops_platform.domain.capacity import InstanceType, Queue
from ops_platform.domain.checkouts import Source
from ops_platform.domain.compiled_flow import Compilation, Compiled, CompiledRule, Ran, Unfinished
from ops_platform.domain.definition_shape import graph
from ops_platform.domain.deployers import Deployer, PromotionPolicy
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Finding, Report
from ops_platform.domain.machine_definitions import read_machine
from ops_platform.domain.pull_requests import Approval, PullRequest
from ops_platform.domain.sandboxes import Ended, Isolation
from ops_platform.domain.software import software_of
from ops_platform.domain.staging_runs import StagingRun
from ops_platform.operations.check_candidate import Capacity, CheckTools
from ops_platform.operations.check_stages import CheckStages
from ops_platform.operations.promotion_stages import PromotionStages, PromotionTools
from ops_platform.operations.roll_back_flow import RollBack
from ops_platform.settings.promotion import InstanceTypeSettings, QueueSettings
from ops_platform_tests.compiled_flows import CompiledFlow
from ops_platform_tests.fake_production import FakeDeployer, FakeProduction
from ops_platform_tests.git_world import GitRepository
from ops_platform_tests.ledger_world import POLICY

REPOSITORY, MACHINE, PATH = "acme/flows", "shop.prod.Forecast", "flows/forecast.py"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TYPES = (InstanceTypeSettings(name="r5.xlarge", vcpus=4, memory_mib=32_768),)
QUEUE = QueueSettings(name="metaflow", max_vcpus=8, instance_types=TYPES)


class FakeMetaflow:
    """What Metaflow's compiler reports from a sandbox; fulfils `Compiler`."""

    def __init__(self) -> None:
        self.flow = CompiledFlow(commit=None)
        self.machine = MACHINE
        self.schedule: str | None = "cron(0 0 * * ? *)"
        self.complaint: str | None = None
        self.ended: Ended | None = None
        self.asked: list[Compilation] = []

    def compile(self, compilation: Compilation) -> Compiled | Unfinished:
        """Compile the flow that is set."""
        self.asked.append(compilation)
        if self.ended is not None:
            return Unfinished(self.ended, "")
        good = Ran(0, "    The graph looks good!\n    Pylint is happy!\n", 1.0)
        if self.complaint:
            return Compiled(compilation.folder, good, Ran(1, self.complaint, 1.0))
        rule = CompiledRule(self.machine, self.schedule) if self.schedule else None
        return Compiled(
            compilation.folder, good, Ran(0, "", 1.0), self.machine, self.flow.text(), rule
        )


class FakePulls:
    """The pull requests of one repository; fulfils `PullRequests`."""

    def __init__(self) -> None:
        self.pulls: dict[int, PullRequest] = {}
        self.trouble: PlatformError | None = None

    def get(self, repository: str, number: int) -> PullRequest | None:
        """Return one."""
        if self.trouble:
            raise self.trouble
        return self.pulls.get(number) if repository == REPOSITORY else None


class FakeStaging:
    """What ran in Staging; fulfils `StagingRuns`."""

    def __init__(self) -> None:
        self.ran: list[StagingRun] = []
        self.trouble: PlatformError | None = None

    def runs_of(self, machine: str, branch: str | None) -> Iterator[StagingRun]:
        """Yield the runs, the latest first."""
        if self.trouble:
            raise self.trouble
        assert (machine, branch) in {(MACHINE, "by-region"), (MACHINE, None)}
        yield from sorted(self.ran, key=lambda run: run.started_at, reverse=True)


class FewRepositories:
    """Real repositories, of which a listing of branches may fail; fulfils `Repositories`."""

    def __init__(self, repositories: GitRepositories) -> None:
        self._repositories = repositories
        self.trouble: PlatformError | None = None

    def branches(self, repository: str) -> list[str]:
        """Return the branches."""
        if self.trouble:
            raise self.trouble
        return self._repositories.branches(repository)

    def check_out(self, source: Source) -> AbstractContextManager[GitCheckout]:
        """Give a checkout."""
        return self._repositories.check_out(source)


@dataclass
class CandidateWorld:
    """One flow of one repository, ready to be promoted: each test spoils something."""

    folder: Path
    ledger: Ledger
    rules: CandidateRules = field(default_factory=lambda: CandidateRules(account="production"))
    policy: PromotionPolicy = field(default_factory=PromotionPolicy)
    now: datetime = NOW
    isolation: Isolation = Isolation.FULL
    capacity: Callable[[], Capacity] = lambda: Capacity([QUEUE.queue()], [])
    account: str = "production"

    def __post_init__(self) -> None:
        """Begin with a pull request that nothing speaks against."""
        self.repository = GitRepository(self.folder / "repository")
        self.metaflow, self.host, self.staging = FakeMetaflow(), FakePulls(), FakeStaging()
        self.fake = FakeProduction(self.clock)
        remotes = {REPOSITORY: Remote(self.repository.url)}
        self.repositories = FewRepositories(GitRepositories(remotes, self.folder / "checkouts"))
        self.texts: dict[str, str] = {}
        self.deployed: list[DeployedFlow] = []
        self.changes: Callable[[CompiledFlow], CompiledFlow] = lambda flow: flow

    def clock(self) -> datetime:
        """Tell the time."""
        self.now += timedelta(seconds=1)
        return self.now

    def candidate(self, number: int = 12, text: str = "one", path: str = PATH) -> Candidate:
        """Commit a flow to an approved pull request whose Staging run succeeded."""
        commit = self.repository.commit({PATH: f"# {text}\n"}, pull_request=number)
        self.host.pulls[number] = PullRequest(
            repository=REPOSITORY, number=number, title="Forecast", author="ada", head=commit,
            branch="by-region", base="main", mergeable=True, up_to_date=True,
            link=f"https://git.example.com/{number}", approvals=(Approval("grace", commit),),
        )  # fmt: skip
        self.texts[commit] = f"# {text}\n"
        self.staging.ran.append(self.run(commit))
        return Candidate(REPOSITORY, number, commit, path)

    def run(self, commit: str, status: str = "SUCCEEDED") -> StagingRun:
        """Return a run of a commit in Staging."""
        definition = read_machine(self.metaflow.flow.text())
        return StagingRun(
            run_id=f"sfn-{commit[:4]}",
            execution_arn=f"arn:{commit}",
            status=status,
            started_at=self.now - timedelta(hours=2),
            ended_at=self.now - timedelta(hours=1),
            commit=commit,
            is_dirty=False,
            owner="ada",
            software=software_of(definition),
            graph=graph(definition),
            files={"forecast.py": hashlib.sha256(self.texts[commit].encode()).hexdigest()},
            link="https://metaflow.example.com/run",
        )

    def spoil_pull(self, number: int = 12, **changes: object) -> None:
        """Change a pull request."""
        self.host.pulls[number] = replace(self.host.pulls[number], **changes)  # type: ignore[arg-type]

    def spoil_run(self, **changes: object) -> None:
        """Change the last Staging run."""
        self.staging.ran[-1] = replace(self.staging.ran[-1], **changes)  # type: ignore[arg-type]

    def check(self, candidate: Candidate) -> Report:
        """Make all checks."""
        with CheckStages(candidate, self.tools(self.ledger).checks, self.rules) as stages:
            stages.check_code()
            return stages.check_evidence()

    def failing(self, candidate: Candidate) -> list[tuple[str, str]]:
        """Return name and reason of all findings that stop a promotion."""
        return [(each.name, each.reason) for each in self.check(candidate).findings if each.stops]

    def found(self, candidate: Candidate, name: str) -> list[Finding]:
        """Return what one check found."""
        return [each for each in self.check(candidate).findings if each.name == name]

    def order(self, candidate: Candidate, request: str = "comment-1", **more: object) -> Order:
        """Return the order to promote it."""
        return Order(
            candidate=candidate, actor="ana", reason="productionize flow", request=request,
            **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def stages(self, order: Order) -> PromotionStages:
        """Return the stages of a promotion."""
        return PromotionStages(order, self.tools(self.ledger))

    def tools(self, ledger: Ledger, *_: object) -> PromotionTools:
        """Return what candidates are promoted with."""
        checks = CheckTools(
            ledger=ledger,
            pulls=self.host,
            repositories=self.repositories,
            environments=FlowEnvironments(self.folder / "environments"),
            compiler=self.metaflow,
            isolation=self.isolation,
            capacity=self.capacity,
            staging=self.staging,
            production=self.fake,
            clock=self.clock,
        )
        return PromotionTools(
            checks=checks, rules=self.rules, policy=self.policy, alerts=POLICY, canary=False,
            deployer=self._deployer,
        )  # fmt: skip

    def pulls(self) -> FakePulls:
        """Return the pull requests."""
        return self.host

    def production(self) -> FakeProduction:
        """Return what runs in production."""
        return self.fake

    def roll_back(self, ledger: Ledger) -> RollBack:
        """Return what rolls flows back."""
        return RollBack(ledger=ledger, production=self.fake, alerts=POLICY, clock=self.clock)

    def _deployer(self, flow: DeployedFlow) -> Deployer:
        self.deployed.append(flow)
        tags = dict(
            each.split(":", 1) for each in flow.create if ":" in each and not each.startswith("-")
        )
        compiled = self.changes(self.metaflow.flow.but(commit=tags["commit"]))
        return FakeDeployer(self.fake, self.metaflow.machine, compiled, self.metaflow.schedule)


def no_queues(*_: object) -> tuple[Sequence[Queue], Sequence[InstanceType]]:
    """Fail as Batch does without permission."""
    raise PlatformError("Could not list the job queues: AccessDenied.")
