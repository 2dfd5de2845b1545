"""Why a job failed, by what AWS writes of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.events import Attempt, JobEvent
from ops_platform.domain.reasons import (
    RULES,
    STALE_MARK,
    Reason,
    classify,
    explain,
    gave_up,
    never_ran,
    tell_attempts,
)
from ops_platform_tests.build import NOON, TASK_EXITED, a_job_event

OOM = "OutOfMemoryError: Container killed due to memory usage"
LIMIT = "Canceled by JobStateTimeLimit action due to reason: "
SEEN: list[tuple[dict[str, Any], Reason]] = [
    ({"status_reason": TASK_EXITED, "exit_code": 1}, Reason.USER_EXCEPTION),
    ({"status_reason": TASK_EXITED, "exit_code": 202}, Reason.USER_EXCEPTION),
    ({"status_reason": TASK_EXITED, "exit_code": 0}, Reason.UNKNOWN),
    ({"status_reason": TASK_EXITED}, Reason.UNKNOWN),
    ({}, Reason.UNKNOWN),
    (
        {"status_reason": TASK_EXITED, "container_reason": OOM, "exit_code": 137},
        Reason.OUT_OF_MEMORY,
    ),
    ({"status_reason": TASK_EXITED, "container_reason": OOM}, Reason.OUT_OF_MEMORY),
    ({"status_reason": TASK_EXITED, "exit_code": 137}, Reason.KILLED),
    ({"status_reason": TASK_EXITED, "exit_code": 139}, Reason.KILLED),
    (
        {"status_reason": "Job attempt duration exceeded timeout", "exit_code": 137},
        Reason.ATTEMPT_TIMEOUT,
    ),
    ({"status_reason": "Host EC2 (instance i-0a1b) terminated."}, Reason.HOST_LOST),
    ({"status_reason": "Host EC2 (instance i-0a1b) stopped."}, Reason.HOST_LOST),
    ({"status_reason": "Your Spot Task was interrupted."}, Reason.HOST_LOST),
    (
        {
            "status_reason": TASK_EXITED,
            "container_reason": "CannotInspectContainerError: Could not transition to inspecting; "
            "timed out after waiting 30s",
        },
        Reason.HOST_LOST,
    ),
    ({"status_reason": "Task failed to start"}, Reason.COULD_NOT_START),
    (
        {
            "status_reason": "Task failed to start",
            "container_reason": "CannotPullContainerError: pull access denied",
        },
        Reason.IMAGE_PULL,
    ),
    (
        {
            "status_reason": "Task failed to start",
            "container_reason": "CannotPullImageManifestError: not found",
        },
        Reason.IMAGE_PULL,
    ),
    (
        {"status_reason": TASK_EXITED, "container_reason": "DockerTimeoutError: Could not start"},
        Reason.COULD_NOT_START,
    ),
    (
        {"container_reason": "CannotStartContainerError: no such file: bash", "exit_code": 127},
        Reason.COULD_NOT_START,
    ),
    (
        {"status_reason": "ResourceInitializationError: unable to pull secrets"},
        Reason.COULD_NOT_START,
    ),
    (
        {"status_reason": "ECS was unable to assume the role 'arn:aws:iam::222222222222:role/r'"},
        Reason.COULD_NOT_START,
    ),
    ({"status_reason": f"{STALE_MARK}: no instance is big", "cancelled": True}, Reason.STALE),
    *(
        ({"status_reason": f"{LIMIT}{why}", "cancelled": True}, Reason.TIME_LIMIT)
        for why in (
            "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
            "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
            "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
        )
    ),
    ({"status_reason": "Too expensive.", "cancelled": True}, Reason.ABORTED),
    ({"cancelled": True}, Reason.ABORTED),
    ({"status_reason": "Enough.", "terminated": True, "exit_code": 143}, Reason.ABORTED),
    ({"status_reason": "Why OutOfMemory?", "terminated": True}, Reason.ABORTED),
    (
        {"status_reason": "Metaflow initiated job termination.", "terminated": True},
        Reason.TERMINATED,
    ),
    ({"status_reason": "Aborted by AWS Step Functions", "terminated": True}, Reason.TERMINATED),
    ({"status_reason": "Array Child Job failed"}, Reason.CHILD_FAILED),
    (
        {"status_reason": "Container Overrides length must be at most 8192"},
        Reason.SUBMIT_FAILED,
    ),
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
        ({"exit_code": 137}, "exit code 137 (SIGKILL)"),
        ({"status_reason": f"{STALE_MARK}: no instance is big"}, "no instance is big"),
        ({"status_reason": STALE_MARK}, STALE_MARK),
        ({"status_reason": f"{LIMIT}CAPACITY:X"}, f"{LIMIT}CAPACITY:X"),
        ({}, "no exit code"),
    ],
)
def test_a_failure_is_explained_in_batchs_own_words(told: dict[str, Any], words: str) -> None:
    """The container's first, none of them twice."""
    assert explain(a_job_event(**told)) == words


HOST_LOST = "Host EC2 (instance i-0a1b) terminated."


@pytest.mark.parametrize(
    ("attempts", "words"),
    [
        ([], None),
        ([Attempt(exit_code=1)], None),
        (
            [
                Attempt(exit_code=1, reason=TASK_EXITED),
                Attempt(exit_code=1, reason=TASK_EXITED),
                Attempt(reason=HOST_LOST),
            ],
            "3 attempts: exit 1, exit 1, host lost",
        ),
        (
            [Attempt(exit_code=137, reason=OOM), Attempt(exit_code=137), Attempt()],
            "3 attempts: out of memory, exit 137 (SIGKILL), no exit code",
        ),
    ],
    ids=range(4),
)
def test_each_attempt_is_told(attempts: list[Attempt], words: str | None) -> None:
    """A spot host that went away is another trouble than an exception each time."""
    assert tell_attempts(a_job_event(attempts=tuple(attempts))) == words


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        (STALE_MARK, True),
        (f"{STALE_MARK}: no instance is big", True),
        (f"{LIMIT}CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", True),
        ("Aborted by AWS Step Functions", False),
        (f"a person who quotes: {STALE_MARK}", False),
        (None, False),
    ],
)
def test_a_job_is_given_up_by_us_or_by_its_queues_rule(reason: str | None, *, given: bool) -> None:
    """By how its reason begins, whether or not Batch says that it was cancelled."""
    for cancelled in (True, False):
        assert gave_up(a_job_event(status_reason=reason, cancelled=cancelled)) is given


@pytest.mark.parametrize(
    "trace",
    [
        {"started_at": NOON},
        {"exit_code": 0},
        {"log_stream": "metaflow/default/1"},
        {"container_reason": "CannotPullContainerError: denied"},
        {"attempts": (Attempt(exit_code=1),)},
    ],
)
def test_a_job_that_left_any_trace_did_run(trace: dict[str, Any]) -> None:
    """Or its container did at least try to; one that was cancelled while it waited left none."""
    assert never_ran(a_job_event(status="FAILED", status_reason=STALE_MARK))
    assert not never_ran(a_job_event(status="FAILED", **trace))


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
    assert tell_attempts(job) is None
