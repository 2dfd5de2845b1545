"""What every change of production has in common: lock, snapshot, record, and putting back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import cast

import msgspec

from ops_platform.adapters.ledger import deployments, flow_locks, promotions
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.deployed_machines import DeployedMachine, DeployedMachines
from ops_platform.domain.deployers import Snapshot
from ops_platform.domain.deployments import Deployment, code_of, digest_of, judge_drift
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Finding
from ops_platform.domain.flow_locks import FlowLock, judge_lock
from ops_platform.domain.promotions import ENDS, Entry, Request, Status, What
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
    recorded: Recorded
    rule: str
    done: dict[What, Entry] = field(init=False)

    def __post_init__(self) -> None:
        """Look what was done already."""
        self.done = {entry.what: entry for entry in self.recorded.entries}

    @property
    def request(self) -> Request:
        """What was asked."""
        return self.recorded.request

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
        snapshot = Snapshot(version_arn=version, rule=self.production.rule(self.rule))
        told = f"{name} is kept as {version}." if machine else f"{name} is new."
        self.note(What.KEPT, told, **cast("dict[str, object]", asdict(snapshot)))
        return snapshot

    def _put_back(self, snapshot: Snapshot, error: Exception) -> None:
        names = {"machine": self.request.machine, "rule": self.rule}
        try:
            done = put_back(self.production, snapshot, **names)
        except PlatformError as second:
            left = left_to_do(snapshot, **names)
            told = f"{error} It could not be put back: {second} Left to do: {left}"
            self.note(What.LEFT, told, error=str(error), left=left)
            return
        self._failed(error, done)

    def _failed(self, error: Exception, done: list[str]) -> None:
        if done:
            self.note(What.RESTORED, f"Put back: {'; '.join(done)}.", done=done)
        self.release("It failed, and production is as it was.")
        self.note(What.FAILED, f"{error} Production is as it was.", error=str(error))

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


@contextmanager
def sole(ledger: Ledger, request: Request) -> Iterator[Recorded]:
    """Put a request on record, and keep everybody else from its machine while the block lasts.

    Raises:
        PlatformError: Somebody else changes it right now, or the ledger does not answer.
    """
    with ledger.alone(f"the promotion of {request.machine} in {request.account}"):
        with ledger.transaction() as tx:
            recorded = promotions.ask(tx, request)
        yield recorded


def once(ledger: Ledger, request: Request, change: Callable[[Recorded], None]) -> Recorded:
    """Make a change that was asked for, unless it has ended already; return its record.

    Nobody else changes the same machine meanwhile.

    Raises:
        PlatformError: Somebody else does so right now, or the ledger does not answer.
    """
    with sole(ledger, request) as recorded:
        if recorded.status is Status.RUNNING:
            change(recorded)
        with ledger.transaction() as tx:
            return promotions.ask(tx, request)
