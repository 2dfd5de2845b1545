"""What is put together before a job is judged, and when Batch has to be asked first."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.batch_ports import ListedJob
from ops_platform.domain.capacity import Position, Situation
from ops_platform.domain.diagnosis import diagnose
from ops_platform.domain.events import Attempt
from ops_platform.domain.exemptions import Exemption
from ops_platform.domain.queue_judge import QueueJudge
from ops_platform.domain.stale_policy import Policies, Policy
from ops_platform.domain.waiting_jobs import WaitingJob, merged, runnable_since
from ops_platform_tests.build import ACCOUNT, NOON, a_job_event, after
from ops_platform_tests.build_stale import a_queue, a_waiting_job, positions

HOUR = timedelta(hours=1)
TAGGED = Exemption("they know", NOON + timedelta(days=1), tag=("team", "search"))


def a_judge(
    *, now: Any = NOON + 3 * HOUR, front: Sequence[Position] = (), **policy: Any
) -> QueueJudge:
    """Return the judge of a queue that last moved at noon."""
    situation = Situation(queue=a_queue(), front=front, started_at=NOON)
    return QueueJudge(Policies(Policy(**policy)), situation, offered=(), now=now)


def listed(**changes: Any) -> ListedJob:
    """Return a job as it is listed."""
    known: dict[str, Any] = {"id": "5b0e9d3c-job", "created_at": NOON, "cancelled": False}
    rest: dict[str, Any] = {"array_size": None, "status_reason": None, "share": None}
    return ListedJob(**{**known, **rest, **changes})


def a_known_job(**changes: Any) -> Any:
    """Return a job as the ledger has it."""
    return a_waiting_job(a_job_event(**changes)).job


@pytest.mark.parametrize(
    ("known", "policy", "hours", "is_judged"),
    [
        (None, {}, 3, False),
        ({"status": "RUNNING"}, {}, 3, False),
        ({"vcpus": 999}, {}, 3, False),
        ({"vcpus": 999}, {"warn_before": HOUR / 12}, 0.2, False),
        ({"vcpus": 999}, {}, 0.2, True),
        ({"vcpus": 999, "flow": None}, {}, 3, True),
        ({}, {}, 1, True),
    ],
)
def test_batch_is_asked_only_where_events_are_not_enough(
    known: dict[str, Any] | None, policy: dict[str, Any], hours: float, *, is_judged: bool
) -> None:
    """Of jobs that no event tells of, that would be cancelled, or whose owner would be warned."""
    judge = a_judge(now=NOON + hours * HOUR, **policy)

    judged = judge.by_events(listed(), None if known is None else a_known_job(**known))

    assert (judged is not None) is is_judged


@pytest.mark.parametrize(("exemptions", "is_judged"), [((), True), ((TAGGED,), False)])
def test_tags_are_asked_for_if_they_may_spare_an_owner_the_warning(
    exemptions: tuple[Exemption, ...], *, is_judged: bool
) -> None:
    """A job that waits its turn is not exempt as far as its events tell."""
    judge = a_judge(
        now=NOON + 3 * HOUR,
        front=positions(["another"], since=NOON + 3 * HOUR),
        warn_before=HOUR,
        exemptions=exemptions,
    )

    assert (judge.by_events(listed(), a_known_job()) is not None) is is_judged


def test_the_list_knows_sooner_that_a_job_is_cancelled() -> None:
    """Before the event of it comes."""
    judged = a_judge().by_events(listed(cancelled=True), a_known_job())

    assert judged is not None
    assert judged.verdict.why == "already cancelled"


def test_a_description_is_completed_by_what_only_events_tell() -> None:
    """Since when it is RUNNABLE, and whose it is; in all else the description is right."""
    known = a_waiting_job(a_job_event(time=after(600), status="RUNNABLE", vcpus=2.0)).job
    described = a_waiting_job(a_job_event(owner=None, time=NOON, vcpus=4.0), tags={"a": "b"})
    bare = WaitingJob(described.job.__class__("", described.job.latest), tags=described.tags)

    whole = merged(bare, known, ACCOUNT)

    assert runnable_since(whole) == after(601)
    assert (whole.job.account, whole.job.latest.owner) == (ACCOUNT, "ana")
    assert (whole.job.latest.vcpus, whole.tags) == (4.0, {"a": "b"})
    assert merged(bare, None, ACCOUNT).job.account == ACCOUNT


def test_an_attempt_of_which_only_events_tell_counts() -> None:
    """Batch's descriptions may be a little behind."""
    known = a_known_job(attempts=(Attempt(stopped_at=after(5000)),), time=after(10))

    assert runnable_since(merged(a_waiting_job(), known, ACCOUNT)) == after(5000)


@given(
    vcpus=st.sampled_from([1.0, 4.0, 999.0]),
    job=st.sampled_from(["first", "second", "far"]),
    reason=st.sampled_from([None, "UNDETERMINED - Batch job is blocked."]),
    others=st.lists(st.sampled_from(["first", "second", "other", "others"]), max_size=4),
    moved=st.booleans(),
)
def test_what_was_found_of_another_job_is_what_would_be_found_of_this_one(
    vcpus: float, job: str, reason: str | None, others: list[str], *, moved: bool
) -> None:
    """A judge that has judged others says the same as one that is asked at once."""
    front = positions(["first", "second"], since=NOON)
    now = NOON + (HOUR if moved else 3 * HOUR)
    judge = a_judge(now=now, front=front)
    for other in others:
        judge.judge(a_waiting_job(a_job_event(job_id=other, vcpus=vcpus)), reason)
    waiting = a_waiting_job(a_job_event(job_id=job, vcpus=vcpus))

    judged = judge.judge(waiting, reason)

    expected = diagnose(
        waiting,
        judge.situation,
        policy=Policy(),
        offered=(),
        status_reason=reason,
        now=now,
    )
    assert judged.diagnosis == expected
