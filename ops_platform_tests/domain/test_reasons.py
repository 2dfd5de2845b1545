"""Why a job failed, by what AWS writes of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.events import JobEvent
from ops_platform.domain.reasons import RULES, Reason, classify, explain
from ops_platform_tests.build import TASK_EXITED, a_job_event

SEEN: list[tuple[dict[str, Any], Reason]] = [
    ({"status_reason": TASK_EXITED, "exit_code": 1}, Reason.USER_EXCEPTION),
    ({"status_reason": TASK_EXITED, "exit_code": 0}, Reason.UNKNOWN),
    ({"status_reason": TASK_EXITED}, Reason.UNKNOWN),
    ({}, Reason.UNKNOWN),
    (
        {
            "status_reason": TASK_EXITED,
            "container_reason": "OutOfMemoryError: Container killed due to memory usage",
            "exit_code": 137,
        },
        Reason.OUT_OF_MEMORY,
    ),
    (
        {"status_reason": "Job attempt duration exceeded timeout", "exit_code": 137},
        Reason.ATTEMPT_TIMEOUT,
    ),
    ({"status_reason": "Host EC2 (instance i-0a1b) terminated."}, Reason.HOST_LOST),
    ({"status_reason": "Task failed to start"}, Reason.COULD_NOT_START),
    (
        {
            "status_reason": "Task failed to start",
            "container_reason": "CannotPullContainerError: pull access denied",
        },
        Reason.IMAGE_PULL,
    ),
    (
        {"status_reason": TASK_EXITED, "container_reason": "DockerTimeoutError: Could not start"},
        Reason.COULD_NOT_START,
    ),
    (
        {
            "status_reason": "Canceled by JobStateTimeLimit action due to reason: "
            "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
            "cancelled": True,
        },
        Reason.TIME_LIMIT,
    ),
    ({"status_reason": "Too expensive.", "cancelled": True}, Reason.CANCELLED),
    (
        {"status_reason": "Metaflow initiated job termination.", "terminated": True},
        Reason.TERMINATED,
    ),
    ({"status_reason": "Enough.", "terminated": True, "exit_code": 143}, Reason.TERMINATED),
]


@pytest.mark.parametrize(("told", "reason"), SEEN, ids=lambda value: str(value)[:60])
def test_a_failed_job_has_the_reason_that_aws_tells(told: dict[str, Any], reason: Reason) -> None:
    """In the job's own words or in its container's."""
    assert classify(a_job_event(status="FAILED", **told)) is reason


def test_each_rule_has_a_row_above() -> None:
    """One more reason is one entry there and one row here."""
    assert {rule.reason for rule in RULES} <= {reason for _, reason in SEEN}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"status_reason": TASK_EXITED, "exit_code": 1}, f"{TASK_EXITED}; exit code 1"),
        ({"status_reason": TASK_EXITED, "exit_code": 0}, f"{TASK_EXITED}; exit code 0"),
        (
            {"status_reason": "Task failed to start", "container_reason": "CannotPull…"},
            "CannotPull…; Task failed to start; no exit code",
        ),
        ({"status_reason": "same", "container_reason": "same"}, "same; no exit code"),
        ({}, "no exit code"),
    ],
)
def test_a_failure_is_explained_in_batchs_own_words(told: dict[str, Any], words: str) -> None:
    """The container's first, none of them twice."""
    assert explain(a_job_event(**told)) == words


@given(
    st.builds(
        a_job_event,
        status_reason=st.none() | st.text(),
        container_reason=st.none() | st.text(),
        exit_code=st.none() | st.integers(-255, 255),
    )
)
def test_any_job_has_a_reason_and_an_explanation(job: JobEvent) -> None:
    """Whatever somebody gave as theirs."""
    assert classify(job) in Reason
    assert "exit code" in explain(job)
