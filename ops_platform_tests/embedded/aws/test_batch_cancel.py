"""CancelJob and TerminateJob in every state, of jobs, of arrays, and of jobs that depend."""

import pytest
from botocore.exceptions import ClientError

from ops_platform_tests.embedded.aws.accounts import Aws, eventually
from ops_platform_tests.embedded.aws.queue_plans import Plans


@pytest.fixture
def plans(aws: Aws) -> Plans:
    """What makes queues."""
    return Plans(aws)


def test_a_cancelled_job_says_so_wherever_it_is_shown(aws: Aws, plans: Plans) -> None:
    """In its description, in the list, and in the event of its end; it is never tried again."""
    queue = plans.queue(plans.environment())
    job_id = aws.submit("exit 0", vcpus="3", queue=queue, retryStrategy={"attempts": 3})
    aws.until(job_id, "RUNNABLE")
    assert "isCancelled" not in aws.job(job_id)
    plans.batch.cancel_job(jobId=job_id, reason="too old")
    plans.batch.cancel_job(jobId=job_id, reason="once more")

    job = aws.until(job_id, "FAILED")
    (listed,) = plans.batch.list_jobs(jobQueue=queue, jobStatus="FAILED")["jobSummaryList"]
    (event,) = [
        e["detail"] for e in aws.events(resource=job_id) if e["detail"]["status"] == "FAILED"
    ]
    for shown in (job, listed, event):
        assert (shown["isCancelled"], shown["statusReason"]) == (True, "too old")
        assert "isTerminated" not in shown
    assert job["attempts"] == []


def test_a_job_that_waits_for_another_is_cancelled_when_that_is_over(
    aws: Aws, plans: Plans
) -> None:
    """Until then it is PENDING, and already known to be cancelled."""
    needed = aws.submit("sleep 2")
    job_id = aws.submit("exit 0", dependsOn=[{"jobId": needed}])
    aws.until(job_id, "PENDING")
    plans.batch.cancel_job(jobId=job_id, reason="not wanted")
    assert (aws.job(job_id)["status"], aws.job(job_id)["isCancelled"]) == ("PENDING", True)

    job = aws.until(job_id, "FAILED")
    assert job["statusReason"] == "not wanted"
    assert job["stoppedAt"] >= aws.job(needed)["stoppedAt"]


def test_a_cancelled_array_ends_with_the_last_child_that_runs(aws: Aws, plans: Plans) -> None:
    """Those that wait are cancelled at once, the one that runs is left alone."""
    queue = plans.queue(plans.environment(most=2))
    parent = aws.submit("sleep 3", vcpus="2", queue=queue, arrayProperties={"size": 3})
    aws.until(f"{parent}:0", "RUNNING")
    plans.batch.cancel_job(jobId=parent, reason="not wanted")

    for index in (1, 2):
        child = aws.until(f"{parent}:{index}", "FAILED")
        assert (child["statusReason"], child["isCancelled"]) == ("not wanted", True)
    assert (aws.job(parent)["status"], aws.job(parent)["isCancelled"]) == ("PENDING", True)
    aws.until(f"{parent}:0", "SUCCEEDED")
    assert aws.until(parent, "FAILED")["statusReason"] == "not wanted"


def test_a_cancelled_child_fails_its_array(aws: Aws, plans: Plans) -> None:
    """Though nobody has cancelled the array."""
    queue = plans.queue(plans.environment(most=2))
    parent = aws.submit("sleep 2", vcpus="2", queue=queue, arrayProperties={"size": 2})
    aws.until(f"{parent}:0", "RUNNING")
    plans.batch.cancel_job(jobId=f"{parent}:1", reason="not wanted")

    described = aws.until(parent, "FAILED")
    assert described["statusReason"] == "Array Child Job failed"
    assert "isCancelled" not in described


def test_cancelling_what_is_over_or_unknown_does_nothing(aws: Aws, plans: Plans) -> None:
    """And succeeds."""
    job_id = aws.submit("exit 0")
    before = aws.until(job_id, "SUCCEEDED")
    plans.batch.cancel_job(jobId=job_id, reason="too late")
    plans.batch.cancel_job(jobId="no-such-job", reason="never was")
    assert aws.job(job_id) == before


def test_a_reason_is_to_be_given(plans: Plans) -> None:
    """By whoever ends a job."""
    for end in (plans.batch.cancel_job, plans.batch.terminate_job):
        with pytest.raises(ClientError, match="reason is required"):
            end(jobId="x", reason="")


def test_a_terminated_job_that_waits_ends_at_once(aws: Aws, plans: Plans) -> None:
    """Also one that waits for another job; it is marked as terminated, not as cancelled."""
    needed = aws.submit("sleep 30")
    job_id = aws.submit("exit 0", dependsOn=[{"jobId": needed}])
    aws.until(job_id, "PENDING")
    plans.batch.terminate_job(jobId=job_id, reason="enough")
    job = eventually(lambda: [j for j in [aws.job(job_id)] if j["status"] == "FAILED"])[0]
    assert (job["isTerminated"], job["statusReason"]) == (True, "enough")
    assert "isCancelled" not in job


@pytest.mark.parametrize("size", [1, 10_001])
def test_an_array_has_two_to_ten_thousand_children(aws: Aws, size: int) -> None:
    """As a ClientException."""
    with pytest.raises(ClientError, match="between 2 and 10000"):
        aws.submit("exit 0", arrayProperties={"size": size})
