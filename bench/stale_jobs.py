"""What a cleaning of an account costs in which very many jobs wait: calls, seconds, memory.

The ledger is real, and all of the adapter but the network: Batch answers at once. The calls are
compared with the least that could do: to list every page, and once more for arrays; to ask for
each queue's front; to describe what is stale before and after, a hundred at a time, and to cancel
it. Where the pace we keep with AWS has us wait, the clock is put forward; that time is told beside.
"""

import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from bench.database import Bench
from bench.results import Result
from bench.waiting_jobs import ACCOUNT, TYPES, Account
from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.adapters.ledger import jobs
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.capacity import InstanceType
from ops_platform.domain.stale_policy import Policies
from ops_platform.operations.clean_queues import Cleaner

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

_QUEUES = 20
_SIZES = (1_000, 10_000, 100_000)
_BATCH = 5000
_MOST_CALLS = 1.1
_MOST_GROWTH = 1.5


class _Types:
    """What EC2 offers."""

    def all(self) -> Sequence[InstanceType]:
        """Return the instance types."""
        return TYPES


class _Nobody:
    """Stops no runs."""

    def stop(self, execution_arn: str, *, error: str, cause: str) -> bool:
        """Refuse."""
        raise NotImplementedError((execution_arn, error, cause))


@dataclass(frozen=True, slots=True)
class _Measured:
    """One cleaning; ``paced`` are the seconds that the pace would have made it wait."""

    account: Account
    seconds: float
    paced: float

    @property
    def calls(self) -> int:
        """The calls it made."""
        return self.account.requests.total()


def stale_jobs(bench: Bench) -> Iterator[Result]:
    """Clean accounts of several sizes, and the largest without events."""
    runs = [_measure(bench, size) for size in _SIZES]
    yield from _largest(runs[-1])
    small, large = runs[0], runs[-1]
    growth = (large.seconds / _SIZES[-1]) / (small.seconds / _SIZES[0])
    told = ", ".join(f"{run.seconds:.2f} s" for run in runs)
    yield Result(
        name="a cleaning of 1,000, 10,000 and 100,000 jobs that wait",
        measured=f"{told}: a job costs {growth:.2f} times",
        target=f"≤ {_MOST_GROWTH:g} times (linear)",
        met=growth <= _MOST_GROWTH,
    )
    yield Result(
        name="its memory at most, with 1,000 and 100,000 jobs that wait",
        measured=" and ".join(f"{_peak(bench, size) / 1e6:.1f} MB" for size in (1_000, 100_000)),
    )
    deaf = _measure(bench, _SIZES[-1], known=False)
    yield Result(
        name="the cleaning of 100,000 jobs of which no event has come",
        measured=f"{deaf.calls:,} calls, {deaf.seconds:.1f} s, {deaf.paced:.0f} s of pacing",
    )


def _largest(run: _Measured) -> Iterator[Result]:
    minimum = run.account.minimum()
    ratio = run.calls / minimum
    yield Result(
        name="clean 100,000 jobs that wait in 20 queues, 1,000 of them stale",
        measured=f"{run.calls:,} calls, {ratio:.3f} times {minimum:,}",
        target=f"≤ {_MOST_CALLS:g} times the least",
        met=ratio <= _MOST_CALLS,
    )
    yield Result(
        name="its time, and what the pace of calls to AWS adds",
        measured=f"{run.seconds:.1f} s, and {run.paced:.0f} s",
    )


def _measure(bench: Bench, size: int, *, known: bool = True) -> _Measured:
    with bench.ledger() as ledger:
        account, pace = _fill(ledger, size, known=known), _Pace()
        cleaner = _cleaner(ledger, account, pace)
        started = time.perf_counter()
        cleaned = cleaner.clean(enforce=True)
        seconds = time.perf_counter() - started
        if (cleaned.waiting, len(cleaned.cancelled)) != (size, account.stale):
            raise RuntimeError(f"That was no whole cleaning: {cleaned.trouble}")
        return _Measured(account, seconds, pace.waited)


def _peak(bench: Bench, size: int) -> int:
    with bench.ledger() as ledger:
        cleaner = _cleaner(ledger, _fill(ledger, size, known=True), _Pace())
        tracemalloc.start()
        cleaner.clean(enforce=True)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak


class _Pace:
    """Time that passes at once where the adapter waits, and is added up."""

    def __init__(self) -> None:
        self.waited = 0.0

    def clock(self) -> float:
        """Return the time."""
        return time.monotonic() + self.waited

    def sleep(self, seconds: float) -> None:
        """Wait, but do not."""
        self.waited += seconds


def _cleaner(ledger: Ledger, account: Account, pace: _Pace) -> Cleaner:
    types = _Types()
    api = AwsBatchQueues(
        cast("BatchClient", account),
        account=ACCOUNT,
        types=types,
        sleep=pace.sleep,
        pacer=Pacer(clock=pace.clock, sleep=pace.sleep),
    )
    return Cleaner(
        ledger=ledger,
        api=api,
        types=types,
        runs=_Nobody(),
        account=ACCOUNT,
        policies=Policies(most=account.stale),
        clock=lambda: ledger.now() + timedelta(seconds=pace.waited),
        asked_by="the benchmark",
        sleep=pace.sleep,
    )


def _fill(ledger: Ledger, size: int, *, known: bool) -> Account:
    """Return an account of that size, of which the ledger has heard all or nothing."""
    stale = max(size // 100, _QUEUES)
    account = Account(jobs=size, stale=stale, queues=_QUEUES, now=ledger.now())
    told = account.known() if known else iter(())
    while some := list(islice(told, _BATCH)):
        with ledger.transaction() as tx:
            jobs.save(tx, some)
    with ledger.transaction() as tx:
        tx.execute(sa.text("ANALYZE"))
    return account
