"""Every verdict, with its reason; and that no healthy job is ever cancelled."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ops_platform.domain.causes import Cause, Fault
from ops_platform.domain.exemptions import Exemption
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import (
    Breaker,
    Decision,
    Judged,
    Verdict,
    Why,
    hold_back,
    judge,
)
from ops_platform.domain.waiting_jobs import WaitingJob
from ops_platform_tests.build import NOON, a_job_event, after
from ops_platform_tests.build_stale import a_diagnosis, a_waiting_job, with_fault

MINUTE, HOUR = 60, 3600
DEFAULT = Policy()
BY_AGE = Policy(by_age=True)
WARNING = Policy(warn_before=timedelta(minutes=30))
FOREIGN = {"flow": None, "step": None, "run_id": None}
EXEMPTION = Exemption("a wait", after(24 * HOUR), tag=("team", "fin*"))


def _job(**changes: Any) -> WaitingJob:
    return a_waiting_job(a_job_event(**changes))


@pytest.mark.parametrize(
    ("job", "fault", "policy", "minutes", "verdict"),
    [
        (_job(), Fault.JOB, DEFAULT, 15, (Decision.KEEP, Why.YOUNG)),
        (_job(), Fault.JOB, DEFAULT, 16, (Decision.CANCEL, Why.UNFIT)),
        (_job(), Fault.STUCK, DEFAULT, 120, (Decision.KEEP, Why.YOUNG)),
        (_job(), Fault.STUCK, DEFAULT, 121, (Decision.CANCEL, Why.STUCK)),
        (_job(), Fault.QUEUE, DEFAULT, 121, (Decision.CANCEL, Why.STUCK)),
        (_job(), Fault.TURN, DEFAULT, 9999, (Decision.WARN, Why.WAITS_ITS_TURN)),
        (_job(), Fault.TURN, DEFAULT, 119, (Decision.KEEP, Why.YOUNG)),
        (_job(), Fault.BEHIND, DEFAULT, 9999, (Decision.WARN, Why.BEHIND_ANOTHER)),
        (_job(), Fault.TURN, BY_AGE, 121, (Decision.CANCEL, Why.BY_AGE)),
        (_job(), Fault.BEHIND, BY_AGE, 121, (Decision.CANCEL, Why.BY_AGE)),
        (_job(), Fault.TURN, BY_AGE, 119, (Decision.KEEP, Why.YOUNG)),
        (_job(), Fault.STUCK, WARNING, 91, (Decision.WARN, Why.SOON)),
        (_job(), Fault.STUCK, WARNING, 89, (Decision.KEEP, Why.YOUNG)),
        (_job(), Fault.TURN, WARNING, 91, (Decision.KEEP, Why.YOUNG)),
        (
            _job(status="PENDING"),
            Fault.STUCK,
            DEFAULT,
            9999,
            (Decision.KEEP, Why.DEPENDENCY_PENDING),
        ),
        (_job(status="STARTING"), Fault.JOB, DEFAULT, 9999, (Decision.KEEP, Why.NOT_RUNNABLE)),
        (_job(status="FAILED"), Fault.JOB, DEFAULT, 9999, (Decision.KEEP, Why.NOT_RUNNABLE)),
        (_job(cancelled=True), Fault.JOB, DEFAULT, 9999, (Decision.KEEP, Why.ALREADY_CANCELLED)),
        (_job(terminated=True), Fault.JOB, DEFAULT, 9999, (Decision.KEEP, Why.ALREADY_CANCELLED)),
        (_job(**FOREIGN), Fault.JOB, DEFAULT, 9999, (Decision.KEEP, Why.NOT_OURS)),
        (_job(**FOREIGN), Fault.JOB, Policy(foreign=True), 16, (Decision.CANCEL, Why.UNFIT)),
        (_job(), Fault.JOB, DEFAULT, -600, (Decision.KEEP, Why.YOUNG)),
    ],
)
def test_a_job_is_judged(
    job: WaitingJob, fault: Fault, policy: Policy, minutes: int, verdict: tuple[Decision, Why]
) -> None:
    """By what is the matter with it, and for how long."""
    found = judge(job, with_fault(fault), policy, after(minutes * MINUTE))

    assert (found.decision, found.why) == verdict


def test_a_verdict_says_when_the_job_was_due() -> None:
    """For the warning, and for whoever asks."""
    verdict = judge(_job(), with_fault(Fault.STUCK), WARNING, after(91 * MINUTE))

    assert (verdict.since, verdict.due_at) == (after(1), after(120 * MINUTE + 1))


def test_a_job_whose_beginning_is_unknown_is_kept() -> None:
    """Nobody can tell how long it waits."""
    waiting = a_waiting_job(a_job_event(created_at=None, blocked=True))

    verdict = judge(waiting, with_fault(Fault.JOB), DEFAULT, after(9999 * MINUTE))

    assert verdict == Verdict(Decision.KEEP, Why.AGE_UNKNOWN)


@pytest.mark.parametrize(
    ("exemption", "hours", "spared"),
    [
        (EXEMPTION, 3, True),
        pytest.param(EXEMPTION, 24, False, id="over"),
        (replace(EXEMPTION, tag=("team", "search")), 3, False),
        (replace(EXEMPTION, tag=("squad", "*")), 3, False),
        (replace(EXEMPTION, parameter=("metaflow.user", "SFN")), 3, True),
        (replace(EXEMPTION, parameter=("metaflow.user", "ana")), 3, False),
        (replace(EXEMPTION, flow="Train*"), 3, True),
        (replace(EXEMPTION, flow="Score*"), 3, False),
        (replace(EXEMPTION, account="staging"), 3, False),
    ],
)
def test_an_exemption_spares_what_matches_all_of_it(
    exemption: Exemption, hours: int, *, spared: bool
) -> None:
    """Until it ends."""
    job = a_waiting_job(tags={"team": "finance"}, parameters={"metaflow.user": "SFN"})
    policy = Policy(exemptions=(exemption,))

    verdict = judge(job, with_fault(Fault.JOB), policy, after(hours * HOUR))

    assert (verdict.why is Why.EXEMPT) == spared
    assert verdict.exemption == (exemption if spared else None)


def test_a_job_that_was_not_described_is_not_spared_by_its_tags() -> None:
    """They are not known; whoever cancels describes it first."""
    job = a_waiting_job(tags=None, parameters=None)

    verdict = judge(job, with_fault(Fault.JOB), Policy(exemptions=(EXEMPTION,)), after(3 * HOUR))

    assert verdict.why is Why.UNFIT


def _stale(run: str, cause: Cause = Cause.UNKNOWN) -> Judged:
    diagnosis = a_diagnosis(cause)
    waiting = _job(job_id=f"job of {run}", run_id=run)
    return Judged(waiting, diagnosis, judge(waiting, diagnosis, DEFAULT, after(9999)), DEFAULT)


def test_the_breaker_trips_when_many_runs_are_stale_at_once() -> None:
    """That is hardly the fault of each of them."""
    few, many = ([_stale(f"run {n}") for n in range(runs)] for runs in (9, 10))

    assert Breaker(10).trips(few) is None
    trip = Breaker(10).trips(many)
    assert trip is not None
    assert trip.sentence == "Jobs of 10 runs are stale at once, which is the queue's trouble."


def test_the_many_jobs_of_one_run_do_not_trip_the_breaker() -> None:
    """A wide foreach that asks for too much is its own trouble."""
    assert Breaker(10).trips([_stale("one run")] * 500) is None


def test_the_breaker_trips_when_the_queue_is_out_of_order() -> None:
    """Whoever waits in it has done nothing wrong, but for what fits nothing at all."""
    stale = [_stale("one run", Cause.ENVIRONMENT_DISABLED), _stale("other", Cause.TOO_MANY_VCPUS)]

    trip = Breaker(10).trips(stale)

    assert trip is not None
    assert trip.sentence == "It does not start: compute environment disabled."
    held, unfit = hold_back(stale, trip)
    assert (held.verdict.why, unfit.verdict.why) == (Why.QUEUE_AT_FAULT, Why.UNFIT)


def test_what_the_breaker_holds_back_is_warned_of() -> None:
    """Nothing of it is cancelled; what was kept is still kept."""
    kept = Judged(_job(), a_diagnosis(), Verdict(Decision.KEEP, Why.YOUNG), DEFAULT)

    trip = Breaker(1).trips([_stale("a run")])
    assert trip is not None
    held, same = hold_back([_stale("a run"), kept], trip)

    assert (held.verdict.decision, held.verdict.why) == (Decision.WARN, Why.QUEUE_AT_FAULT)
    assert same is kept


def test_the_judge_uses_no_clock_of_its_own() -> None:
    """The same question has the same answer."""
    asked = (_job(), with_fault(Fault.STUCK), DEFAULT, NOON)

    assert judge(*asked) == judge(*asked)


def test_a_late_event_does_not_age_a_job() -> None:
    """What arrives late keeps the time at which it happened."""
    events = [
        a_job_event(id="2", time=after(3 * HOUR), status="RUNNABLE"),
        a_job_event(id="1", time=after(0), status="RUNNABLE"),
    ]

    verdict = judge(a_waiting_job(*events), with_fault(Fault.JOB), DEFAULT, after(3 * HOUR + 60))

    assert verdict.why is Why.YOUNG
