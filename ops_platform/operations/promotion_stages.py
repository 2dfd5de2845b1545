"""A candidate brought to production stage by stage, as Dagster shows it.

What the stages share is kept until the whole is closed; who dies in between leaves the record, by
which the same order goes on.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import TracebackType
from typing import Self

import msgspec

from ops_platform.adapters.flow_environments import FlowEnvironment
from ops_platform.adapters.ledger import promotions
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.adapters.metaflow_deployer import DeployedFlow
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.candidates import CandidateRules, Order, owner_of
from ops_platform.domain.checkouts import Checkout
from ops_platform.domain.definition_shape import shape
from ops_platform.domain.deployers import Deployer, Expected, PromotionPolicy
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Finding, Report
from ops_platform.domain.identity import parse_machine_name, rule_name
from ops_platform.domain.machine_definitions import DefinitionError, read_machine
from ops_platform.domain.promotions import Kind, Request, Status, What
from ops_platform.domain.provenance import provenance
from ops_platform.domain.pull_requests import approvals_of
from ops_platform.operations.check_candidate import CheckTools
from ops_platform.operations.check_stages import CheckStages
from ops_platform.operations.one_at_a_time import Turn, sole
from ops_platform.operations.promote_flow import Promoter, Promotion


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionTools:
    """What candidates are promoted with.

    ``alerts`` is what becomes of a failure, and ``deployer`` makes the deployment of a flow.
    """

    checks: CheckTools
    rules: CandidateRules
    policy: PromotionPolicy
    alerts: AlertPolicy
    canary: bool
    deployer: Callable[[DeployedFlow], Deployer]


class PromotionStages:
    """A promotion, stage by stage; a context manager that keeps others from the same machine.

    A stage after its end does nothing, and `recorded` is what became of it.
    """

    def __init__(self, order: Order, tools: PromotionTools) -> None:
        self.checks = CheckStages(order.candidate, tools.checks, tools.rules)
        self._order = order
        self._tools = tools
        self._stack = ExitStack()
        self._promotion: Promotion | None = None
        self._ended = self._known()

    def __enter__(self) -> Self:
        """Begin."""
        self._stack.enter_context(self.checks)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let others at the machine again."""
        self._stack.close()

    @property
    def recorded(self) -> Recorded | None:
        """The record as it is now, None before it was asked for."""
        with self._tools.checks.ledger.transaction() as tx:
            return promotions.get(tx, self._order.id)

    @property
    def report(self) -> Report:
        """What the checks found, the first time the order was given."""
        return self.checks.report if self._ended is None else _as_recorded(self._ended)

    def check_code(self) -> Report:
        """Make the checks of its code."""
        return self.checks.check_code() if self._ended is None else self.report

    def check_evidence(self) -> Report:
        """Make the other checks, and return what all of them found."""
        return self.checks.check_evidence() if self._ended is None else self.report

    def admit(self) -> Recorded:
        """Put it on record, and refuse it or take the lock.

        Raises:
            PlatformError: Somebody else changes the same machine right now.
        """
        if self._ended is not None:
            return self._ended
        ledger, begun = self._tools.checks.ledger, self.recorded
        # Whoever goes on changes what was begun, though the flow may not compile any more.
        request = begun.request if begun else self._request()
        _refuse_another_machine(request, self.checks.check.machine)
        turn = self._stack.enter_context(sole(ledger, request))
        if turn.recorded.status is not Status.RUNNING:
            self._ended = turn.recorded
            return turn.recorded
        self._promotion = self._begun(request, turn)
        self._promotion.admit(self.checks.report)
        return self._now()

    def prepare(self) -> Recorded:
        """Compile it with production's credentials, and try it as a canary if that is asked for."""
        return self._through(Promotion.prepare)

    def deploy(self) -> Recorded:
        """Deploy it, and verify that."""
        return self._through(Promotion.deploy)

    def start(self) -> Recorded:
        """Start its first run."""
        return self._through(Promotion.start)

    def _through(self, stage: Callable[[Promotion], None]) -> Recorded:
        if self._promotion is not None:
            stage(self._promotion)
        return self._now()

    def _now(self) -> Recorded:
        recorded = self.recorded
        if recorded is None:
            raise PlatformError(f"{self._order.id} is not on record: it was never admitted.")
        return recorded

    def _known(self) -> Recorded | None:
        """Return the record of the same order if it has ended."""
        recorded = self.recorded
        return recorded if recorded and recorded.status is not Status.RUNNING else None

    def _request(self) -> Request:
        order, check = self._order, self.checks.check
        pull, definition = check.pull, check.checked.definition
        # A flow that does not compile has no name yet; its refusal is recorded all the same.
        machine = check.machine or order.candidate.flow_path
        ran = check.proof.owner if check.proof else None
        return Request(
            id=order.id,
            kind=Kind.PROMOTE,
            account=self._tools.rules.account,
            machine=machine,
            actor=order.actor,
            reason=order.reason,
            requested_at=self._tools.checks.clock(),
            flow=provenance(definition).flow if definition else None,
            project=parse_machine_name(machine).project if check.machine else None,
            repository=order.candidate.repository,
            pull_request=order.candidate.pull_request,
            commit=order.candidate.commit,
            flow_path=order.candidate.flow_path,
            author=pull.author if pull else None,
            approvers=tuple(each.by for each in approvals_of(pull, self._tools.rules.review))
            if pull
            else (),
            owner=owner_of(order.owner, ran, pull.author if pull else None),
            canary=order.canary or self._tools.canary,
        )

    def _begun(self, request: Request, turn: Turn) -> Promotion:
        tools = self._tools.checks
        promoter = Promoter(
            ledger=tools.ledger,
            production=tools.production,
            alerts=self._tools.alerts,
            deployer=lambda: self._deployer(request),
            policy=self._tools.policy,
            clock=tools.clock,
            confirm=self.checks.check.confirm,
        )
        return promoter.begin(turn, self._expected(request.machine))

    def _expected(self, machine: str) -> Expected:
        checked = self.checks.check.checked
        rule = checked.compiled.rule if checked.compiled else None
        return Expected(
            shape=shape(checked.definition) if checked.definition else "",
            rule=rule_name(machine),
            expression=rule.expression if rule else None,
        )

    def _deployer(self, request: Request) -> Deployer:
        checkout, environment = self.checks.checkout, self.checks.check.environment
        if checkout is None or environment is None:
            raise PlatformError(f"{request.flow_path} was not checked out.")
        return self._tools.deployer(self._flow(request, checkout, environment))

    def _flow(
        self, request: Request, checkout: Checkout, environment: FlowEnvironment
    ) -> DeployedFlow:
        candidate = self._order.candidate
        return DeployedFlow(
            folder=str(PurePosixPath(checkout.folder) / candidate.folder),
            flow=candidate.file,
            python=environment.python,
            options=self._options(request),
            create=(*_tags(request), *self._authorization(request.machine)),
        )

    def _options(self, request: Request) -> tuple[str, ...]:
        compiled = self.checks.check.checked.compiled
        kind = compiled.environment if compiled else None
        production = ("--production",) if request.project else ()
        return (*((f"--environment={kind}",) if kind else ()), *production)

    def _authorization(self, machine: str) -> tuple[str, ...]:
        """Return what makes Metaflow go on with the namespace of what runs."""
        found = self._tools.checks.production.machine(machine)
        if found is None:
            return ()
        try:
            token = provenance(read_machine(found.definition)).production_token
        except DefinitionError:
            token = None
        return ("--authorize", token) if token else ()


def _refuse_another_machine(request: Request, compiled: str | None) -> None:
    """Refuse to go on with an order that was begun under another name, as while it did not compile.

    Raises:
        PlatformError: It is another one.
    """
    if compiled is not None and compiled != request.machine:
        raise PlatformError(
            f"{request.id} was begun for {request.machine}, and compiles to {compiled} by now. Ask"
            " anew, with another request."
        )


def _tags(request: Request) -> tuple[str, ...]:
    """Return the tags by which a run tells where its code came from, and whom alerts mention."""
    told: Mapping[str, object] = {
        "commit": request.commit,
        "pull_request": f"{request.repository}#{request.pull_request}",
        "promotion": request.id,
        "owner": request.owner,
    }
    return tuple(
        word for name, value in told.items() if value for word in ("--tag", f"{name}:{value}")
    )


def _as_recorded(recorded: Recorded) -> Report:
    """Return what the checks of an order found that has ended."""
    checked = next((each for each in recorded.entries if each.what is What.CHECKED), None)
    found = checked.detail["checks"] if checked else []
    return Report(recorded.request.flow, msgspec.convert(found, tuple[Finding, ...]))
