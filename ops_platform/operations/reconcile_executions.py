"""Fill what events missed: Step Functions delivers them by best effort, and its API knows better.

The ended executions of Metaflow's state machines are read from a watermark on, which moves only
when all are read. What the ledger does not know yet becomes events like those that were missed,
and goes the way of all events.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from ops_platform.adapters.aws_errors import FORBIDDEN, AwsError
from ops_platform.adapters.ledger import executions, state_machines, watched
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.state_machines import Remembered
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.events import ExecutionEvent
from ops_platform.domain.lifecycle import LOST, Execution
from ops_platform.domain.ports import Executions, ListedExecution
from ops_platform.operations.find_state_machines import find_state_machines
from ops_platform.operations.ingest_events import record_events
from ops_platform.operations.time_budget import TimeBudget, TimeIsUpError

# The lists of AWS are behind, nobody says by how much.
OVERLAP = timedelta(minutes=10)
# Longer than that AWS keeps no execution.
LONGEST_LOOK_BACK = timedelta(days=90)
# The many that succeeded are read after all that somebody waits to hear of.
URGENT = ("FAILED", "TIMED_OUT", "ABORTED")
REST = ("SUCCEEDED",)
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one reconciliation of an account came to.

    ``read`` executions were listed or described, ``filled`` of them told something new.
    ``unfinished`` of the ``machines`` will be read from where they were before.
    """

    account: str
    machines: int = 0
    read: int = 0
    filled: int = 0
    unfinished: int = 0
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles one account.

    ``look_back`` is how far the executions of a machine are read for the first time; one that is
    open for longer than ``interval`` is asked for by itself. ``show`` is told how many were read.
    """

    ledger: Ledger
    api: Executions
    account: str
    policy: AlertPolicy
    clock: Callable[[], datetime]
    look_back: timedelta
    interval: timedelta
    overlap: timedelta = OVERLAP
    show: Callable[[int], None] = lambda _: None

    def reconcile(self, *, seconds: float | None = None) -> Reconciled:
        """Read what there is, for so many seconds at most; the next time goes on from there."""
        began = self.clock()
        deadline = None if seconds is None else began + timedelta(seconds=seconds)
        with self.ledger.transaction() as tx:
            watched.begin(tx, [self.account], began)
            since = watched.since(tx, self.account)
        policy = replace(self.policy, not_before=since)
        tick = _Tick(self, policy, TimeBudget(self.clock, deadline), began)
        try:
            tick.work()
        except TimeIsUpError:
            pass
        except AwsError as error:
            tick.trouble.append(str(error))
        return tick.result()


@dataclass(slots=True)
class _Tick:
    """One reconciliation, and how far it came."""

    of: Reconciler
    policy: AlertPolicy
    budget: TimeBudget
    began: datetime
    machines: Sequence[Remembered] = ()
    finished: int = 0
    read: int = 0
    filled: int = 0
    trouble: list[str] = field(default_factory=list)

    def work(self) -> None:
        """Read all there is, what is urgent first."""
        of = self.of
        found = find_state_machines(of.ledger, of.api, account=of.account, budget=self.budget)
        self.machines = found.machines
        self.trouble += found.trouble
        begun: list[tuple[Remembered, datetime]] = []
        for machine in self.machines:
            with self._unless_forbidden():
                at = of.clock()
                self._read(machine, URGENT)
                begun.append((machine, at))
        for machine, at in begun:
            with self._unless_forbidden():
                self._read(machine, REST)
                self._finish(machine, at)
        self._ask_for_open()

    def result(self) -> Reconciled:
        """Return what it came to."""
        return Reconciled(
            account=self.of.account,
            machines=len(self.machines),
            read=self.read,
            filled=self.filled,
            unfinished=len(self.machines) - self.finished,
            trouble=tuple(self.trouble),
        )

    @contextmanager
    def _unless_forbidden(self) -> Iterator[None]:
        """Note that AWS forbids to read one machine, which is no reason to leave out the others."""
        try:
            yield
        except AwsError as error:
            if error.code not in FORBIDDEN:
                raise
            self.trouble.append(str(error))

    def _read(self, machine: Remembered, statuses: Iterable[str]) -> None:
        for status in statuses:
            self.budget.check()
            since = self._since(machine)
            listed = self.of.api.list_executions(machine.arn, status=status, since=since)
            while batch := list(islice(listed, _BATCH)):
                self.budget.check()
                self._count(len(batch))
                self._fill(self._unknown(batch))

    def _since(self, machine: Remembered) -> datetime:
        if machine.reconciled_until is None:
            return self.began - min(self.of.look_back, LONGEST_LOOK_BACK)
        return machine.reconciled_until - self.of.overlap

    def _finish(self, machine: Remembered, until: datetime) -> None:
        with self.of.ledger.transaction() as tx:
            state_machines.reconciled(tx, self.of.account, machine.arn, until=until)
        self.finished += 1

    def _unknown(self, listed: Sequence[ListedExecution]) -> dict[str, Execution | None]:
        """Return, of executions listed, those of whose end the ledger does not know."""
        with self.of.ledger.transaction() as tx:
            known = executions.load(tx, self.of.account, [each.arn for each in listed])
        return {
            each.arn: before
            for each in listed
            if not _knows_end(before := known.get(each.arn), each)
        }

    def _ask_for_open(self) -> None:
        """Describe what is open for long: its end may have been missed, and its machine be gone."""
        with self.of.ledger.transaction() as tx:
            still_open = executions.still_open(tx, self.of.account)
            machines = state_machines.load(tx, self.of.account)
        foreign = {arn for arn, machine in machines.items() if not machine.is_metaflow}
        wanted = sorted(
            (_changed_at(each), each.latest.execution_arn, each)
            for each in still_open
            # The run that a child belongs to tells how it went.
            if not each.is_map_child and each.latest.machine_arn not in foreign
        )
        ripe = iter([each for at, _, each in wanted if self.began - at >= self.of.interval])
        while batch := list(islice(ripe, _BATCH)):
            self._count(len(batch))
            self._fill({each.latest.execution_arn: each for each in batch})

    def _fill(self, wanted: Mapping[str, Execution | None]) -> None:
        """Describe executions, and record what is new of them, though AWS may fail meanwhile."""
        told: list[ExecutionEvent] = []
        try:
            told.extend(self._news(wanted))
        finally:
            self._record(told)

    def _news(self, wanted: Mapping[str, Execution | None]) -> Iterator[ExecutionEvent]:
        for arn, known in wanted.items():
            self.budget.check()
            event = self.of.api.describe_execution(arn)
            if event is None and known is not None:
                event = _lost(known, self.of.clock())
            if event is not None and not _knows(known, event):
                yield event

    def _record(self, told: Sequence[ExecutionEvent]) -> None:
        if told:
            recorded = record_events(
                self.of.ledger,
                told,
                accounts={event.aws_account_id: self.of.account for event in told},
                policy=self.policy,
                now=self.of.clock(),
            )
            self.filled += recorded.new

    def _count(self, read: int) -> None:
        self.read += read
        self.of.show(self.read)


def _knows_end(known: Execution | None, listed: ListedExecution) -> bool:
    return known is not None and any(
        (event.status, event.stopped_at) == (listed.status, listed.stopped_at)
        for event in (known.latest, known.failure)
        if event is not None
    )


def _knows(known: Execution | None, event: ExecutionEvent) -> bool:
    return known is not None and any(
        (each.status, each.stopped_at, each.redriven_at)
        == (event.status, event.stopped_at, event.redriven_at)
        for each in (known.latest, known.failure)
        if each is not None
    )


def _changed_at(execution: Execution) -> datetime:
    latest = execution.latest
    return max(at for at in (latest.time, latest.started_at, latest.redriven_at) if at)


def _lost(execution: Execution, now: datetime) -> ExecutionEvent:
    """Return the event of an execution that AWS no longer knows; it is not asked for again."""
    event_id = f"api:{execution.latest.execution_arn}:{LOST}"
    return msgspec.structs.replace(execution.latest, id=event_id, time=now, status=LOST)
