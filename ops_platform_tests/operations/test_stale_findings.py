"""What is kept of very many jobs that wait: what is pressing, and some to be shown."""

import random
from datetime import timedelta
from typing import Any

import pytest

from ops_platform.domain.capacity import Situation
from ops_platform.domain.causes import Cause
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Breaker, Decision, Judged, Verdict, Why
from ops_platform.operations.find_blocked_queues import find_blocked_queues
from ops_platform.operations.stale_findings import Findings, ShownLimit, most_pressing
from ops_platform_tests.build import NOON, a_job_event
from ops_platform_tests.build_stale import a_diagnosis, a_queue, a_waiting_job, positions

NOW = NOON + timedelta(hours=5)
UNFIT = Cause.TOO_MANY_VCPUS


def findings(name: str = "flows", *, head: str = "head", most: int = 3, **known: Any) -> Findings:
    """Return what is found so far of a queue that last moved at noon: nothing."""
    queue = a_queue(name)
    situation = Situation(queue=queue, front=positions([head], since=NOON), started_at=NOON)
    return Findings(queue, most, **{"shown_limit": ShownLimit(), "situation": situation, **known})


def judged(
    job_id: str,
    *,
    minutes: float = 0,
    cause: Cause = UNFIT,
    decision: Decision = Decision.CANCEL,
    why: Why = Why.UNFIT,
    run: str | None = None,
    **policy: Any,
) -> Judged:
    """Return a job judged that has waited since so many minutes past noon."""
    since = NOON + timedelta(minutes=minutes)
    event = a_job_event(job_id=job_id, time=since, created_at=since, run_id=run or f"sfn-{job_id}")
    waiting = a_waiting_job(event)
    verdict = Verdict(decision, why, since, since + timedelta(minutes=15))
    return Judged(waiting, a_diagnosis(cause), verdict, Policy(**policy))


def test_the_head_is_the_most_pressing_then_whoever_waits_longest() -> None:
    """However many there are, no more than a few are kept of them."""
    found = findings(most=3)
    jobs = [judged(f"job-{at:03}", minutes=at) for at in range(200)]
    jobs.append(judged("head", minutes=250))
    random.Random(1).shuffle(jobs)

    for each in jobs:
        found.add(each, NOW)
        assert sum(map(len, found.candidates.values())) <= 12

    assert [each.waiting.id for each in found.most_pressing()] == ["head", "job-000", "job-001"]
    assert (found.counts.total(), found.oldest) == (201, NOON)


def test_the_heads_of_all_queues_come_first() -> None:
    """Since each holds up all behind it."""
    first, second = findings("first"), findings("second")
    for at in range(3):
        first.add(judged(f"first-{at}", minutes=at), NOW)
    second.add(judged("head", minutes=60), NOW)
    second.add(judged("late", minutes=90), NOW)

    pressing = most_pressing([first, second], 3)

    assert [(each.queue.name, [job.waiting.id for job in jobs]) for each, jobs in pressing] == [
        ("second", ["head"]),
        ("first", ["first-0", "first-1"]),
    ]


def test_only_so_many_are_shown_of_all_queues_together() -> None:
    """Of each decision; those whose owner is to be told have a number of their own."""
    limit = ShownLimit(most=2)
    one, other = findings("one", shown_limit=limit), findings("other", shown_limit=limit)
    for at in range(3):
        for place in (one, other):
            place.add(judged(f"{place.queue.name}-{at}"), NOW)
    told: dict[str, Any] = {
        "decision": Decision.WARN,
        "why": Why.SOON,
        "warn_before": timedelta(minutes=5),
    }
    one.add(judged("told", **told), NOW)

    assert list(one.shown) == ["one-0", "told"]
    assert list(other.shown) == ["other-0"]
    assert one.concerns == {"told"}


def test_no_verdict_that_is_held_back_stays_a_cancellation() -> None:
    """Neither in the counts nor in what is shown."""
    found = findings()
    for at in range(4):
        found.add(judged(f"job-{at}"), NOW)

    found.judge_queue(Breaker(4), despite_fault=False, now=NOON)

    assert dict(found.counts) == {(Decision.WARN, Why.QUEUE_AT_FAULT): 4}
    assert {each.verdict.why for each in found.shown.values()} == {Why.QUEUE_AT_FAULT}
    assert (found.held_back, found.most_pressing()) == (4, [])


def test_what_a_queue_at_fault_spares_takes_no_place_of_what_it_does_not() -> None:
    """However many older ones wait only because the queue is disabled."""
    found = findings(most=2)
    for at in range(20):
        found.add(judged(f"job-{at}", minutes=at, cause=Cause.QUEUE_DISABLED, why=Why.STUCK), NOW)
    found.add(judged("unfit", minutes=60), NOW)

    found.judge_queue(Breaker(100), despite_fault=False, now=NOON)

    assert [each.waiting.id for each in found.most_pressing()] == ["unfit"]
    assert found.held_back == 20


@pytest.mark.parametrize(
    ("jobs", "ended", "blocked"),
    [
        ([judged("head")], (), "head"),
        ([judged("head")], ("head",), None),
        ([judged("behind")], (), None),
        ([judged("head", minutes=290)], (), None),
        ([judged("head", cause=Cause.CAPACITY_HELD)], (), None),
        ([judged("head", cause=Cause.UNKNOWN)], (), "head"),
        ([judged("head", cause=Cause.UNKNOWN, minutes=200)], (), None),
        ([judged("head", decision=Decision.KEEP, why=Why.EXEMPT)], (), "head"),
        ([judged("head", decision=Decision.KEEP, why=Why.ALREADY_CANCELLED)], (), None),
        ([judged("behind", cause=Cause.UNKNOWN), judged("head")], (), "head"),
        ([judged("head"), judged("other", cause=Cause.QUEUE_DISABLED)], ("head",), "queue"),
    ],
)
def test_a_queue_is_blocked_by_its_head_or_by_itself(
    jobs: list[Judged], ended: tuple[str, ...], blocked: str | None
) -> None:
    """Not by a job that has not waited for long, was ended just now, or waits for what runs."""
    found = findings()
    for each in jobs:
        found.add(each, NOW)

    told = find_blocked_queues([found], ended)

    assert [each.blocker or "queue" for each in told] == ([blocked] if blocked else [])


def test_a_second_look_replaces_the_first_verdict() -> None:
    """Or takes it away, if there is no job any more."""
    found = findings()
    before, after = judged("head"), judged("head", decision=Decision.KEEP, why=Why.YOUNG)
    found.add(before, NOW)
    found.changed(before, after)
    assert +found.counts == {(Decision.KEEP, Why.YOUNG): 1}
    assert found.shown["head"].verdict == after.verdict

    found.changed(after, None)
    assert +found.counts == {}
    assert found.shown == {}
