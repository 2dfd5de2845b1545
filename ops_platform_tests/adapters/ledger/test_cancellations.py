"""What was done to stale jobs is recorded once, before it is done, and settled once."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from ops_platform.adapters.ledger import cancellations
from ops_platform.adapters.ledger.cancellations import ASKED_FOR_LONG
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.cancelling import Outcome
from ops_platform.domain.diagnosis import Figure
from ops_platform.domain.events import Attempt
from ops_platform.domain.staleness import Decision, Judged
from ops_platform_tests.build import ACCOUNT, NOON, RUN, after
from ops_platform_tests.build_stale import UNFIT, a_judgement

LATER = NOON + ASKED_FOR_LONG


def _ask(
    ledger: Ledger,
    judged: Judged | None = None,
    *,
    now: datetime = NOON,
    asked_by: str = "a run",
    execution_arn: str | None = None,
) -> Cancellation | None:
    with ledger.transaction() as tx:
        return cancellations.ask(
            tx, judged or a_judgement(), now=now, asked_by=asked_by, execution_arn=execution_arn
        )


def _settle(ledger: Ledger, asked: Cancellation | None, outcome: Outcome) -> Cancellation | None:
    assert asked is not None
    with ledger.transaction() as tx:
        return cancellations.settle(tx, asked.id, outcome, reason="why", now=after(2))


def _recent(ledger: Ledger, *, queue: str | None = None, **wanted: Any) -> list[Cancellation]:
    with ledger.transaction() as tx:
        return cancellations.recent(tx, Filter(**wanted), queue=queue)


def test_what_is_asked_is_recorded_with_its_reasons(emptied_ledger: Ledger) -> None:
    """All that the judgement rests on, and that nobody knows yet what comes of it."""
    asked = _ask(emptied_ledger, execution_arn="arn:execution")

    assert asked is not None
    assert asked == Cancellation(
        id=asked.id,
        account=ACCOUNT,
        job_id="5b0e9d3c-job",
        attempt=1,
        queue="flows",
        flow="TrainFlow",
        step="work",
        run_id=f"sfn-{RUN}",
        owner="ana",
        verdict="cancel",
        reason="fits nothing",
        policy="default",
        cause="too many vCPUs",
        diagnosis=UNFIT.sentence,
        advice=UNFIT.advice,
        evidence=(Figure("vCPUs", "999", "4"),),
        blocker="8f2c",
        execution_arn="arn:execution",
        runnable_since=NOON,
        judged_at=NOON,
        asked_by="a run",
        tries=1,
        outcome=Outcome.ASKED,
        outcome_reason=None,
        settled_at=None,
    )
    assert not asked.is_settled
    assert _recent(emptied_ledger) == [asked]


def test_a_job_is_asked_to_end_by_one_alone(emptied_ledger: Ledger) -> None:
    """Who comes second in the same attempt has nothing to do, until the first has looked."""
    assert _ask(emptied_ledger) is not None

    assert _ask(emptied_ledger, asked_by="another run") is None
    assert [each.asked_by for each in _recent(emptied_ledger)] == ["a run"]


def test_another_attempt_account_or_job_is_another_matter(emptied_ledger: Ledger) -> None:
    """A job that Batch has put back to wait is judged anew."""
    others = [
        a_judgement(),
        a_judgement(attempts=(Attempt(),)),
        a_judgement(account="staging"),
        a_judgement(job_id="8f2c"),
    ]

    asked = [_ask(emptied_ledger, judged) for judged in others]

    assert [each.attempt for each in asked if each] == [1, 2, 1, 1]


@pytest.mark.parametrize("outcome", [Outcome.CANCELLED, Outcome.FINISHED])
def test_what_has_come_to_its_end_is_not_asked_again(
    emptied_ledger: Ledger, outcome: Outcome
) -> None:
    """However long ago that was."""
    _settle(emptied_ledger, _ask(emptied_ledger), outcome)

    assert _ask(emptied_ledger, now=LATER + timedelta(days=1)) is None


@pytest.mark.parametrize("outcome", [Outcome.GONE, Outcome.STARTED, Outcome.RUN_STOPPED])
def test_what_waits_still_against_what_was_recorded_is_asked_again(
    emptied_ledger: Ledger, outcome: Outcome
) -> None:
    """But not before whoever recorded it has had his time."""
    first = _ask(emptied_ledger)
    _settle(emptied_ledger, first, outcome)

    assert _ask(emptied_ledger, now=LATER - timedelta(seconds=1)) is None
    again = _ask(emptied_ledger, now=LATER)

    assert again is not None
    assert (again.tries, again.outcome, again.settled_at) == (2, Outcome.ASKED, None)


def test_what_was_refused_is_tried_again(emptied_ledger: Ledger) -> None:
    """The permission that was missing may be there by now."""
    first = _ask(emptied_ledger)
    _settle(emptied_ledger, first, Outcome.REFUSED)

    again = _ask(emptied_ledger, now=after(60), asked_by="the next run")

    assert first is not None
    assert again is not None
    assert (again.id, again.tries, again.asked_by) == (first.id, 2, "the next run")
    assert (again.judged_at, again.outcome) == (after(60), Outcome.ASKED)
    assert (again.outcome_reason, again.settled_at) == (None, None)


def test_what_somebody_asked_who_never_looked_is_taken_over(emptied_ledger: Ledger) -> None:
    """He was killed; it is counted how often a job's end was asked for."""
    _ask(emptied_ledger)
    assert _ask(emptied_ledger, now=LATER - timedelta(seconds=1)) is None

    again = _ask(emptied_ledger, now=LATER)

    assert again is not None
    assert again.tries == 2
    assert _ask(emptied_ledger, now=LATER) is None


