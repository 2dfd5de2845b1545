"""What events add up to, in whatever order they come."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.events import ExecutionEvent, InstanceEvent, JobEvent
from ops_platform.domain.lifecycle import (
    JOB_STATES,
    LOST,
    Execution,
    Instance,
    Job,
    advance_execution,
    advance_instance,
    advance_job,
)
from ops_platform_tests.build import (
    ACCOUNT,
    a_failure,
    a_job_event,
    after,
    an_execution_event,
    an_instance_event,
)
from ops_platform_tests.build_runs import a_job_history


def _job(*events: JobEvent) -> Job:
    state: Job | None = None
    for event in events:
        state = advance_job(state, event, ACCOUNT)
    assert state is not None
    return state


def _execution(*events: ExecutionEvent) -> Execution:
    state: Execution | None = None
    for event in events:
        state = advance_execution(state, event, ACCOUNT)
    assert state is not None
    return state


def _instance(*events: InstanceEvent) -> Instance:
    state: Instance | None = None
    for event in events:
        state = advance_instance(state, event, ACCOUNT)
    assert state is not None
    return state


ATTEMPTED = a_job_history("x", exits=[1, 137, 0], begin=0)
seconds = st.integers(0, 3).map(after)
job_events = st.builds(
    a_job_event,
    id=st.uuids().map(str),
    time=seconds,
    status=st.sampled_from([*JOB_STATES, "SCHEDULED"]),
    blocked=st.booleans(),
    attempts=st.integers(0, 2).map(lambda number: ATTEMPTED[-1].attempts[:number]),
    stopped_at=st.none() | seconds,
)
execution_events = st.builds(
    an_execution_event,
    id=st.uuids().map(str),
    time=seconds,
    status=st.sampled_from(["RUNNING", "FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED", LOST, "X"]),
    started_at=st.none() | seconds,
    stopped_at=st.none() | seconds,
    redriven_at=st.none() | seconds,
    metaflow_input=st.booleans(),
)
instance_events = st.builds(
    an_instance_event, id=st.uuids().map(str), time=seconds, version=st.integers(1, 3)
)


@given(told=st.lists(job_events, min_size=1, max_size=6), data=st.data())
def test_jobs_come_out_the_same_in_any_order(told: list[JobEvent], data: st.DataObject) -> None:
    """However often an event is repeated."""
    shuffled = data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told)))]))

    assert _job(*shuffled) == _job(*told)


@given(told=st.lists(execution_events, min_size=1, max_size=6), data=st.data())
def test_executions_come_out_the_same_in_any_order(
    told: list[ExecutionEvent], data: st.DataObject
) -> None:
    """However often an event is repeated."""
    shuffled = data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told)))]))

    assert _execution(*shuffled) == _execution(*told)


@given(told=st.lists(instance_events, min_size=1, max_size=6), data=st.data())
def test_instances_come_out_the_same_in_any_order(
    told: list[InstanceEvent], data: st.DataObject
) -> None:
    """However often an event is repeated."""
    shuffled = data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told)))]))

    assert _instance(*shuffled) == _instance(*told)


@given(data=st.data())
def test_any_subset_of_a_jobs_events_ends_at_its_newest(data: st.DataObject) -> None:
    """A missed event does little harm, and a late one none."""
    kept = data.draw(st.lists(st.sampled_from(range(len(ATTEMPTED))), min_size=1, unique=True))

    assert _job(*(ATTEMPTED[at] for at in kept)).latest == ATTEMPTED[max(kept)]


@pytest.mark.parametrize("order", [1, -1])
def test_a_job_that_is_tried_again_waits_since_its_retry(order: int) -> None:
    """Its age counts from the last time it became runnable."""
    job = _job(*ATTEMPTED[:5][::order])

    assert (job.latest.status, job.runnable_at, job.starting_at) == (
        "STARTING",
        after(10),
        after(12),
    )


@pytest.mark.parametrize("order", [1, -1])
def test_a_notice_of_a_blocked_queue_does_not_make_a_job_younger(order: int) -> None:
    """It tells of the job, but the job entered no state."""
    waiting = a_job_event(time=after(1))
    notice = a_job_event(id="notice", time=after(500), blocked=True)

    job = _job(*[waiting, notice][::order])

    assert job.runnable_at == after(1)
    assert job.latest == notice


@pytest.mark.parametrize("late", ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", LOST])
@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED"])
def test_no_late_event_reopens_a_job_that_ended(end: str, late: str) -> None:
    """Whatever its time and its attempts say."""
    ended = a_job_event(id="end", status=end, time=after(5))
    straggler = a_job_event(id="late", status=late, time=after(9), attempts=ATTEMPTED[-1].attempts)

    assert _job(ended, straggler).latest == ended


def test_within_one_second_the_later_state_counts() -> None:
    """Envelope times have whole seconds, and a job may pass through three states in one."""
    states = ["RUNNING", "RUNNABLE", "STARTING"]

    job = _job(*(a_job_event(id=status, status=status) for status in states))

    assert job.latest.status == "RUNNING"


def test_a_jobs_end_is_its_stop_or_what_the_envelope_says() -> None:
    """And there is none before the end."""
    assert _job(ATTEMPTED[2]).stopped_at is None
    assert _job(ATTEMPTED[-1]).stopped_at == after(29.5)
    assert _job(a_job_event(status="FAILED", time=after(7))).stopped_at == after(7)


FAILED = a_failure(10.9)
REDRIVEN = an_execution_event(id="redriven", time=after(20), redriven_at=after(20.25))
SUCCEEDED = an_execution_event(
    id="done", status="SUCCEEDED", time=after(30), stopped_at=after(30.5)
)
FAILED_AGAIN = a_failure(30.5, id="again")


@pytest.mark.parametrize(
    ("events", "latest", "failure"),
    [
        ([an_execution_event()], "RUNNING", None),
        ([an_execution_event(), FAILED], "FAILED", FAILED),
        ([an_execution_event(), FAILED, REDRIVEN], "RUNNING", FAILED),
        ([an_execution_event(), FAILED, REDRIVEN, SUCCEEDED], "SUCCEEDED", FAILED),
        ([an_execution_event(), FAILED, REDRIVEN, FAILED_AGAIN], "FAILED", FAILED_AGAIN),
        ([FAILED, SUCCEEDED], "SUCCEEDED", FAILED),
        ([an_execution_event(), SUCCEEDED], "SUCCEEDED", None),
    ],
    ids=["runs", "failed", "redriven", "saved", "failed again", "redrive missed", "well"],
)
@pytest.mark.parametrize("order", [1, -1])
def test_an_execution_remembers_its_last_failure(
    events: Sequence[ExecutionEvent], latest: str, failure: ExecutionEvent | None, order: int
) -> None:
    """Even when a redrive sets it running again."""
    execution = _execution(*events[::order])

    assert execution.latest.status == latest
    assert execution.failure == failure


@pytest.mark.parametrize(
    "redriven",
    [{"time": after(11), "redriven_at": None}, {"time": after(10), "redriven_at": after(10.95)}],
    ids=["by the envelope", "by the date of the redrive"],
)
def test_a_redrive_within_the_second_of_the_failure_comes_after_it(
    redriven: dict[str, Any],
) -> None:
    """Though the envelope has whole seconds and the stop has not."""
    execution = _execution(an_execution_event(id="redriven", **redriven), FAILED)

    assert execution.latest.status == "RUNNING"


def test_an_execution_that_ends_as_it_starts_has_ended() -> None:
    """Equal moments: the end counts."""
    started = an_execution_event(started_at=after(0))
    ended = an_execution_event(id="a", status="FAILED", stopped_at=after(0))

    assert _execution(ended, started).latest == ended


def test_an_execution_lost_with_its_account_is_lost() -> None:
    """Until then it ran; what ended before is not touched."""
    lost = msgspec.structs.replace(an_execution_event(), id="lost", status=LOST, time=after(900))

    execution = _execution(an_execution_event(), lost)

    assert (execution.latest.status, execution.stopped_at) == (LOST, None)


def test_an_execution_knows_its_run_and_its_machine() -> None:
    """By its own name and its machine's."""
    execution = _execution(a_failure())

    assert execution.run_id == f"sfn-{execution.latest.name}"
    assert (execution.machine.project, execution.machine.flow) == ("fraud", "TrainFlow")
    assert execution.stopped_at == after(60)


