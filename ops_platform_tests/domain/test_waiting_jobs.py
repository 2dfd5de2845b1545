"""Since when a job is RUNNABLE in its present attempt: the latest that is known of it counts."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from ops_platform.domain.events import Attempt, JobEvent
from ops_platform.domain.waiting_jobs import runnable_since
from ops_platform_tests.build import a_job_event, after
from ops_platform_tests.build_stale import a_waiting_job

HOUR = 3600
_ENDED = (Attempt(started_at=after(HOUR), stopped_at=after(3 * HOUR), exit_code=1),)


def _event(status: str, seconds: float, **changes: Any) -> JobEvent:
    at = f"{status} {seconds}"
    return a_job_event(id=at, status=status, time=after(seconds), created_at=after(0), **changes)


@pytest.mark.parametrize(
    ("events", "since"),
    [
        pytest.param(
            [_event("RUNNABLE", 60)], after(61), id="an event says so, to the second it began"
        ),
        pytest.param([_event("PENDING", 60)], after(0), id="no event says so: since it was made"),
        pytest.param(
            [_event("RUNNABLE", 60), _event("RUNNABLE", 3 * HOUR, attempts=_ENDED)],
            after(3 * HOUR + 1),
            id="put back to wait after three hours of work",
        ),
        pytest.param(
            [_event("RUNNABLE", 60), _event("PENDING", 60, attempts=_ENDED)],
            after(3 * HOUR),
            id="the second event is missing, its attempt is not",
        ),
        pytest.param(
            [_event("RUNNABLE", 60), _event("STARTING", HOUR)],
            after(HOUR + 1),
            id="put back while it was starting",
        ),
        pytest.param(
            [_event("RUNNABLE", 60), _event("RUNNABLE", 2 * HOUR, blocked=True)],
            after(61),
            id="that it blocks its queue is no new beginning",
        ),
    ],
)
def test_the_last_that_happened_counts(events: list[JobEvent], since: datetime) -> None:
    """Batch itself tells of no moment but the job's creation."""
    assert runnable_since(a_waiting_job(*events)) == since


def test_one_that_waited_for_others_has_no_beginning_if_its_event_is_missing() -> None:
    """It was made long before it could start."""
    waiting = a_waiting_job(_event("PENDING", 60), depends_on=("other",))

    assert runnable_since(waiting) is None


def test_what_waited_for_others_is_at_least_as_old_as_its_place() -> None:
    """Batch tells since when a job has stood at the front."""
    at_front = after(HOUR)
    waiting = a_waiting_job(_event("PENDING", 60), depends_on=("other",), head_since=at_front)

    assert runnable_since(waiting) == at_front


def test_the_order_of_events_does_not_matter() -> None:
    """They come in any."""
    events = [_event("RUNNABLE", 60), _event("RUNNABLE", 3 * HOUR, attempts=_ENDED)]

    assert runnable_since(a_waiting_job(*events)) == runnable_since(a_waiting_job(*events[::-1]))
    assert timedelta(hours=3, seconds=1) == after(3 * HOUR + 1) - after(0)


def test_an_attempt_that_does_not_tell_when_it_ended_leaves_the_age_unknown() -> None:
    """The event of the new wait may be the one that was lost."""
    untold = _event("RUNNABLE", 60, attempts=(Attempt(reason="Task failed to start"),))

    assert runnable_since(a_waiting_job(untold)) is None
