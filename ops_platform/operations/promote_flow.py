"""A flow promoted to production: verdict, lock, deployment, first run, record; or all put back.

Each thing done is recorded before the next one is begun. Whoever runs the same request again goes
on from there: the first snapshot counts, and everything after it is done once more, which changes
nothing that is already so.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.check_report import headline
from ops_platform.domain.definition_diff import diff, digest
from ops_platform.domain.definition_shape import shape
from ops_platform.domain.deployed_machines import DeployedMachine, DeployedMachines, Started
from ops_platform.domain.deployers import Deployer, Expected, PromotionPolicy, Snapshot, WaitFor
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Report, as_document
from ops_platform.domain.machine_definitions import Definition, read_machine
from ops_platform.domain.promotions import Request, What
from ops_platform.domain.provenance import provenance
from ops_platform.domain.words import counted
from ops_platform.operations.one_at_a_time import Turn, once
from ops_platform.operations.production_change import ProductionChange
from ops_platform.operations.production_runs import ProductionRuns

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoter:
    """Promotes flows to one account.

    ``deployer`` is asked for when it is needed, since many requests are refused before. ``confirm``
    raises if what was checked does not hold any more, right before production is changed. ``clock``
    is the ledger's, and ``sleep`` waits between two looks at a run.
    """

    ledger: Ledger
    production: DeployedMachines
    alerts: AlertPolicy
    deployer: Callable[[], Deployer]
    policy: PromotionPolicy
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep
    confirm: Callable[[], None] = lambda: None

    def promote(self, request: Request, report: Report, expected: Expected) -> Recorded:
        """Promote a flow, or go on with it; return the record of what became of it.

        Raises:
            PlatformError: Somebody else changes the same machine right now, or the ledger does not
                answer. Whatever else fails is in the record.
        """

        def all_stages(turn: Turn) -> None:
            promotion = self.begin(turn, expected)
            promotion.admit(report)
            promotion.prepare()
            promotion.deploy()
            promotion.start()

        return once(self.ledger, request, all_stages)

    def begin(self, turn: Turn, expected: Expected) -> "Promotion":
        """Return a promotion that was asked for, to be made stage by stage.

        Nobody else may change the same machine until it has ended: see `once`.
        """
        change = ProductionChange(
            ledger=self.ledger,
            production=self.production,
            alerts=self.alerts,
            clock=self.clock,
            turn=turn,
            rule=expected.rule,
        )
        return Promotion(self, change, expected)


class Promotion:
    """One promotion on its way; after it has ended, no stage does anything."""

    def __init__(self, of: Promoter, change: ProductionChange, expected: Expected) -> None:
        self._of = of
        self._change = change
        self._request = change.request
        self._expected = expected
        self._runs = ProductionRuns(of.production, of.policy, of.sleep)
        self._deployer: Deployer | None = None
        self._definition: Definition | None = None
        self._machine: DeployedMachine | None = None

    def admit(self, report: Report) -> None:
        """Refuse it if its checks did not pass, another one holds the flow, or it has drifted."""
        change = self._change
        if change.is_over:
            return
        if What.KEPT in change.done:
            change.overtaken()
            return
        if What.CHECKED not in change.done:
            told = "All checks passed." if report.passed else "The checks did not pass."
            change.note(What.CHECKED, told, **as_document(report))
        if report.passed:
            change.admitted()
        else:
            change.refuse(headline(report))

    def prepare(self) -> None:
        """Compile it with production's credentials, and try it as a canary if that is asked for."""
        self._guarded(self._prepared)

    def deploy(self) -> None:
        """Deploy it, verify machine and schedule, and publish it as a version."""
        self._guarded(self._deployed)

    def start(self) -> None:
        """Start its first run, wait for as much of it as the policy says, and record it."""
        self._guarded(self._started)

    def _guarded(self, stage: Callable[[Snapshot], None]) -> None:
        if not self._change.is_over:
            self._change.guarded(stage)

    def _prepared(self, snapshot: Snapshot) -> None:
        self._of.confirm()  # what compiles it there has production's credentials
        self._deployer = deployer = self._of.deployer()
        prepared = deployer.prepare()
        self._definition = self._promised(prepared)
        self._compared(self._definition, snapshot)
        if self._request.canary and What.TRIED not in self._change.done:
            tried = self._runs.canary(self._request, prepared, deployer.role_arn)
            self._change.note(What.TRIED, f"A canary succeeded: {tried}.", execution_arn=tried)

    def _compared(self, definition: Definition, snapshot: Snapshot) -> None:
        """Record what differs between what runs and what would run."""
        before = snapshot.version_arn and self._of.production.version(snapshot.version_arn)
        changes = diff(read_machine(before.definition), definition) if before else []
        found = counted(len(changes), "change", "changes") if changes else "The same runs already"
        told = f"{found}." if before else "It is new."
        self._change.note(What.PREPARED, told, changes=[str(each) for each in changes])

    def _deployed(self, snapshot: Snapshot) -> None:
        definition = _made(self._definition)
        self._of.confirm()
        self._change.begin_changing(snapshot)
        _made(self._deployer).deploy()
        self._change.note(What.DEPLOYED, "Metaflow deployed machine and schedule.")
        self._machine = self._verified(definition)
        self._change.publish(self._machine)

    def _started(self, _: Snapshot) -> None:
        machine = _made(self._machine)
        version = self._change.done[What.PUBLISHED].detail["version_arn"]
        started = self._first_run(machine)
        ran = {"version_arn": version, "execution_arn": started.arn}
        told = f"{machine.name} runs {self._request.commit}; first run {started.arn}."
        self._change.succeed(machine, {**ran}, told)

    def _promised(self, prepared: str) -> Definition:
        """Return the prepared definition, if it is of the commit and the content that passed."""
        definition = read_machine(prepared)
        _refuse_other_code(definition, self._request)
        flow = provenance(definition).flow
        if self._request.flow not in {None, flow}:
            raise PlatformError(f"What would be deployed is {flow}, not {self._request.flow}.")
        if shape(definition) != self._expected.shape:
            raise PlatformError(
                "With production's credentials the flow compiles to something else than in the"
                " sandbox. A flow must not depend on who compiles it."
            )
        return definition

    def _verified(self, definition: Definition) -> DeployedMachine:
        """Return the machine as it is now, if it and its schedule are as was promised."""
        name, expected = self._request.machine, self._expected
        machine = self._of.production.machine(name)
        if machine is None:
            raise PlatformError(f"Metaflow said that it deployed {name}; it is not there.")
        now = read_machine(machine.definition)
        _refuse_other_code(now, self._request)
        if digest(now) != digest(definition):
            raise PlatformError(f"{name} is not what was prepared.")
        rule = self._of.production.rule(expected.rule)
        runs = rule.expression if rule and rule.enabled else None
        if runs != expected.expression:
            raise PlatformError(
                f"The schedule of {name} is {runs or 'none'}, and should be"
                f" {expected.expression or 'none'}."
            )
        self._change.note(What.VERIFIED, f"{name} runs {self._request.commit}.")
        return machine

    def _first_run(self, machine: DeployedMachine) -> Started:
        started = self._runs.start(machine.arn, request=self._request)
        told = f"Its first run is {started.arn}."
        self._change.note(What.STARTED, told, execution_arn=started.arn)
        if self._of.policy.wait_for is WaitFor.SUCCEEDED:
            self._runs.succeeded(started, "Its first run")
        return started


def _refuse_other_code(definition: Definition, request: Request) -> None:
    told = provenance(definition)
    if told.commit != request.commit or told.is_dirty is not False:
        state = "with changes" if told.is_dirty else "clean"
        raise PlatformError(
            f"What would be deployed is of {told.commit or 'no commit'}, {state}, and not of"
            f" {request.commit}."
        )


def _made(part: T | None) -> T:
    """Return what an earlier stage made."""
    if part is None:
        raise PlatformError("A stage was left out: prepare, deploy and start follow each other.")
    return part
