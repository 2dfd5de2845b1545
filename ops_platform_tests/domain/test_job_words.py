"""How a job stands that does not wait."""

from typing import Any

import pytest

from ops_platform.domain.events import Attempt
from ops_platform.domain.job_words import attempt_of, course_of, forgotten
from ops_platform.domain.lifecycle import JOB_STATES, LOST, Job
from ops_platform_tests.build import ACCOUNT, NOON, TASK_EXITED, a_job_event, after


def _job(starting: float | None = None, **changes: Any) -> Job:
    starting_at = None if starting is None else after(starting)
    return Job(ACCOUNT, a_job_event(**changes), NOON, starting_at)


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (_job(status="STARTING"), "Batch found room for it and starts its container."),
        (
            _job(540, status="STARTING"),
            "Batch found room for it and starts its container, for 1 min now.",
        ),
        (_job(status="RUNNING", max_attempts=1), "It runs."),
        (_job(status="RUNNING", started_at=after(300)), "It runs for 5 min, attempt 1 of 3."),
        (_job(status="SUCCEEDED"), "It succeeded."),
        (
            _job(status="SUCCEEDED", started_at=NOON, stopped_at=after(90)),
            "It succeeded after 1 min 30 s.",
        ),
        (
            _job(status="FAILED", status_reason=TASK_EXITED, exit_code=1),
            f"It failed: user exception. {TASK_EXITED}; exit code 1.",
        ),
        (
            _job(status="FAILED", exit_code=1, attempts=(Attempt(exit_code=2), Attempt())),
            "It failed: user exception. exit code 1; 2 attempts: exit 2, no exit code.",
        ),
        (_job(status=LOST), "It was open when its events ended, and Batch has forgotten it."),
        (_job(), "It is RUNNABLE."),
    ],
)
def test_each_state_has_its_words(job: Job, words: str) -> None:
    """With the times that are known."""
    assert course_of(job, after(600))[0] == words


@pytest.mark.parametrize("state", JOB_STATES)
def test_no_state_is_without_words(state: str) -> None:
    """Nor any to come."""
    assert course_of(_job(status=state), NOON)[0].endswith(".")
    assert course_of(_job(status="SCHEDULED"), NOON)[0] == "It is SCHEDULED."


def test_an_image_that_takes_long_is_something_to_look_at() -> None:
    """The cleanup does nothing about it."""
    assert "ECS agent" in course_of(_job(status="STARTING"), NOON)[1]


def test_a_forgotten_job_is_told_by_its_last_event() -> None:
    """Which is all there is."""
    assert forgotten(_job(status="RUNNING")) == (
        "Batch has forgotten it, which its last event showed as RUNNING."
    )


@pytest.mark.parametrize(
    ("most", "ended", "words"),
    [
        (None, 0, None),
        (1, 0, None),
        (3, 0, "attempt 1 of 3"),
        (3, 2, "attempt 3 of 3"),
        (2, 2, None),
    ],
)
def test_the_attempt_is_told_where_there_are_several(
    most: int | None, ended: int, words: str | None
) -> None:
    """The one that is under way."""
    event = a_job_event(max_attempts=most, attempts=(Attempt(),) * ended)
    assert attempt_of(event) == words
