"""A flow promoted to production: verdict, lock, deployment, first run, record; or all put back.

Each thing done is recorded before the next one is begun. Whoever runs the same request again goes
on from there: the first snapshot counts, and everything after it is done once more, which changes
nothing that is already so.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

import msgspec

from ops_platform.adapters.ledger import deployments, flow_locks, promotions
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.domain.definition_diff import diff, digest
from ops_platform.domain.deployed_machines import DeployedMachine, DeployedMachines, Started
from ops_platform.domain.deployers import Deployer, Expected, PromotionPolicy, Snapshot, WaitFor
from ops_platform.domain.deployments import (
    Deployment,
    code_of,
    digest_of,
    judge_drift,
    schedule_of,
)
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Finding, Report, as_document
from ops_platform.domain.flow_locks import FlowLock, judge_lock
from ops_platform.domain.machine_definitions import Definition, read_machine
from ops_platform.domain.promotions import Entry, Request, Status, What
from ops_platform.domain.provenance import provenance
from ops_platform.operations.production_runs import ProductionRuns
from ops_platform.operations.put_back import left_to_do, put_back


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
            PlatformError: Somebody else promotes the same flow right now, or the ledger does not
                answer. Whatever else fails is in the record.
        """
        with self.ledger.alone(f"the promotion of {request.machine} in {request.account}"):
            with self.ledger.transaction() as tx:
                recorded = promotions.ask(tx, request)
            if recorded.status is Status.RUNNING:
                _Run(self, recorded, expected).through(report)
            with self.ledger.transaction() as tx:
                return promotions.ask(tx, request)


