"""Which hours have to be computed anew after a change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops_platform.domain import changed_hours
from ops_platform.domain.changed_hours import LONGEST_AGO, Mark, merged
from ops_platform.domain.events import Attempt
from ops_platform.domain.hours import HOUR, Hours
from ops_platform.domain.lifecycle import Job, advance_execution, advance_instance, advance_job
from ops_platform.domain.metric import Noun
from ops_platform_tests.build import (
    ACCOUNT,
    NOON,
    a_job_event,
    an_execution_event,
    an_instance_event,
)

NOW = NOON + 5 * HOUR + timedelta(minutes=10)
THIS = NOON + 5 * HOUR


def _job(before: Job | None = None, **told: Any) -> Job:
    return advance_job(before, a_job_event(**told), ACCOUNT)


def _hours(first: int, until: int) -> Hours:
    return Hours(NOON + first * HOUR, NOON + until * HOUR)


def _of_jobs(before: Job | None, after: Job) -> list[Mark]:
    return list(changed_hours.of_jobs(before, after, NOW))


def test_what_happens_now_is_of_this_hour() -> None:
    """Though the job was submitted hours ago."""
    waiting = _job(status="RUNNABLE")
    running = _job(waiting, status="RUNNING", id="r", time=NOW, started_at=NOW)

    assert _of_jobs(waiting, running) == [(Noun.JOBS, Hours(THIS, THIS + HOUR))]


def test_what_came_late_is_of_all_hours_since_while_the_job_goes_on() -> None:
    """It was RUNNING in each of them, and no longer RUNNABLE."""
    waiting = _job(status="RUNNABLE")
    started = NOON + HOUR + timedelta(minutes=59)
    running = _job(waiting, status="RUNNING", id="r", time=started, started_at=started)

    assert _of_jobs(waiting, running) == [(Noun.JOBS, _hours(1, 6))]


def test_what_came_late_is_of_no_hour_after_the_end() -> None:
    """Nothing of the job goes on there."""
    ended = _job(status="SUCCEEDED", time=NOON + 2 * HOUR, stopped_at=NOON + 2 * HOUR)
    after = _job(ended, status="RUNNABLE", id="late", time=NOON + timedelta(minutes=1))

    assert _of_jobs(ended, after) == [(Noun.JOBS, _hours(0, 3))]


def test_an_event_that_tells_nothing_new_is_of_no_hour() -> None:
    """Though the ledger keeps it as the newest."""
    waiting = _job(status="RUNNABLE")
    again = _job(waiting, status="RUNNABLE", id="z-again")

    assert _of_jobs(waiting, again) == []


def test_a_host_that_is_told_later_is_of_the_hour_of_the_attempt() -> None:
    """The transitions of that hour are by its type."""
    attempt = Attempt(started_at=NOON, stopped_at=NOON + 2 * HOUR)
    end: dict[str, Any] = {"status": "FAILED", "time": NOON + 2 * HOUR}
    end["stopped_at"] = end["time"]
    before = _job(**end, id="a", attempts=(attempt,))
    named = Attempt(started_at=NOON, stopped_at=NOON + 2 * HOUR, container_instance="host")
    after = _job(before, **end, id="b", attempts=(named,))

    assert _of_jobs(before, after) == [(Noun.JOBS, _hours(0, 3))]


def test_an_end_of_an_execution_is_of_its_hour() -> None:
    """And a start that nobody had told, of those between."""
    end: dict[str, Any] = {"status": "FAILED", "time": NOON + 2 * HOUR}
    end["stopped_at"] = end["time"]
    known = advance_execution(None, an_execution_event(**end, started_at=NOON), ACCOUNT)

    assert list(changed_hours.of_executions(None, known, NOW)) == [(Noun.EXECUTIONS, _hours(0, 3))]
    assert list(changed_hours.of_executions(known, known, NOW)) == []


def test_an_instance_is_of_the_jobs_on_it_too() -> None:
    """Its type is a dimension of theirs."""
    known = advance_instance(None, an_instance_event(time=NOON + 3 * HOUR), ACCOUNT)

    found = list(changed_hours.of_instances(None, known, NOW))

    assert found == [(Noun.INSTANCES, _hours(3, 6)), (Noun.JOBS, _hours(3, 6))]


def test_a_notice_of_a_blocked_queue_is_a_metric_of_jobs_too() -> None:
    """It changes no job, and is counted all the same."""
    notice = a_job_event(status="RUNNABLE", blocked=True)

    found = list(changed_hours.of_events([notice], NOW))

    assert found == [(Noun.PLATFORM, _hours(0, 1)), (Noun.JOBS, _hours(0, 1))]


def test_an_end_that_came_late_is_of_the_hours_in_which_the_job_was_believed_to_run() -> None:
    """Their levels were too high."""
    running = _job(status="RUNNING", started_at=NOON)
    over = NOON + HOUR
    ended = _job(running, status="SUCCEEDED", id="end", time=over, stopped_at=over, started_at=NOON)

    assert _of_jobs(running, ended) == [(Noun.JOBS, _hours(1, 6))]


@pytest.mark.parametrize("year", [1970, 9999])
def test_a_wrong_clock_has_no_decades_computed(year: int) -> None:
    """Neither those before, nor those to come."""
    at = datetime(year, 12, 31, 23, 30, tzinfo=UTC)
    event = a_job_event(status="RUNNABLE", time=at, created_at=at)

    marks = [*_of_jobs(None, _job(status="RUNNABLE", time=at, created_at=at))]
    marks += changed_hours.of_events([event], NOW)

    assert all(hours.begin >= THIS - LONGEST_AGO for _, hours in marks)
    assert all(hours.end <= THIS + HOUR for _, hours in marks)


def test_marks_that_touch_become_one() -> None:
    """Whatever their order; those of another noun stay apart."""
    marks = [
        (Noun.JOBS, _hours(2, 3)),
        (Noun.EXECUTIONS, _hours(1, 2)),
        (Noun.JOBS, _hours(0, 2)),
        (Noun.JOBS, _hours(4, 5)),
    ]

    assert merged(marks) == [
        (Noun.EXECUTIONS, _hours(1, 2)),
        (Noun.JOBS, _hours(0, 3)),
        (Noun.JOBS, _hours(4, 5)),
    ]
