"""All sanity checks of a candidate for production: those of its code, and those of its evidence."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ops_platform.adapters.flow_environments import FlowEnvironment, FlowEnvironments
from ops_platform.adapters.ledger import deployments, flow_locks, promotions
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.candidates import Candidate, CandidateRules
from ops_platform.domain.capacity import InstanceType, Platform, Queue
from ops_platform.domain.checkouts import Checkout, Repositories
from ops_platform.domain.checks import (
    CAN_START,
    CHECKS,
    DRIFT,
    LOADS,
    LOCK,
    NAMES,
    REVIEW,
    SAME_SOFTWARE,
    STAGING_RUN,
    Check,
)
from ops_platform.domain.compiled_flow import Compilation, Compiler
from ops_platform.domain.definition_shape import graph
from ops_platform.domain.deployed_machines import DeployedMachines
from ops_platform.domain.deployments import judge_drift
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Finding, Report, Verdict
from ops_platform.domain.flow_locks import FlowLock, judge_lock
from ops_platform.domain.flow_names import judge_origin
from ops_platform.domain.identity import rule_name
from ops_platform.domain.pull_requests import PullRequest, PullRequests, judge_review
from ops_platform.domain.requirements import RequirementsError
from ops_platform.domain.sandboxes import Isolation
from ops_platform.domain.software import Proof, judge_software, software_of
from ops_platform.domain.staging_runs import (
    StagingRun,
    StagingRuns,
    Wanted,
    judge_staging,
    proof,
    up_to_proof,
)
from ops_platform.operations.check_flow import CheckedFlow, FlowRules, check_flow

_AGAIN = "Try again; if it stays so, whoever runs the platform has to know."
_NAMES = [each.name for each in CHECKS]
_WEAKEST_FIRST = (Isolation.OWN_CODE, Isolation.OWN_USER, Isolation.FULL)


@dataclass(frozen=True, slots=True)
class Capacity:
    """The queues of the production account, and all instance types of its region."""

    queues: Sequence[Queue]
    offered: Sequence[InstanceType]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTools:
    """What candidates are checked with; ``capacity`` asks Batch, and ``clock`` is the ledger's."""

    ledger: Ledger
    pulls: PullRequests
    repositories: Repositories
    environments: FlowEnvironments
    compiler: Compiler
    isolation: Isolation
    capacity: Callable[[], Capacity]
    staging: StagingRuns
    production: DeployedMachines
    clock: Callable[[], datetime]