class _Run:
    """One promotion on its way."""

    def __init__(self, of: Promoter, recorded: Recorded, expected: Expected) -> None:
        self._of = of
        self._request = recorded.request
        self._before = {entry.what: entry for entry in recorded.entries}
        self._expected = expected
        self._runs = ProductionRuns(of.production, of.policy, of.sleep)

    def through(self, report: Report) -> None:
        """Go on to the end, whichever it is."""
        if What.KEPT not in self._before and not self._admitted(report):
            return
        try:
            snapshot = self._kept()
        except PlatformError as error:
            self._failed(error, [])
            return
        try:
            self._deployed(snapshot)
        except Exception as error:
            self._put_back(snapshot, error)
            if not isinstance(error, PlatformError):
                raise

    def _admitted(self, report: Report) -> bool:
        """Record the checks, take the lock and look for drift once more; refuse, or go on."""
        if What.CHECKED not in self._before:
            told = "All checks passed." if report.passed else "The checks did not pass."
            self._note(What.CHECKED, told, **as_document(report))
        if not report.passed:
            self._note(What.REFUSED, "Nothing was touched: the checks did not pass.")
            return False
        lock = self._lock()
        with self._of.ledger.transaction() as tx:
            held = flow_locks.take(tx, lock, reason=self._request.reason)
        if self._refused(judge_lock(held, lock, self._of.clock())):
            return False
        if self._refused(self._drift()):
            self._release("It was refused.")
            return False
        self._note(What.LOCKED, f"{lock.holder} holds {self._request.machine}.")
        return True

    def _refused(self, finding: Finding) -> bool:
        if finding.stops:
            self._note(What.REFUSED, f"Nothing was touched: {finding.message}", check=finding.name)
        return finding.stops

    def _drift(self) -> Finding:
        request, production = self._request, self._of.production
        with self._of.ledger.transaction() as tx:
            last = deployments.latest(tx, request.account, request.machine)
        machine = production.machine(request.machine)
        return judge_drift(last, machine, production.rule(self._expected.rule))

    def _kept(self) -> Snapshot:
        """Return what ran before this promotion changed anything; publish and record it first."""
        if What.KEPT in self._before:
            return msgspec.convert(self._before[What.KEPT].detail, Snapshot)
        production, name = self._of.production, self._request.machine
        machine = production.machine(name)
        described = f"before {self._request.id}"
        version = production.publish(machine, description=described) if machine else None
        snapshot = Snapshot(version_arn=version, rule=production.rule(self._expected.rule))
        told = f"{name} is kept as {snapshot.version_arn}." if machine else f"{name} is new."
        self._note(What.KEPT, told, **cast("dict[str, object]", asdict(snapshot)))
        return snapshot

    def _deployed(self, snapshot: Snapshot) -> None:
        request, production = self._request, self._of.production
        prepared = self._of.deployer.prepare()
        definition = self._promised(prepared)
        if request.canary and What.TRIED not in self._before:
            tried = self._runs.canary(request, prepared, self._of.deployer.role_arn)
            self._note(What.TRIED, f"A canary succeeded: {tried}.", execution_arn=tried)
        before = snapshot.version_arn and production.version(snapshot.version_arn)
        changes = diff(read_machine(before.definition), definition) if before else []
        self._of.deployer.deploy()
        told = f"{len(changes)} changes." if before else "It is new."
        self._note(What.DEPLOYED, told, changes=[str(each) for each in changes])
        machine = self._verified(definition)
        version = production.publish(machine, description=f"{request.id} at {request.commit}")
        self._note(What.PUBLISHED, f"It is {version}.", version_arn=version)
        started = self._first_run(machine)
        self._record(machine, version, started)

    def _promised(self, prepared: str) -> Definition:
        """Return the prepared definition, if it is of the commit and the content that passed."""
        definition = read_machine(prepared)
        _refuse_other_code(definition, self._request)
        if digest(definition) != self._expected.digest:
            raise PlatformError(
                "With production's credentials the flow compiles to something else than in the"
                " sandbox. A flow must not depend on who compiles it."
            )
        return definition

    def _verified(self, definition: Definition) -> DeployedMachine:
        """Return the machine as it is now, if it and its schedule are as was promised."""
        request, expected = self._request, self._expected
        machine = self._of.production.machine(request.machine)
        if machine is None:
            raise PlatformError(
                f"Metaflow said that it deployed {request.machine}; it is not there."
            )
        now = read_machine(machine.definition)
        _refuse_other_code(now, request)
        if digest(now) != digest(definition):
            raise PlatformError(f"{request.machine} is not what was prepared.")
        schedule = schedule_of(self._of.production.rule(expected.rule))
        runs = schedule.expression if schedule and schedule.enabled else None
        if runs != expected.expression:
            raise PlatformError(
                f"The schedule of {request.machine} is {runs or 'none'}, and should be"
                f" {expected.expression or 'none'}."
            )
        self._note(What.VERIFIED, f"{request.machine} runs {request.commit}.")
        return machine

    def _first_run(self, machine: DeployedMachine) -> Started:
        started = self._runs.start(machine.arn, request=self._request)
        self._note(What.STARTED, f"Its first run is {started.arn}.", execution_arn=started.arn)
        if self._of.policy.wait_for is WaitFor.SUCCEEDED:
            self._runs.succeeded(started, "Its first run")
        return started

    def _record(self, machine: DeployedMachine, version: str, started: Started) -> None:
        request, now = self._request, self._of.clock()
        rule = self._of.production.rule(self._expected.rule)
        with self._of.ledger.transaction() as tx:
            last = deployments.latest(tx, request.account, request.machine)
            made = Deployment(
                account=request.account,
                machine=request.machine,
                machine_arn=machine.arn,
                promotion_id=request.id,
                kind=request.kind,
                digest=digest_of(machine),
                version_arn=version,
                revision=machine.revision,
                schedule=schedule_of(rule),
                deployed_at=now,
                deployed_by=request.actor,
                flow=request.flow,
                project=request.project,
                commit=request.commit,
                owner=request.owner,
                code_url=code_of(machine),
                replaced=last.id if last else None,
                execution_arn=started.arn,
            )
            deployed = deployments.add(tx, made)
            told = f"{request.machine} runs {request.commit}; first run {started.arn}."
            detail: dict[str, object] = {
                "deployment": deployed.id,
                "execution_arn": started.arn,
            }
            entry = Entry(what=What.SUCCEEDED, at=now, message=told, detail=detail)
            promotions.add(tx, request.id, entry)

    def _put_back(self, snapshot: Snapshot, error: Exception) -> None:
        names = {"machine": self._request.machine, "rule": self._expected.rule}
        try:
            done = put_back(self._of.production, snapshot, **names)
        except PlatformError as second:
            left = left_to_do(snapshot, **names)
            told = f"{error} It could not be put back: {second} Left to do: {left}"
            self._note(What.LEFT, told, error=str(error), left=left)
            return
        self._failed(error, done)

    def _failed(self, error: Exception, done: list[str]) -> None:
        if done:
            self._note(What.RESTORED, f"Put back: {'; '.join(done)}.", done=done)
        self._release("It failed, and production is as it was.")
        self._note(What.FAILED, f"{error} Production is as it was.", error=str(error))

    def _lock(self) -> FlowLock:
        request = self._request
        return FlowLock(
            account=request.account,
            machine=request.machine,
            promotion_id=request.id,
            repository=request.repository,
            pull_request=request.pull_request,
            taken_by=request.actor,
            taken_at=self._of.clock(),
        )

    def _release(self, reason: str) -> None:
        lock, now = self._lock(), self._of.clock()
        with self._of.ledger.transaction() as tx:
            flow_locks.release(tx, lock, actor=self._request.actor, reason=reason, now=now)

    def _note(self, what: What, message: str, **detail: object) -> None:
        entry = Entry(what=what, at=self._of.clock(), message=message, detail=detail)
        with self._of.ledger.transaction() as tx:
            promotions.add(tx, self._request.id, entry)


def _refuse_other_code(definition: Definition, request: Request) -> None:
    told = provenance(definition)
    if told.commit != request.commit or told.is_dirty is not False:
        state = "with changes" if told.is_dirty else "clean"
        raise PlatformError(
            f"What would be deployed is of {told.commit or 'no commit'}, {state}, and not of"
            f" {request.commit}."
        )
