"""What becomes of a job that waits, in words: for every verdict that there is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.causes import Fault
from ops_platform.domain.exemptions import Exemption
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Judged, Trip, Why, hold_back, judge
from ops_platform.domain.verdict_words import foreseen, moment, what_next
from ops_platform_tests.build import NOON, a_job_event, after
from ops_platform_tests.build_stale import a_waiting_job, with_fault

DEFAULT = Policy()
WARNING = Policy(warn_before=timedelta(minutes=30))
EXEMPT = Policy(exemptions=(Exemption("the model takes long", after(86_400)),))
FITS_NOTHING = "since it fits nothing its queue has."
FOREIGN = {"flow": None, "step": None, "run_id": None}


def _judged(fault: Fault, policy: Policy, minutes: float, **changes: Any) -> Judged:
    waiting, diagnosis = a_waiting_job(a_job_event(**changes)), with_fault(fault)
    verdict = judge(waiting, diagnosis, policy, after(minutes * 60))
    return Judged(waiting, diagnosis, verdict, policy)


ROWS = [
    (
        5,
        _judged(Fault.JOB, DEFAULT, 5),
        Why.YOUNG,
        (
            "If nothing changes, it is cancelled in 10 min 1 s (2026-03-02 12:15 UTC),"
            f" {FITS_NOTHING}"
        ),
    ),
    (
        20,
        _judged(Fault.JOB, DEFAULT, 20),
        Why.UNFIT,
        f"The next cleanup cancels it, {FITS_NOTHING}",
    ),
    (
        100,
        _judged(Fault.STUCK, WARNING, 100),
        Why.SOON,
        (
            "If nothing changes, it is cancelled in 20 min 1 s (2026-03-02 14:00 UTC), since its"
            " queue does not move."
        ),
    ),
    (
        200,
        _judged(Fault.QUEUE, DEFAULT, 200),
        Why.STUCK,
        (
            "The next cleanup would cancel it, since its queue does not move. The queue is at"
            " fault, so that this is held back unless an operator insists."
        ),
    ),
    (
        200,
        _judged(Fault.TURN, replace(DEFAULT, by_age=True), 200),
        Why.BY_AGE,
        "The next cleanup cancels it, since its policy goes by age alone.",
    ),
    (
        5,
        _judged(Fault.TURN, DEFAULT, 5),
        Why.YOUNG,
        (
            "It is left alone, since it waits its turn; it would be told of from 2026-03-02 14:00"
            " UTC on."
        ),
    ),
    (
        5,
        _judged(Fault.BEHIND, DEFAULT, 5),
        Why.YOUNG,
        (
            "It is left alone, since it is behind another; it would be told of from 2026-03-02"
            " 14:00 UTC on."
        ),
    ),
    (
        200,
        _judged(Fault.TURN, DEFAULT, 200),
        Why.WAITS_ITS_TURN,
        "It has waited long and is told of, not cancelled: it waits its turn.",
    ),
    (
        200,
        _judged(Fault.BEHIND, DEFAULT, 200),
        Why.BEHIND_ANOTHER,
        "It has waited long and is told of, not cancelled: another is in front.",
    ),
    (
        20,
        _judged(Fault.JOB, EXEMPT, 20),
        Why.EXEMPT,
        "It is left alone until 2026-03-03 12:00 UTC: the model takes long",
    ),
    (
        20,
        _judged(Fault.JOB, DEFAULT, 20, **FOREIGN),
        Why.NOT_OURS,
        "It is none of Metaflow's, and is left alone.",
    ),
    (
        20,
        _judged(Fault.JOB, DEFAULT, 20, cancelled=True),
        Why.ALREADY_CANCELLED,
        "Its end was asked for already; Batch may take a while over it.",
    ),
    (
        20,
        _judged(Fault.NOT_WAITING, DEFAULT, 20, status="PENDING"),
        Why.DEPENDENCY_PENDING,
        "It does not wait for capacity, and is left alone.",
    ),
    (
        20,
        _judged(Fault.JOB, DEFAULT, 20, status="RUNNING"),
        Why.NOT_RUNNABLE,
        "It is not RUNNABLE, and is left alone.",
    ),
]


@pytest.mark.parametrize(("minutes", "judged", "why", "words"), ROWS, ids=range(len(ROWS)))
def test_every_verdict_is_told(minutes: int, judged: Judged, why: Why, words: str) -> None:
    """When, and why."""
    assert judged.verdict.why is why
    assert what_next(judged, enforce=True, now=after(minutes * 60)) == words


def test_a_verdict_that_was_held_back_is_told_too() -> None:
    """As the cleanup does with those of a queue at fault."""
    trip = Trip("It is broken.", frozenset({Why.STUCK}))
    (held,) = hold_back([_judged(Fault.STUCK, DEFAULT, 200)], trip)
    assert what_next(held, enforce=True, now=NOON) == (
        "It is told of, not cancelled: the queue is at fault."
    )


def test_a_job_of_unknown_age_is_left_alone() -> None:
    """Nor is anything foreseen for it."""
    unknown = a_waiting_job(a_job_event(blocked=True, created_at=None))
    verdict = judge(unknown, with_fault(Fault.JOB), DEFAULT, NOON)
    judged = Judged(unknown, with_fault(Fault.JOB), verdict, DEFAULT)

    assert verdict.why is Why.AGE_UNKNOWN
    assert what_next(judged, enforce=True, now=NOON) == (
        "Nobody knows since when it is RUNNABLE, so it is left alone."
    )
    assert foreseen(judged, NOON) is None


def test_where_the_account_observes_it_is_said() -> None:
    """Of what would be cancelled, and of nothing else."""
    stale, waits = _judged(Fault.JOB, DEFAULT, 20), _judged(Fault.TURN, DEFAULT, 20)
    assert "observes" in what_next(stale, enforce=False, now=after(1200))
    assert "observes" not in what_next(waits, enforce=False, now=after(1200))


def test_a_job_that_was_not_diagnosed_is_young() -> None:
    """As the cleanup leaves those that nobody needs to look at."""
    judged = replace(_judged(Fault.JOB, DEFAULT, 1), diagnosis=None)
    assert what_next(judged, enforce=True, now=after(60)) == "It is young, and left alone."


def test_a_moment_is_told_to_the_minute() -> None:
    """In UTC."""
    assert moment(after(61)) == "2026-03-02 12:01 UTC"


@given(
    st.sampled_from(Fault),
    st.builds(
        Policy,
        unfit_after=st.integers(1, 300).map(lambda minutes: timedelta(minutes=minutes)),
        stuck_after=st.integers(1, 300).map(lambda minutes: timedelta(minutes=minutes)),
        warn_before=st.none() | st.just(timedelta(minutes=30)),
        by_age=st.booleans(),
        exemptions=st.sampled_from([(), (Exemption("a wait", after(3600)),)]),
    ),
    st.integers(0, 400),
)
def test_whatever_is_judged_can_be_told(fault: Fault, policy: Policy, minutes: int) -> None:
    """And what is told agrees with what is judged."""
    judged, now = _judged(fault, policy, minutes), after(minutes * 60)
    words = what_next(judged, enforce=True, now=now)

    assert (
        words.startswith(("The next cleanup cancels", "The next cleanup would")) is judged.is_stale
    )
    assert "None" not in words
