"""Jobs on the emulated Batch live and die as jobs on AWS do."""

import pytest

from ops_platform_tests.embedded.aws.accounts import Aws, Json, eventually


def test_a_job_sees_the_environment_of_batch(aws: Aws) -> None:
    """Metaflow reads each of these, and fails without."""
    names = ["JOB_ID", "JOB_ATTEMPT", "CE_NAME", "JQ_NAME"]
    lines = "; ".join(f"echo $AWS_BATCH_{name}" for name in names)
    job_id = aws.submit(
        f"{lines}; echo $AWS_EXECUTION_ENV; echo $GREETING",
        containerOverrides={
            "environment": [{"name": "GREETING", "value": "hello"}],
        },
    )
    job = aws.until(job_id, "SUCCEEDED")
    assert aws.log_of(job) == [job_id, "1", "metaflow-spot", "metaflow", "AWS_ECS_EC2", "hello"]


def test_a_finished_job_is_described_in_full(aws: Aws) -> None:
    """Times in milliseconds and in order, the attempt with exit code, log and instance."""
    job = aws.until(aws.submit("exit 0"), "SUCCEEDED")
    assert job["createdAt"] <= job["startedAt"] <= job["stoppedAt"]
    (attempt,) = job["attempts"]
    assert attempt["container"]["exitCode"] == job["container"]["exitCode"] == 0
    assert attempt["statusReason"] == job["statusReason"] == "Essential container in task exited"
    assert ":container-instance/" in attempt["container"]["containerInstanceArn"]
    assert attempt["container"]["logStreamName"].endswith(
        attempt["container"]["taskArn"].rpartition("/")[2]
    )
    assert {"type": "VCPU", "value": "1"} in job["container"]["resourceRequirements"]


def test_a_failed_attempt_is_tried_again_and_fails_once(aws: Aws) -> None:
    """The attempts add up; FAILED comes only after the last one."""
    job_id = aws.submit("exit $AWS_BATCH_JOB_ATTEMPT", retryStrategy={"attempts": 3})
    job = aws.until(job_id, "FAILED")
    assert [attempt["container"]["exitCode"] for attempt in job["attempts"]] == [1, 2, 3]
    statuses = [event["detail"]["status"] for event in aws.events(resource=job_id)]
    assert statuses == [*["RUNNABLE", "STARTING", "RUNNING"] * 3, "FAILED"]


def test_an_exit_rule_ends_the_retries(aws: Aws) -> None:
    """The first rule of evaluateOnExit that matches decides."""
    rules = [{"onExitCode": "7", "action": "EXIT"}, {"onReason": "*", "action": "RETRY"}]
    job_id = aws.submit("exit 7", retryStrategy={"attempts": 5, "evaluateOnExit": rules})
    assert len(aws.until(job_id, "FAILED")["attempts"]) == 1


def test_an_attempt_that_lasts_too_long_is_killed_and_not_tried_again(aws: Aws) -> None:
    """What ignores SIGTERM gets SIGKILL; the reason is the one AWS gives."""
    job_id = aws.submit(
        "trap '' TERM; while :; do sleep 0.2; done",
        timeout={"attemptDurationSeconds": 1},
        retryStrategy={"attempts": 3},
    )
    job = aws.until(job_id, "FAILED")
    assert job["statusReason"] == "Job attempt duration exceeded timeout"
    assert [attempt["container"]["exitCode"] for attempt in job["attempts"]] == [137]


def test_a_command_that_does_not_exist_fails_to_start(aws: Aws) -> None:
    """As with an image without that program: a reason, and no exit code."""
    definition = aws.definition("no-such-program")
    submitted = aws.client("batch").submit_job(
        jobName="test", jobQueue="metaflow", jobDefinition=definition
    )
    job = aws.until(submitted["jobId"], "FAILED")
    assert job["statusReason"] == "Task failed to start"
    assert "exitCode" not in job["attempts"][0]["container"]
    assert "CannotStartContainerError" in job["container"]["reason"]


def test_cancelling_a_running_job_succeeds_and_does_nothing(aws: Aws) -> None:
    """The trap of CancelJob: a success that means nothing."""
    job_id = aws.submit("sleep 30")
    aws.until(job_id, "RUNNING")
    aws.client("batch").cancel_job(jobId=job_id, reason="too old")
    job = aws.job(job_id)
    assert job["status"] == "RUNNING"
    assert "isCancelled" not in job


