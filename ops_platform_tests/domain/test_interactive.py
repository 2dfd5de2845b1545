"""Runs that somebody started by hand: what failed, and whether it was tried again."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.incidents import Incident, Kind, State
from ops_platform.domain.interactive import correlate_interactive, is_interactive
from ops_platform.domain.lifecycle import Job
from ops_platform_tests.build import ACCOUNT, a_failed_job, a_job_event, after


def tried(task: str, retry: int = 0, *, stop: float = 30, **changes: Any) -> Job:
    """Return a job of a task that failed, with changes."""
    named: dict[str, Any] = {"run_id": "1767", "task_id": task, "retry": retry, "owner": "ada"}
    moments = {"created_at": after(stop - 20)}
    return a_failed_job(f"{task}-{retry}", stop=stop, **(named | moments | changes))


def worked(task: str, retry: int = 0, *, stop: float = 30, begun: float | None = None) -> Job:
    """Return a job of a task that succeeded."""
    event = a_job_event(
        job_id=f"{task}-{retry}", run_id="1767", task_id=task, retry=retry, status="SUCCEEDED",
        created_at=after(stop - 20 if begun is None else begun), stopped_at=after(stop),
        time=after(int(stop)),
    )  # fmt: skip
    return Job(ACCOUNT, event)


def incident_of(*jobs: Job) -> Incident:
    """Return the incident of these jobs."""
    found = correlate_interactive(jobs)
    assert found is not None
    return found


@pytest.mark.parametrize(("run_id", "by_hand"), [("1767", True), ("sfn-1767", False)])
def test_a_run_by_hand_is_told_by_its_id(run_id: str, *, by_hand: bool) -> None:
    """Step Functions' runs have a prefix."""
    assert is_interactive(run_id) is by_hand


def test_a_run_of_which_nothing_failed_is_no_incident() -> None:
    """Nor one of which nobody knows the flow."""
    assert correlate_interactive([worked("1")]) is None
    assert correlate_interactive([tried("1", flow=None)]) is None


def test_a_task_that_failed_and_was_not_tried_again_is_open() -> None:
    """It names the first of them, and has no execution."""
    found = incident_of(worked("1"), tried("2", stop=50), tried("3", stop=40, step="fit"))
    assert (found.kind, found.state) == (Kind.INTERACTIVE_FAILED, State.OPEN)
    assert (found.execution_arn, found.machine_arn) == (None, None)
    assert (found.failed_jobs, found.step, found.owner) == (2, "fit", "ada")
    assert (found.opened_at, found.resolved_at) == (after(40), None)


def test_a_task_that_is_tried_again_does_not_count() -> None:
    """As soon as its retry is there."""
    found = incident_of(tried("1", 0, stop=30), worked("1", 1, stop=60, begun=35))
    assert (found.state, found.failed_jobs, found.resolved_at) == (State.RESOLVED, 0, after(35))
    assert found.resolved_by == "the failed tasks were retried"


def test_one_of_several_that_is_tried_again_is_no_new_failure() -> None:
    """The time since when something fails stays as it was."""
    both = incident_of(tried("1", stop=30), tried("2", stop=40))
    one = incident_of(tried("1", stop=30), worked("1", 1, stop=60, begun=50), tried("2", stop=40))
    assert (both.opened_at, one.opened_at) == (after(30), after(30))
    assert (both.failed_jobs, one.failed_jobs) == (2, 1)


def test_what_fails_after_all_was_well_is_a_new_failure() -> None:
    """So that what was told to be over is told again."""
    first = (tried("1", stop=30), worked("1", 1, stop=60, begun=35))
    assert incident_of(*first, tried("2", stop=100)).opened_at == after(100)
    assert incident_of(tried("1", 0, stop=30), tried("1", 1, stop=90)).opened_at == after(90)


FATES = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(1, 30), st.booleans()), min_size=1, max_size=8
)


@given(FATES, st.randoms())
def test_in_any_order_it_is_open_if_and_only_if_the_last_try_of_a_task_failed(
    fates: Sequence[tuple[str, int, bool]], chance: random.Random
) -> None:
    """And it never ends before it began."""
    clock, retries, jobs = 0, dict.fromkeys("ab", 0), []
    for task, seconds, fails in fates:
        clock += seconds + 20
        make = tried if fails else worked
        jobs.append(make(task, retries[task], stop=clock))
        retries[task] += 1
    found = correlate_interactive(jobs)
    shuffled = list(jobs)
    chance.shuffle(shuffled)
    assert correlate_interactive(shuffled) == found
    last = {job.latest.task_id: job.latest.status for job in jobs}
    if found is None:
        assert "FAILED" not in {job.latest.status for job in jobs}
        return
    assert (found.state is State.OPEN) == ("FAILED" in last.values())
    assert found.resolved_at is None or _not_before(found.resolved_at, found.opened_at)


def _not_before(one: datetime, other: datetime) -> bool:
    return one >= other