class CandidateCheck:
    """The checks of one candidate; the results of the first ones serve the later ones."""

    def __init__(self, candidate: Candidate, tools: CheckTools, rules: CandidateRules) -> None:
        self._candidate = candidate
        self._tools = tools
        self._rules = rules
        self._asked_host: list[Finding] = []
        self.pull: PullRequest | None = None
        self.environment: FlowEnvironment | None = None
        self.checked = CheckedFlow(Report(None, ()))
        self.proof: StagingRun | None = None

    @property
    def machine(self) -> str | None:
        """The name of its state machine, None if it does not compile."""
        return self.checked.compiled.machine if self.checked.compiled else None

    def of_code(self, checkout: Checkout) -> Report:
        """Make the checks that ask for the code alone: does it compile, can it start?"""
        self._asked_host = _tried(REVIEW, self._ask_host)
        found = self._hindrance(checkout)
        if found is None:
            self.checked = self._compiled(checkout)
        else:
            self.checked = CheckedFlow(Report(None, (found,)))
        return self.checked.report

    def of_evidence(self, checkout: Checkout) -> Report:
        """Make all others, and return what all of them found."""
        found = [
            *self.checked.report.findings,
            *self._if_compiled(STAGING_RUN, lambda machine: self._staging(machine, checkout)),
            *self._if_compiled(SAME_SOFTWARE, self._software),
            *self._asked_host,
            *(self._reviewed() if self.pull else ()),
            *self._if_compiled(DRIFT, self._drift),
            *self._if_compiled(LOCK, self._lock),
        ]
        in_order = sorted(found, key=lambda each: _NAMES.index(each.name))
        return Report(self.checked.report.flow, tuple(in_order))

    def confirm(self) -> None:
        """Ask the code host once more: a canary can take hours.

        Raises:
            PlatformError: The pull request has moved, or its review counts no more.
        """
        asked = self._candidate
        self.pull = self._tools.pulls.get(asked.repository, asked.pull_request)
        stopping = [each for each in self._reviewed() if each.stops]
        if self.pull is None or stopping:
            why = " ".join(each.message for each in stopping) or "the pull request is gone."
            raise PlatformError(f"Meanwhile its review has changed: {why}")

    def _ask_host(self) -> Iterable[Finding]:
        asked = self._candidate
        self.pull = self._tools.pulls.get(asked.repository, asked.pull_request)
        if self.pull is None:
            message = (
                f"{asked.repository} has no pull request #{asked.pull_request}, or the platform's"
                " token may not see it."
            )
            yield REVIEW.failed("no-pull-request", message, fix="Name a pull request that is open.")

    def _hindrance(self, checkout: Checkout) -> Finding | None:
        """Return why its code is not even tried."""
        has, demanded = self._tools.isolation, self._rules.isolation
        if _WEAKEST_FIRST.index(has) < _WEAKEST_FIRST.index(demanded):
            message = f"Code of a pull request is kept apart here no better than: {has}."
            fix = "Run the platform where sandboxes can be made; see docs/security.md."
            return LOADS.unchecked("isolation", message, fix=fix)
        path = self._candidate.flow_path
        if not checkout.has(path):
            message = f"There is no {path} in {self._candidate.repository}."
            return LOADS.failed("no-such-file", message, fix="Name the file of a flow.")
        try:
            self.environment = self._tools.environments.of(checkout, path)
        except RequirementsError as error:
            return LOADS.failed("requirements", str(error), fix="Change what is named there.")
        except PlatformError as error:
            return LOADS.unchecked("environment", str(error), fix=_AGAIN)
        return None

    def _compiled(self, checkout: Checkout) -> CheckedFlow:
        unknown: list[Finding] = []
        capacity = Capacity((), ())
        branches: list[str] = []
        try:
            capacity = self._tools.capacity()
        except PlatformError as error:
            unknown.append(CAN_START.unchecked("not-answered", str(error), fix=_AGAIN))
        try:
            branches = self._tools.repositories.branches(self._candidate.repository)
        except PlatformError as error:
            unknown.append(NAMES.unchecked("not-answered", str(error), fix=_AGAIN))
        rules = FlowRules(
            conventions=self._rules.conventions,
            queues=capacity.queues,
            offered=capacity.offered,
            branch=self.pull.branch if self.pull else None,
            branches=branches,
        )
        compilation = self._compilation(checkout, capacity)
        folder = self._candidate.folder
        try:
            checked = check_flow(self._tools.compiler, compilation, rules, prefix=folder)
        except PlatformError as error:
            return CheckedFlow(
                Report(None, (LOADS.unchecked("not-tried", str(error), fix=_AGAIN),))
            )
        found = [*self._known(checked.report.findings, unknown), *self._origin(checked)]
        report = Report(checked.report.flow, tuple(found))
        return CheckedFlow(report, checked.compiled, checked.definition)

    def _compilation(self, checkout: Checkout, capacity: Capacity) -> Compilation:
        environment = self.environment or FlowEnvironment("python")
        queues = {each.name: _platform(each) for each in capacity.queues}
        return Compilation(
            folder="/".join(filter(None, (checkout.folder, self._candidate.folder))),
            flow=self._candidate.file,
            python=environment.python,
            environment=environment.folder,
            queues=queues or {"sandbox": "EC2"},
            settings=self._rules.metaflow,
            seconds=self._rules.seconds,
        )

    def _known(self, found: Sequence[Finding], unknown: Sequence[Finding]) -> list[Finding]:
        """Return findings, but for those that could not be told for want of an answer."""
        names = {each.name for each in unknown}
        kept = [each for each in found if each.name not in names or each.verdict is Verdict.FAILED]
        return [*kept, *unknown]

    def _origin(self, checked: CheckedFlow) -> list[Finding]:
        """Return what speaks against a flow of this name from this repository."""
        if checked.compiled is None or checked.compiled.machine is None:
            return []
        machine, repository = checked.compiled.machine, self._candidate.repository
        with self._tools.ledger.transaction() as tx:
            past = deployments.history(tx, self._rules.account, machine)
            asked = (promotions.get(tx, each.promotion_id) for each in past)
            # Who rolls back by hand names no repository.
            named = (each.request.repository for each in asked if each)
            before = next(filter(None, named), None)
        projects = self._rules.projects.get(repository)
        return judge_origin(machine, repository, projects=projects, before=before)

    def _if_compiled(
        self, check: Check, make: Callable[[str], Iterable[Finding]]
    ) -> Sequence[Finding]:
        machine = self.machine
        if machine is None or self.checked.definition is None:
            message = "It was not asked, since the flow does not compile."
            return [check.unchecked("not-compiled", message, fix="Mend that first.")]
        return _tried(check, lambda: make(machine))

    def _staging(self, machine: str, checkout: Checkout) -> Iterable[Finding]:
        files = checkout.files_beside(self._candidate.flow_path)
        definition = self.checked.definition
        steps = graph(definition) if definition else None
        wanted = Wanted(self._candidate.commit, files, self._rules.max_age, steps)
        branch = self.pull.branch if self.pull else None
        runs = up_to_proof(self._tools.staging.runs_of(machine, branch), wanted)
        self.proof = proof(runs, wanted)
        flow = self.checked.report.flow or machine
        yield judge_staging(flow, runs, wanted, now=self._tools.clock())

    def _software(self, machine: str) -> Iterable[Finding]:
        if self.proof is None or self.checked.definition is None:
            message = f"There is no Staging run of {machine} at this commit to compare with."
            return [SAME_SOFTWARE.unchecked("no-run", message)]
        run = self.proof
        would = software_of(self.checked.definition)
        return judge_software(run.software, would, Proof(run.run_id, run.link))

    def _reviewed(self) -> Iterable[Finding]:
        if self.pull is None:
            return []
        policy = self._rules.review
        return judge_review(self.pull, commit=self._candidate.commit, policy=policy)

    def _drift(self, machine: str) -> Iterable[Finding]:
        with self._tools.ledger.transaction() as tx:
            last = deployments.latest(tx, self._rules.account, machine)
        production = self._tools.production
        rule = production.rule(rule_name(machine))
        return [judge_drift(last, production.machine(machine), rule)]

    def _lock(self, machine: str) -> Iterable[Finding]:
        now, asked = self._tools.clock(), self._candidate
        wanted = FlowLock(
            account=self._rules.account,
            machine=machine,
            promotion_id="",
            repository=asked.repository,
            pull_request=asked.pull_request,
            taken_by="",
            taken_at=now,
        )
        with self._tools.ledger.transaction() as tx:
            held = flow_locks.holder(tx, self._rules.account, machine)
        return [judge_lock(held, wanted, now)]


def _tried(check: Check, make: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return what a check found; where it cannot be made, that is what it found."""
    try:
        return list(make())
    except PlatformError as error:
        return [check.unchecked("not-answered", str(error), fix=_AGAIN)]


def _platform(queue: Queue) -> str:
    on_fargate = [each.platform is Platform.FARGATE for each in queue.environments]
    return "FARGATE" if on_fargate and all(on_fargate) else "EC2"