def test_terminating_a_running_job_fails_it_with_the_reason(aws: Aws) -> None:
    """SIGTERM reaches the job; the reason becomes its statusReason; it is not tried again."""
    job_id = aws.submit(
        "trap 'echo asked to end; exit 3' TERM; while :; do sleep 0.1; done",
        retryStrategy={"attempts": 3},
    )
    aws.until(job_id, "RUNNING")
    aws.client("batch").terminate_job(jobId=job_id, reason="enough")
    job = aws.until(job_id, "FAILED")
    assert (job["statusReason"], job["isTerminated"]) == ("enough", True)
    assert job["container"]["exitCode"] == 3
    assert len(job["attempts"]) == 1


def test_the_children_of_a_job_end_with_it(aws: Aws) -> None:
    """As with a container: nothing that a job started outlives it."""
    job = aws.until(aws.submit("sleep 600 & echo $!; exit 0"), "SUCCEEDED")
    (pid,) = aws.log_of(job)
    assert not _is_alive(int(pid))


def test_a_very_long_line_is_logged_in_pieces(aws: Aws) -> None:
    """One line cannot fill the memory; none of it is lost."""
    job = aws.until(aws.submit("head -c 40000 /dev/zero | tr '\\0' x; echo"), "SUCCEEDED")
    lines = eventually(lambda: [line for line in aws.log_of(job) if len(aws.log_of(job)) == 3])
    assert [len(line) for line in lines] == [16_384, 16_384, 40_000 - 2 * 16_384]


def test_an_array_job_waits_for_its_children_and_fails_with_one(aws: Aws) -> None:
    """Each child knows its index; the parent stays PENDING until all have ended."""
    job_id = aws.submit(
        'echo $AWS_BATCH_JOB_ARRAY_INDEX; test "$AWS_BATCH_JOB_ARRAY_INDEX" != 1',
        arrayProperties={"size": 3},
    )
    parent = aws.until(job_id, "SUCCEEDED", "FAILED")
    assert parent["status"] == "FAILED"
    assert parent["arrayProperties"]["statusSummary"]["FAILED"] == 1
    children = [aws.job(f"{job_id}:{index}") for index in range(3)]
    assert [aws.log_of(child) for child in children] == [["0"], ["1"], ["2"]]


@pytest.mark.parametrize(("first", "then"), [("exit 0", "SUCCEEDED"), ("exit 1", "FAILED")])
def test_a_job_waits_for_the_job_it_depends_on(aws: Aws, first: str, then: str) -> None:
    """PENDING until the other has ended; FAILED without a start if the other failed."""
    needed = aws.submit(f"sleep 0.5; {first}")
    job_id = aws.submit("exit 0", dependsOn=[{"jobId": needed}])
    assert aws.until(job_id, "PENDING")["status"] == "PENDING"
    assert aws.until(job_id, "SUCCEEDED", "FAILED")["status"] == then


def test_jobs_are_listed_by_one_filter_with_pages(aws: Aws) -> None:
    """Newest first; a filter makes the status count for nothing."""
    ids = [aws.submit("exit 0") for _ in range(3)]
    created = aws.job(ids[0])["createdAt"]
    pages = (
        aws.client("batch")
        .get_paginator("list_jobs")
        .paginate(
            jobQueue="metaflow",
            filters=[{"name": "AFTER_CREATED_AT", "values": [str(created - 1)]}],
            PaginationConfig={"PageSize": 2},
        )
    )
    listed: list[Json] = [job for page in pages for job in page["jobSummaryList"]]
    assert [job["jobId"] for job in listed] == ids[::-1]
    assert "parameters" not in listed[0]


def test_the_parameters_of_a_job_replace_the_references_in_its_command(aws: Aws) -> None:
    """``Ref::name`` as an argument of its own."""
    definition = aws.definition("echo", "Ref::word", parameters={"word": "default"})
    submitted = aws.client("batch").submit_job(
        jobName="test", jobQueue="metaflow", jobDefinition=definition, parameters={"word": "mine"}
    )
    job = aws.until(submitted["jobId"], "SUCCEEDED")
    assert aws.log_of(job) == ["mine"]
    assert job["parameters"] == {"word": "mine"}


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().split()[2] != "Z"
    except FileNotFoundError:
        return False