def test_an_input_seen_once_is_remembered() -> None:
    """AWS leaves out an input that is too large together with the output."""
    done = msgspec.structs.replace(SUCCEEDED, metaflow_input=False)

    assert _execution(done, an_execution_event()).latest.metaflow_input


def test_an_instances_highest_version_counts() -> None:
    """Not the time at which it came."""
    newest = an_instance_event(id="b", version=3, status="DRAINING", time=after(1))
    older = an_instance_event(id="c", version=2, time=after(2))

    instance = _instance(older, newest)

    assert instance.latest == newest
    assert instance.registered_at == after(1)


def test_a_notice_that_comes_after_the_job_has_started_does_not_put_it_back() -> None:
    """Batch may tell of a blocked queue a moment late; within an attempt, states only rise."""
    running = a_job_event(id="running", status="RUNNING", time=after(5))
    notice = a_job_event(id="notice", blocked=True, time=after(9))

    assert _job(running, notice).latest == running


@pytest.mark.parametrize("order", [1, -1])
def test_of_events_that_differ_in_nothing_but_their_id_the_same_one_counts(order: int) -> None:
    """Else what a row shows would depend on which came first."""
    pair = [a_job_event(id=name, status_reason=name) for name in ("a", "b")][::order]
    runs = [an_execution_event(id=name, error=name) for name in ("a", "b")][::order]
    hosts = [an_instance_event(id=name, status=name) for name in ("a", "b")][::order]

    assert (
        _job(*pair).latest.id == _execution(*runs).latest.id == _instance(*hosts).latest.id == "b"
    )
