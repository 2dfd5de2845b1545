"""What every change of production has in common: lock, snapshot, record, and putting back."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import cast

import msgspec

from ops_platform.adapters.ledger import deployments, flow_locks, promotions
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.deployed_machines import DeployedMachine, DeployedMachines, MovedError
from ops_platform.domain.deployers import Snapshot
from ops_platform.domain.deployments import Deployment, code_of, digest_of, judge_drift
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Finding
from ops_platform.domain.flow_locks import FlowLock, judge_lock
from ops_platform.domain.promotions import ENDS, Entry, Request, Status, What
from ops_platform.operations.one_at_a_time import Turn
from ops_platform.operations.put_back import left_to_do, put_back
from ops_platform.operations.tell_changes import tell_change


@dataclass(slots=True, kw_only=True)
class ProductionChange:
    """One change on its way; ``rule`` is the name that the machine's rule has or would have.

    ``alerts`` is what becomes of a failure. ``clock`` is the ledger's. ``done`` is the last entry
    of each kind so far, whoever made it.
    """

    ledger: Ledger
    production: DeployedMachines
    alerts: AlertPolicy
    clock: Callable[[], datetime]
    turn: Turn
    rule: str
    done: dict[What, Entry] = field(init=False)

    def __post_init__(self) -> None:
        """Look what was done already."""
        self.done = {entry.what: entry for entry in self.turn.recorded.entries}

    @property
    def request(self) -> Request:
        """What was asked."""
        return self.turn.recorded.request

    @property
    def is_over(self) -> bool:
        """Whether it has ended, whichever way."""
        return not ENDS.isdisjoint(self.done)

    def admitted(self, *, despite_drift: bool = False) -> bool:
        """Take the lock and look for drift; record the refusal, or that it goes on."""
        lock = self._lock()
        with self.ledger.transaction() as tx:
            held = flow_locks.take(tx, lock, reason=self.request.reason)
        if self.refused(judge_lock(held, lock, self.clock())):
            return False
        try:
            drifted = not despite_drift and self.refused(self.drift())
        except PlatformError as error:
            self._failed(error, [])
            return False
        if drifted:
            self.release("It was refused.")
            return False
        self.note(What.LOCKED, f"{lock.holder} holds {self.request.machine}.")
        return True

    def refused(self, finding: Finding) -> bool:
        """Tell whether a finding stops the change, and record it if so."""
        if finding.stops:
            told = " ".join(filter(None, (finding.message, finding.fix)))
            self.refuse(told, check=finding.name)
        return finding.stops

    def refuse(self, message: str, **detail: object) -> None:
        """Record that it is refused."""
        self.note(What.REFUSED, f"Nothing was touched: {message}", **detail)

    def drift(self) -> Finding:
        """Return whether the machine is as we last deployed it."""
        machine = self.production.machine(self.request.machine)
        return judge_drift(self.latest(), machine, self.production.rule(self.rule))

    def latest(self) -> Deployment | None:
        """Return the last deployment on record."""
        with self.ledger.transaction() as tx:
            return deployments.latest(tx, self.request.account, self.request.machine)

    def guarded(self, change: Callable[[Snapshot], None]) -> None:
        """Make a change after what runs was kept; put that back if the change fails."""
        try:
            snapshot = self._kept()
        except PlatformError as error:
            self._failed(error, [])
            return
        try:
            change(snapshot)
        except Exception as error:
            if self._has_ended():  # on record: what it came to stays
                raise
            self._put_back(snapshot, error)
            if not isinstance(error, PlatformError):
                raise

    def begin_changing(self, snapshot: Snapshot) -> None:
        """Record that production is changed from here on, if it is still as it was kept.

        Whoever goes on after that is not asked again: what is there may be half a change.

        Raises:
            MovedError: Somebody changed the machine or its schedule meanwhile.
            LedgerError: Somebody else may be changing it right now.
        """
        self.turn.keep()
        if What.DEPLOYING in self.done:
            return
        name, version = self.request.machine, snapshot.version_arn
        now = self.production.machine(name)
        before = self.production.version(version) if version else None
        same = _content(now) == _content(before)
        if not same or self.production.rule(self.rule) != snapshot.rule:
            raise MovedError(f"Somebody changed {name} meanwhile. Look at it, then ask again.")
        self.note(What.DEPLOYING, f"{name} is changed from here on.")

    def overtaken(self) -> bool:
        """Tell whether somebody deployed since this was begun; end it then, and touch nothing."""
        kept, last = self.done.get(What.KEPT), self.latest()
        if kept is None or last is None or last.promotion_id == self.request.id:
            return False
        if last.deployed_at <= kept.at:
            return False
        self.release("Somebody has deployed since.")
        told = f"{last.promotion_id} of {last.deployed_by} has deployed {last.machine} since."
        self.note(What.FAILED, f"{told} Nothing was touched again.")
        return True

    def publish(self, machine: DeployedMachine) -> str:
        """Publish a version of what runs now, and record it."""
        described = f"{self.request.id} at {self.request.commit}"
        version = self.production.publish(machine, description=described)
        self.note(What.PUBLISHED, f"It is {version}.", version_arn=version)
        return version

    def succeed(self, machine: DeployedMachine, deployment: dict[str, object], told: str) -> None:
        """Record the deployment and the success, both or none."""
        request, now = self.request, self.clock()
        rule = self.production.rule(self.rule)
        with self.ledger.transaction() as tx:
            last = deployments.latest(tx, request.account, request.machine)
            seen: dict[str, object] = {
                "account": request.account,
                "machine": request.machine,
                "machine_arn": machine.arn,
                "promotion_id": request.id,
                "kind": request.kind,
                "digest": digest_of(machine),
                "revision": machine.revision,
                "rule": rule,
                "deployed_at": now,
                "deployed_by": request.actor,
                "flow": request.flow,
                "project": request.project,
                "commit": request.commit,
                "owner": request.owner,
                "code_url": code_of(machine),
                "replaced": last.id if last else None,
            }
            made = deployments.add(tx, Deployment(**(seen | deployment)))  # type: ignore[arg-type]
            detail: dict[str, object] = {
                "deployment": made.id,
                "execution_arn": made.execution_arn,
            }
            entry = Entry(what=What.SUCCEEDED, at=now, message=told, detail=detail)
            self._add(tx, entry)
        self.done[What.SUCCEEDED] = entry

    def release(self, reason: str) -> None:
        """Give the lock back if this very change took it.

        The pull request may hold it for an earlier one, which still runs in production.
        """
        lock, now = self._lock(), self.clock()
        with self.ledger.transaction() as tx:
            held = flow_locks.holder(tx, lock.account, lock.machine)
            if held is not None and held.promotion_id == self.request.id:
                flow_locks.release(tx, lock, actor=self.request.actor, reason=reason, now=now)

    def note(self, what: What, message: str, **detail: object) -> None:
        """Record a thing that was done."""
        entry = Entry(what=what, at=self.clock(), message=message, detail=detail)
        with self.ledger.transaction() as tx:
            self._add(tx, entry)
        self.done[what] = entry

    def _add(self, tx: Transaction, entry: Entry) -> None:
        """Record a thing that was done, and tell of it if it is an end that has to be told."""
        promotions.add(tx, self.request.id, entry)
        tell_change(tx, self.request, entry, policy=self.alerts)

    def _has_ended(self) -> bool:
        """Tell whether its end is on record, also where the answer to writing it was lost."""
        if self.is_over:
            return True
        try:
            with self.ledger.transaction() as tx:
                recorded = promotions.get(tx, self.request.id)
        except PlatformError:
            return False
        return recorded is not None and recorded.status is not Status.RUNNING

    def _kept(self) -> Snapshot:
        """Return what ran before anything was changed; publish and record it first."""
        if What.KEPT in self.done:
            return msgspec.convert(self.done[What.KEPT].detail, Snapshot)
        name = self.request.machine
        machine = self.production.machine(name)
        described = f"before {self.request.id}"
        version = self.production.publish(machine, description=described) if machine else None
        logged = machine.logging if machine else None
        snapshot = Snapshot(
            version_arn=version, rule=self.production.rule(self.rule), logging=logged
        )
        told = f"{name} is kept as {version}." if machine else f"{name} is new."
        self.note(What.KEPT, told, **cast("dict[str, object]", asdict(snapshot)))
        return snapshot

    def _put_back(self, snapshot: Snapshot, error: Exception) -> None:
        if What.DEPLOYING not in self.done:  # what somebody else did meanwhile is left alone
            self._failed(error, [])
            return
        self.turn.keep()
        names = {"machine": self.request.machine, "rule": self.rule}
        try:
            done = put_back(self.production, snapshot, **names)
            strays = self._strays()
        except PlatformError as second:
            left = left_to_do(snapshot, **names)
            told = f"{error} It could not be put back: {second} Left to do: {left}"
            self.note(What.LEFT, told, error=str(error), left=left)
            return
        if strays:
            left = f"Delete {', '.join(strays)} and what starts them."
            self.note(What.LEFT, f"{error} Left to do: {left}", error=str(error), left=left)
            return
        self._failed(error, done)

    def _strays(self) -> list[str]:
        """Return machines that this deployed under other names: a flow can draw its own."""
        if What.DEPLOYED not in self.done or What.VERIFIED in self.done:
            return []
        others = (name for name in self.production.names() if name != self.request.machine)
        found = filter(None, map(self.production.machine, others))
        return [each.name for each in found if f"promotion:{self.request.id}" in each.definition]

    def _failed(self, error: Exception, done: list[str]) -> None:
        if done:
            self.note(What.RESTORED, f"Put back: {'; '.join(done)}.", done=done)
        self.release("It failed, and production is as it was.")
        changed = What.DEPLOYING in self.done
        told = "Production is as it was." if changed else "It has changed nothing in production."
        self.note(What.FAILED, f"{error} {told}", error=str(error))

    def _lock(self) -> FlowLock:
        request = self.request
        return FlowLock(
            account=request.account,
            machine=request.machine,
            promotion_id=request.id,
            repository=request.repository,
            pull_request=request.pull_request,
            taken_by=request.actor,
            taken_at=self.clock(),
        )


def _content(machine: DeployedMachine | None) -> tuple[str, str] | None:
    return (machine.definition, machine.role_arn) if machine else None