def test_of_two_who_ask_at_once_one_may(ledger: Ledger) -> None:
    """Whether for the first time or after a refusal."""
    for _ in range(3):
        granted = _at_once(ledger)

        assert len(granted) == 1
        _settle(ledger, granted[0], Outcome.REFUSED)


def _at_once(ledger: Ledger) -> list[Cancellation]:
    granted: list[Cancellation | None] = []
    begin = threading.Barrier(2)

    def ask() -> None:
        begin.wait()
        granted.append(_ask(ledger))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for each in granted if each is not None]


def test_what_came_of_it_is_recorded_once(emptied_ledger: Ledger) -> None:
    """The first word holds; whoever comes second learns that it is settled."""
    settled = _settle(emptied_ledger, asked := _ask(emptied_ledger), Outcome.STARTED)

    assert settled is not None
    assert settled.is_settled
    assert (settled.outcome, settled.outcome_reason) == (Outcome.STARTED, "why")
    assert settled.settled_at == after(2)
    assert _settle(emptied_ledger, asked, Outcome.CANCELLED) is None
    assert _recent(emptied_ledger) == [settled]


def test_what_is_not_settled_is_found(emptied_ledger: Ledger) -> None:
    """Of one account, the first asked first."""
    first, second, other = (
        _ask(emptied_ledger, a_judgement(job_id=job_id, account=account))
        for job_id, account in (("a", ACCOUNT), ("b", ACCOUNT), ("c", "staging"))
    )
    assert other is not None
    _settle(emptied_ledger, second, Outcome.GONE)

    with emptied_ledger.transaction() as tx:
        assert cancellations.unsettled(tx, ACCOUNT) == [first]
        assert cancellations.unsettled(tx, "staging") == [other]


def test_an_owner_is_warned_once_in_an_attempt(emptied_ledger: Ledger) -> None:
    """That is settled at once, and keeps nobody from the cancellation that follows."""
    judged = a_judgement(Decision.WARN)

    def warn(at: float) -> Cancellation | None:
        with emptied_ledger.transaction() as tx:
            return cancellations.warn(tx, judged, now=after(at), asked_by="a run")

    warned = warn(0)

    assert warned is not None
    assert (warned.verdict, warned.outcome, warned.settled_at) == ("warn", Outcome.WARNED, NOON)
    assert warn(60) is None
    assert _ask(emptied_ledger) is not None


def test_the_list_is_narrowed_and_newest_first(emptied_ledger: Ledger) -> None:
    """By account, queue, flow, outcome, time and number."""
    changed: list[dict[str, Any]]
    changed = [{}, {"queue": "gpu"}, {"flow": "OtherFlow"}, {"account": "staging"}]
    asked = [
        _ask(emptied_ledger, a_judgement(job_id=f"job-{at}", **changes), now=after(at))
        for at, changes in enumerate(changed)
    ]
    _settle(emptied_ledger, asked[0], Outcome.CANCELLED)

    def found(**wanted: Any) -> str:
        return "".join(each.job_id[-1] for each in _recent(emptied_ledger, **wanted))

    assert found() == "3210"
    assert found(limit=2) == "32"
    assert found(account=ACCOUNT) == "210"
    assert found(queue="gpu") == "1"
    assert found(flow="OtherFlow") == "2"
    assert found(status="cancelled") == "0"
    assert found(status="asked", since=after(2)) == "32"


def test_what_was_done_to_a_run_and_to_a_job_is_found(emptied_ledger: Ledger) -> None:
    """In all its attempts, in the order in which it was done."""
    first = _ask(emptied_ledger)
    second = _ask(emptied_ledger, a_judgement(attempts=(Attempt(),)), now=after(1))
    _ask(emptied_ledger, a_judgement(job_id="8f2c", run_id="sfn-other"))

    with emptied_ledger.transaction() as tx:
        assert cancellations.of_run(tx, ACCOUNT, f"sfn-{RUN}") == [first, second]
        assert cancellations.of_job(tx, ACCOUNT, "5b0e9d3c-job") == [first, second]
        assert cancellations.of_run(tx, "staging", f"sfn-{RUN}") == []
        assert cancellations.of_job(tx, ACCOUNT, "9a01") == []


def test_a_job_that_started_and_waits_again_may_be_asked_for_again(emptied_ledger: Ledger) -> None:
    """Batch may put a job back while it starts, without a new attempt."""
    first = _ask(emptied_ledger)
    _settle(emptied_ledger, first, Outcome.STARTED)

    assert _ask(emptied_ledger, now=after(60)) is None
    assert _ask(emptied_ledger, a_judgement(since=after(30)), now=after(9000)) is not None
