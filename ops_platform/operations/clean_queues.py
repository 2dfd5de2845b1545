"""Clean an account of jobs that can never start: judge all that wait, and cancel the stale ones.

It acts on production, so it only judges unless it is told to enforce. What may go wrong:

- A job starts, or is retried, after it was listed: it is described and judged anew right before
  ``CancelJob``, which does nothing to a job that has started; then it is described again.
- The process dies between asking and recording: the row that says so was committed before, and the
  next cleaning looks what became of the job (`settle_cancellations`).
- Two clean at once: a lease keeps the second away, and were it lost, each job is asked for once.
- The queue is at fault, not its jobs: then none of them is cancelled (`Breaker`).
- AWS throttles, forbids or fails: what was not looked at is left for the next time.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.aws_patience import AwsBusyError
from ops_platform.adapters.ledger import leases, queue_state
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.batch_ports import BatchQueues, InstanceTypes, RunStopper
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.capacity import Queue
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.stale_policy import Policies
from ops_platform.domain.staleness import Breaker
from ops_platform.operations.cancel_stale_jobs import Canceller
from ops_platform.operations.cleaned import Cleaned
from ops_platform.operations.find_blocked_queues import find_blocked_queues
from ops_platform.operations.judge_waiting_jobs import AccountJudge
from ops_platform.operations.settle_cancellations import settle_unsettled
from ops_platform.operations.stale_findings import (
    Findings,
    ShownLimit,
    in_all,
    most_pressing,
)
from ops_platform.operations.time_budget import TimeBudget, TimeIsUpError

LEASE = "stale jobs "
_HELD = "Another cleanup of {} is at work; it, or the next one, does what is to be done."
# Of the time there is, as much is for looking; the rest is for acting on what was found.
_LOOKING = 0.8
_TURN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """Cleans one account.

    ``asked_by`` is whoever answers for what is cancelled. ``clock`` is the one that all hosts
    share. ``holder`` names this cleaner alone.
    """

    ledger: Ledger
    api: BatchQueues
    types: InstanceTypes
    runs: RunStopper
    account: str
    policies: Policies
    clock: Callable[[], datetime]
    asked_by: str
    holder: str = field(default_factory=lambda: uuid4().hex)
    sleep: Callable[[float], None] = time.sleep
    lease: timedelta = timedelta(minutes=2)

    def clean(
        self,
        *,
        enforce: bool,
        despite_fault: bool = False,
        queue: str | None = None,
        settle: bool = True,
        seconds: float | None = None,
        show: Callable[[int], None] = lambda _: None,
    ) -> Cleaned:
        """Judge all jobs that wait, and cancel the stale ones if told to.

        Args:
            enforce: Cancel, rather than only say what would be cancelled.
            despite_fault: Cancel also in a queue that is itself at fault.
            queue: Look at that queue only.
            settle: Record what came of earlier cancellations, which is all that is written without
                ``enforce``.
            seconds: Stop after that time; what is left is for the next cleaning.
            show: Told how many jobs were looked at so far.

        Raises:
            PlatformError: There is no such queue.
        """
        began = self.clock()
        cleaning = _Cleaning(
            self, began, enforce, seconds, show, calls_before=self.api.calls.copy()
        )
        if enforce and not self.renew(began):
            held = _HELD.format(self.account)
            return Cleaned(self.account, enforce, unfinished=True, delays=(held,))
        try:
            cleaning.work(queue, despite_fault=despite_fault, settle=settle)
        finally:
            if enforce:
                with self.ledger.transaction() as tx:
                    leases.give_back(tx, LEASE + self.account, holder=self.holder)
        return cleaning.result()

    def renew(self, now: datetime) -> bool:
        """Take the lease, or keep it; False while somebody else has it."""
        name = LEASE + self.account
        with self.ledger.transaction() as tx:
            return leases.take(tx, name, holder=self.holder, now=now, length=self.lease)


@dataclass(slots=True)
class _Cleaning:
    """One cleaning, and how far it came."""

    of: Cleaner
    began: datetime
    enforce: bool
    seconds: float | None
    show: Callable[[int], None]
    calls_before: Counter[str]
    findings: list[Findings] = field(default_factory=list)
    settled: list[Cancellation] = field(default_factory=list)
    cancelled: list[Cancellation] = field(default_factory=list)
    whole: bool = True
    unfinished: bool = False
    delays: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    cleared: set[str] = field(default_factory=set)
    _share: float = _LOOKING

    def work(self, wanted: str | None, *, despite_fault: bool, settle: bool) -> None:
        """Settle what is left over, look at the queues, and act."""
        if settle:
            self._go_on_after(self._settle_left_over)
        self.whole = wanted is None
        self._go_on_after(partial(self._look, wanted))
        breaker = Breaker(self.of.policies.breaker_runs)
        for each in self._whole():
            each.judge_queue(breaker, despite_fault=despite_fault, now=self.of.clock())
        if settle:
            self._remember()
        if self.enforce:
            self._share = 1.0
            self._go_on_after(partial(self._act, None if despite_fault else breaker))

    def result(self) -> Cleaned:
        """Return what it came to."""
        oldest = min((each.oldest for each in self.findings if each.oldest), default=None)
        whole = self._whole()
        return Cleaned(
            account=self.of.account,
            enforce=self.enforce,
            judged=tuple(judged for each in self.findings for judged in each.shown.values()),
            counts=in_all(self.findings),
            waiting=sum(each.waiting for each in self.findings),
            oldest=self.of.clock() - oldest if oldest else None,
            calls=self.of.api.calls - self.calls_before,
            cancelled=tuple(self.cancelled),
            settled=tuple(self.settled),
            blocked=find_blocked_queues(whole, self.cleared),
            queues=tuple(each.queue.name for each in whole),
            concerns=frozenset().union(*(each.concerns for each in self.findings)),
            whole=self.whole and not self.unfinished,
            unfinished=self.unfinished,
            delays=tuple(dict.fromkeys(self.delays)),
            trouble=tuple(dict.fromkeys(self.trouble)),
        )

    def check(self) -> None:
        """Raise what ends the work early: time is up, or somebody else has the lease."""
        now = self.of.clock()
        if self.seconds is not None:
            share = timedelta(seconds=self.seconds * self._share)
            TimeBudget(lambda: now, self.began + share).check()
        if self.enforce and not self.of.renew(now):
            self.delays.append(_HELD.format(self.of.account))
            raise TimeIsUpError

    def _settle_left_over(self) -> None:
        of = self.of
        self.settled += settle_unsettled(of.ledger, of.api, of.account, clock=of.clock)

    def _judge(self) -> AccountJudge:
        """Read the queues as they are now."""
        of = self.of
        return AccountJudge(
            ledger=of.ledger,
            api=of.api,
            account=of.account,
            policies=of.policies,
            queues=of.api.queues(),
            offered=of.types.all(),
            clock=of.clock,
            check=self.check,
        )

    def _look(self, wanted: str | None) -> None:
        """Judge what waits, queue by queue."""
        judge, shown_limit = self._judge(), ShownLimit()
        for queue in _in_turn(_chosen(judge.queues, wanted, self.of.account), self.began):
            findings = Findings(queue, self.of.policies.most, shown_limit)
            self.findings.append(findings)
            if not self._go_on_after(partial(judge.read, findings, self._show)):
                return

    def _remember(self) -> None:
        """Record which queues are out of order, for when they are repaired."""
        broken = [each.queue.name for each in self.findings if each.out_of_order]
        with self.of.ledger.transaction() as tx:
            queue_state.note_out_of_order(tx, self.of.account, broken, self.of.clock())

    def _act(self, breaker: Breaker | None) -> None:
        """End the most pressing of the stale jobs."""
        of, wanted = self.of, most_pressing(self._whole(), self.of.policies.most)
        if not wanted:
            return
        canceller = Canceller(self._judge(), of.runs, of.asked_by, of.sleep, breaker)
        for findings, jobs in wanted:
            if not self._go_on_after(partial(canceller.end, findings, jobs)):
                break
        self.cancelled += canceller.done
        self.trouble += canceller.trouble
        self.cleared |= canceller.cleared

    def _whole(self) -> list[Findings]:
        """Return what was found of the queues that were looked at whole.

        Of another one nobody knows how many of its jobs are stale at once.
        """
        return [each for each in self.findings if each.finished]

    def _show(self, _more: int) -> None:
        self.show(sum(each.waiting for each in self.findings))

    def _go_on_after(self, step: Callable[[], object]) -> bool:
        """Do a step; return False if it is no use to try the next one now."""
        try:
            step()
        except TimeIsUpError:
            self.unfinished = True
            return False
        except AwsBusyError as error:
            self.unfinished = True
            self.delays.append(str(error))
            return False
        except AwsError as error:
            self.unfinished = True
            self.trouble.append(str(error))
        return True


def _chosen(queues: Sequence[Queue], wanted: str | None, account: str) -> list[Queue]:
    found = [each for each in queues if wanted in {None, each.name}]
    if wanted is not None and not found:
        known = ", ".join(sorted(each.name for each in queues)) or "none at all"
        raise PlatformError(f"{account} has no queue named {wanted}. It has {known}.")
    return found


def _in_turn(queues: Sequence[Queue], now: datetime) -> list[Queue]:
    """Return the queues beginning with another one each time, lest some be never come to."""
    ordered = sorted(queues, key=lambda each: each.name)
    first = int(now.timestamp() // _TURN.total_seconds()) % max(len(ordered), 1)
    return ordered[first:] + ordered[:first]
