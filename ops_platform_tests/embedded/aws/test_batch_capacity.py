"""Queues are first come first served in front of limited compute environments."""

import time

from ops_platform_tests.embedded.aws.accounts import Aws, eventually


def test_a_job_waits_until_there_is_room(aws: Aws) -> None:
    """Eight vCPUs are all that the compute environment may grow to."""
    first = aws.submit("sleep 1", vcpus="8")
    second = aws.submit("exit 0", vcpus="8")
    aws.until(first, "RUNNING")
    assert aws.job(second)["status"] == "RUNNABLE"
    first_ended = aws.until(first, "SUCCEEDED")["stoppedAt"]
    assert aws.until(second, "SUCCEEDED")["startedAt"] >= first_ended


def test_a_big_job_at_the_head_holds_up_the_small_ones_behind_it(aws: Aws) -> None:
    """Room for the small one is of no use to it before the big one has started."""
    running = aws.submit("sleep 1.5", vcpus="4")
    aws.until(running, "RUNNING")
    big = aws.submit("exit 0", vcpus="8")
    small = aws.submit("exit 0", vcpus="1")
    assert aws.until(small, "SUCCEEDED")["startedAt"] >= aws.job(big)["startedAt"]


def test_a_job_that_no_instance_holds_blocks_its_queue_for_ever(aws: Aws) -> None:
    """It stays RUNNABLE and says why; the queue is reported blocked; a cancel sets it free."""
    impossible = aws.submit("exit 0", vcpus="999", queue="stuck")
    behind = aws.submit("exit 0", queue="stuck")
    eventually(lambda: "statusReason" in aws.job(impossible), what="a reason")
    job = aws.job(impossible)
    assert job["status"] == "RUNNABLE"
    assert job["statusReason"].startswith("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - ")
    assert aws.job(behind)["status"] == "RUNNABLE"
    snapshot = aws.client("batch").get_job_queue_snapshot(jobQueue="stuck")["frontOfQueue"]
    assert [front["jobArn"].rpartition("/")[2] for front in snapshot["jobs"]] == [
        impossible,
        behind,
    ]

    aws.client("batch").cancel_job(jobId=impossible, reason="can never start")
    cancelled = aws.until(impossible, "FAILED")
    assert (cancelled["statusReason"], cancelled["isCancelled"]) == ("can never start", True)
    assert cancelled["attempts"] == []
    assert "startedAt" not in cancelled
    aws.until(behind, "SUCCEEDED")


def test_a_blocked_queue_is_an_event(aws: Aws) -> None:
    """Once for each job that blocks, with the job and its queue as resources."""
    job_id = aws.submit("exit 0", vcpus="999", queue="stuck")

    def blocked() -> list[dict[str, object]]:
        events = aws.events(resource=job_id)
        return [e for e in events if e["detail-type"] == "Batch Job Queue Blocked"]

    (event,) = eventually(blocked)
    time.sleep(0.6)
    assert len(blocked()) == 1
    assert event["resources"] == [aws.job(job_id)["jobArn"], aws.job(job_id)["jobQueue"]]


def test_a_stuck_queue_does_not_hold_up_another_queue(aws: Aws) -> None:
    """Each queue has a compute environment of its own."""
    aws.submit("exit 0", vcpus="999", queue="stuck")
    aws.until(aws.submit("exit 0"), "SUCCEEDED")


def test_instances_come_for_jobs_and_go_when_idle(aws: Aws) -> None:
    """Registered before the job starts, INACTIVE a while after it; versions count up."""
    job = aws.until(aws.submit("exit 0"), "SUCCEEDED")
    arn = job["container"]["containerInstanceArn"]
    eventually(lambda: aws.events(resource=arn)[-1]["detail"]["status"] == "INACTIVE")
    details = [event["detail"] for event in aws.events(resource=arn)]
    assert [detail["version"] for detail in details] == list(range(1, len(details) + 1))
    assert {detail["status"] for detail in details[:-1]} == {"ACTIVE"}
    assert details[0]["remainingResources"] == details[0]["registeredResources"]
    assert details[1]["remainingResources"] != details[1]["registeredResources"]
