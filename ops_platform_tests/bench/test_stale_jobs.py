"""The account that the cleanup is measured with is one, and the least number of calls is right."""

from collections import Counter

from bench.stale_jobs import _cleaner, _fill, _Pace
from ops_platform.adapters.ledger.database import Ledger


def test_what_is_stale_is_cancelled_and_the_rest_waits(emptied_ledger: Ledger) -> None:
    """In a small account as in the large one."""
    account = _fill(emptied_ledger, 2_000, known=True)

    cleaned = _cleaner(emptied_ledger, account, _Pace()).clean(enforce=True)

    stale = {job.id for jobs in account.waiting.values() for job in jobs if job.is_stale}
    assert set(account.cancelled) == stale
    assert len(stale) == account.stale == 20
    assert cleaned.calls == account.requests
    assert (cleaned.waiting, cleaned.trouble, cleaned.blocked) == (2_000, (), ())


def test_the_least_is_what_each_call_is_for(emptied_ledger: Ledger) -> None:
    """Here as much as that, and what looking again right before costs."""
    account = _fill(emptied_ledger, 2_000, known=True)
    _cleaner(emptied_ledger, account, _Pace()).clean(enforce=True)

    least = Counter(
        DescribeJobQueues=1,
        DescribeComputeEnvironments=1,
        ListJobs=20 + 20,
        GetJobQueueSnapshot=20,
        DescribeJobs=2,
        CancelJob=20,
    )
    assert account.minimum() == least.total()
    assert account.requests - least == Counter(
        DescribeJobQueues=1, DescribeComputeEnvironments=1, DescribeJobs=3 * 20 - 2
    )
