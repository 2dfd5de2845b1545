"""A flow promoted to production: verdict, lock, deployment, first run, record; or all put back.

Each thing done is recorded before the next one is begun. Whoever runs the same request again goes
on from there: the first snapshot counts, and everything after it is done once more, which changes
nothing that is already so.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.domain.definition_diff import diff, digest
from ops_platform.domain.definition_shape import shape
from ops_platform.domain.deployed_machines import DeployedMachine, DeployedMachines, Started
from ops_platform.domain.deployers import Deployer, Expected, PromotionPolicy, Snapshot, WaitFor
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Report, as_document
from ops_platform.domain.machine_definitions import Definition, read_machine
from ops_platform.domain.promotions import Request, What
from ops_platform.domain.provenance import provenance
from ops_platform.operations.production_change import ProductionChange, once
from ops_platform.operations.production_runs import ProductionRuns


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoter:
    """Promotes flows to one account.

    ``clock`` is the ledger's, and ``sleep`` waits between two looks at a run.
    """

    ledger: Ledger
    production: DeployedMachines
    deployer: Deployer
    policy: PromotionPolicy
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep

    def promote(self, request: Request, report: Report, expected: Expected) -> Recorded:
        """Promote a flow, or go on with it; return the record of what became of it.

        Raises:
            PlatformError: Somebody else changes the same machine right now, or the ledger does not
                answer. Whatever else fails is in the record.
        """
        return once(self.ledger, request, lambda recorded: self._change(recorded, report, expected))

    def _change(self, recorded: Recorded, report: Report, expected: Expected) -> None:
        change = ProductionChange(
            ledger=self.ledger,
            production=self.production,
            clock=self.clock,
            recorded=recorded,
            rule=expected.rule,
        )
        _Promotion(self, change, expected).through(report)


class _Promotion:
    """One promotion on its way."""

    def __init__(self, of: Promoter, change: ProductionChange, expected: Expected) -> None:
        self._of = of
        self._change = change
        self._request = change.request
        self._expected = expected
        self._runs = ProductionRuns(of.production, of.policy, of.sleep)

    def through(self, report: Report) -> None:
        """Go on to the end, whichever it is."""
        if What.KEPT in self._change.before or self._admitted(report):
            self._change.guarded(self._deployed)

    def _admitted(self, report: Report) -> bool:
        change = self._change
        if What.CHECKED not in change.before:
            told = "All checks passed." if report.passed else "The checks did not pass."
            change.note(What.CHECKED, told, **as_document(report))
        if not report.passed:
            change.refuse("the checks did not pass.")
            return False
        return change.admitted()

    def _deployed(self, snapshot: Snapshot) -> None:
        change, production = self._change, self._of.production
        prepared = self._of.deployer.prepare()
        definition = self._promised(prepared)
        if self._request.canary and What.TRIED not in change.before:
            tried = self._runs.canary(self._request, prepared, self._of.deployer.role_arn)
            change.note(What.TRIED, f"A canary succeeded: {tried}.", execution_arn=tried)
        before = snapshot.version_arn and production.version(snapshot.version_arn)
        changes = diff(read_machine(before.definition), definition) if before else []
        self._of.deployer.deploy()
        told = f"{len(changes)} changes." if before else "It is new."
        change.note(What.DEPLOYED, told, changes=[str(each) for each in changes])
        machine = self._verified(definition)
        version = change.publish(machine)
        started = self._first_run(machine)
        ran = {"version_arn": version, "execution_arn": started.arn}
        told = f"{machine.name} runs {self._request.commit}; first run {started.arn}."
        change.succeed(machine, {**ran}, told)

    def _promised(self, prepared: str) -> Definition:
        """Return the prepared definition, if it is of the commit and the content that passed."""
        definition = read_machine(prepared)
        _refuse_other_code(definition, self._request)
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
