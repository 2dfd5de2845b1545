"""Runs that failed because a job could not start: cancelled by us, by its queue, or stopped."""

from typing import Any

import pytest

from ops_platform.domain.incidents import Incident, Kind, Run, State, correlate, split_failures
from ops_platform.domain.interactive import correlate_interactive
from ops_platform.domain.lifecycle import Execution, Job
from ops_platform.domain.reasons import STALE_ERROR, STALE_MARK, TIME_LIMIT_MARK, unmarked
from ops_platform_tests.build import a_failed_execution, a_failed_job, after

STOP = 60
DRAGGED: dict[str, Any] = {
    "exit_code": 143,
    "terminated": True,
    "status_reason": "Aborted by AWS Step Functions",
}
STALE: dict[str, Any] = {
    "exit_code": None,
    "cancelled": True,
    "status_reason": f"{STALE_MARK}: RUNNABLE for 15 min.",
}
BY_BATCH = STALE | {"status_reason": f"{TIME_LIMIT_MARK} due to reason: CAPACITY:NONE"}
STOPPED: dict[str, Any] = {
    "status": "ABORTED",
    "error": STALE_ERROR,
    "cause": f"{STALE_MARK}: RUNNABLE for 15 min, and it can never start.",
}


def _correlate(*failed: Job, execution: Execution | None = None) -> Incident:
    incident = correlate(Run(execution or a_failed_execution(STOP), failed, {}, "TrainFlow", "ana"))
    assert incident is not None
    return incident


CASES: dict[str, tuple[list[Job], str, str]] = {
    "one that we cancelled": ([a_failed_job("a", **STALE)], "a", ""),
    "one that its queue's rule cancelled": ([a_failed_job("a", **BY_BATCH)], "a", ""),
    "one, and siblings just before and after it": (
        [
            a_failed_job("a", stop=30, **STALE),
            a_failed_job("b", stop=29.995, **DRAGGED),
            a_failed_job("c", stop=30.005, **DRAGGED),
            a_failed_job("d", stop=STOP + 1, **DRAGGED),
            a_failed_job("e", stop=30, exit_code=None, cancelled=True),
        ],
        "a",
        "bcde",
    ),
    "two, and a sibling": (
        [a_failed_job("a", **STALE), a_failed_job("b", **STALE), a_failed_job("c", **DRAGGED)],
        "ab",
        "c",
    ),
    "one, and one that failed": ([a_failed_job("a", **STALE), a_failed_job("b")], "ab", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_given_up_is_a_root_failure_and_what_ended_with_it_is_not(name: str) -> None:
    """Though it was cancelled, and though its siblings may have ended a little sooner."""
    failed, roots, collateral = CASES[name]

    found = split_failures(failed, after(STOP))

    assert ["".join(sorted(job.latest.job_id for job in part)) for part in found] == [
        roots,
        collateral,
    ]


@pytest.mark.parametrize("failed", [[], [a_failed_job(**DRAGGED)], [a_failed_job(stop=61)]])
@pytest.mark.parametrize("told", ["error", "cause"])
def test_a_run_that_we_stopped_was_not_aborted_by_a_person(failed: list[Job], told: str) -> None:
    """Its jobs ended with it, those too that were quicker than the execution."""
    failure = {**STOPPED, "error": None} if told == "cause" else STOPPED

    incident = _correlate(*failed, execution=a_failed_execution(STOP, **failure))

    assert (incident.kind, incident.reason) == (Kind.RUN_ABORTED, "cancelled as stale")
    assert incident.error == "RUNNABLE for 15 min, and it can never start."
    assert (incident.failed_jobs, incident.collateral_jobs) == (0, len(failed))


def test_what_failed_in_a_run_before_we_stopped_it_is_still_its_failure() -> None:
    """It would have failed anyway."""
    incident = _correlate(
        a_failed_job("a"), a_failed_job("b", **DRAGGED),
        execution=a_failed_execution(STOP, **STOPPED),
    )  # fmt: skip

    assert (incident.reason, incident.job_id) == ("user exception", "a")
    assert (incident.failed_jobs, incident.collateral_jobs) == (1, 1)


@pytest.mark.parametrize("stale", [STALE, BY_BATCH])
def test_a_run_whose_job_was_given_up_says_so(stale: dict[str, Any]) -> None:
    """In the words of whoever did; a job that never ran has no exit code to speak of."""
    incident = _correlate(a_failed_job("b", stop=29.99, **DRAGGED), a_failed_job("a", **stale))

    assert incident.kind is Kind.RUN_FAILED
    assert incident.reason in {"cancelled as stale", "cancelled by a time-limit action"}
    assert incident.error == unmarked(stale["status_reason"])
    assert (incident.job_id, incident.failed_jobs, incident.collateral_jobs) == ("a", 1, 1)


@pytest.mark.parametrize(
    ("stale", "reason"),
    [(STALE, "cancelled as stale"), (BY_BATCH, "cancelled by a time-limit action")],
)
def test_a_run_by_hand_whose_job_was_given_up_says_so(stale: dict[str, Any], reason: str) -> None:
    """Its client then ends the others."""
    named: dict[str, Any] = {"run_id": "1767", "retry": 0}
    ended = DRAGGED | {"status_reason": "Metaflow initiated job termination."}
    jobs = [
        a_failed_job("b", stop=20, task_id="2", **named, **ended),
        a_failed_job("a", stop=30, task_id="1", **named, **stale),
        a_failed_job("c", stop=40, task_id="3", **named, **ended),
    ]

    incident = correlate_interactive(jobs)

    assert incident is not None
    assert (incident.kind, incident.state) == (Kind.INTERACTIVE_FAILED, State.OPEN)
    assert (incident.reason, incident.job_id) == (reason, "a")
    assert (incident.failed_jobs, incident.collateral_jobs) == (1, 2)
