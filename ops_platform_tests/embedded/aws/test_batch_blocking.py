"""What blocks the head of a queue is told in the words of Batch, in the job and as an event."""

import time

import pytest

from ops_platform_tests.embedded.aws.accounts import Aws, eventually
from ops_platform_tests.embedded.aws.queue_plans import Plans

TOO_LARGE = (
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) is"
    " higher than that can be met by the CE(s) attached to the job queue."
)
MAXIMUM = (
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue cannot"
    " meet the CPU requirement of the job."
)
NO_CAPACITY = (
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for"
    " instance type [{}]"
)
UNDETERMINED = "UNDETERMINED - Batch job is blocked, root cause is undetermined."


@pytest.fixture
def plans(aws: Aws) -> Plans:
    """What makes queues."""
    return Plans(aws)


@pytest.mark.parametrize(
    ("types", "most", "vcpus", "gpus", "reason"),
    [
        (["r5.large"], 64, "3", None, TOO_LARGE),
        (["r5.large"], 64, "1", "1", TOO_LARGE),
        (["g4dn.xlarge"], 64, "1", "2", TOO_LARGE),
        (["r5.2xlarge"], 4, "8", None, MAXIMUM),
        (["r5.2xlarge"], 0, "1", None, MAXIMUM),
        (["m5.large"], 8, "2", None, NO_CAPACITY.format("m5.large")),
        (["m5.xlarge", "m5.large"], 8, "2", None, NO_CAPACITY.format("m5.large, m5.xlarge")),
        (["c5.large"], 8, "2", None, UNDETERMINED),
    ],
)
def test_each_cause_has_its_reason(
    aws: Aws, plans: Plans, *, types: list[str], most: int, vcpus: str, gpus: str, reason: str
) -> None:
    """Whoever reads the job, the list of jobs or the event reads the same."""
    queue = plans.queue(plans.environment(*types, most=most))
    job_id = aws.submit("exit 0", vcpus=vcpus, gpus=gpus, queue=queue)

    assert plans.reason(job_id) == reason
    (listed,) = plans.batch.list_jobs(jobQueue=queue, jobStatus="RUNNABLE")["jobSummaryList"]
    assert (listed["jobId"], listed["statusReason"]) == (job_id, reason)
    (event,) = eventually(lambda: _blocked(aws, job_id), what="the event")
    assert (event["status"], event["statusReason"]) == ("RUNNABLE", reason)


def _blocked(aws: Aws, job_id: str) -> list[dict[str, object]]:
    events = aws.events(resource=job_id)
    return [e["detail"] for e in events if e["detail-type"] == "Batch Job Queue Blocked"]


def test_a_reason_holds_for_all_environments_or_is_none(aws: Aws, plans: Plans) -> None:
    """EC2 lacks the type of the first environment: the second one starts the job."""
    queue = plans.queue(plans.environment("m5.large"), plans.environment("r5.large"))
    aws.until(aws.submit("exit 0", queue=queue), "SUCCEEDED")


def test_a_fit_in_an_environment_that_is_disabled_is_no_fault_of_the_job(
    aws: Aws, plans: Plans
) -> None:
    """The one that is enabled is too small; Batch does not blame the job for it."""
    small, large = plans.environment("r5.large"), plans.environment("r5.2xlarge")
    queue = plans.queue(small, large)
    plans.change(large, state="DISABLED")
    assert plans.reason(aws.submit("exit 0", vcpus="8", queue=queue)) == UNDETERMINED


def test_a_job_that_waits_for_others_to_end_is_not_stuck(aws: Aws, plans: Plans) -> None:
    """Capacity that is in use blocks nothing: no reason, no event."""
    queue = plans.queue(plans.environment(most=2))
    aws.until(aws.submit("sleep 30", vcpus="2", queue=queue), "RUNNING")
    waiting = aws.submit("exit 0", queue=queue)
    aws.until(waiting, "RUNNABLE")
    time.sleep(0.8)
    assert "statusReason" not in aws.job(waiting)
    assert not _blocked(aws, waiting)


def test_only_the_head_says_why_until_another_one_is_it(aws: Aws, plans: Plans) -> None:
    """The job behind learns of its own trouble when its turn has come."""
    queue = plans.queue(plans.environment("r5.large"))
    first = aws.submit("exit 0", vcpus="3", queue=queue)
    second = aws.submit("exit 0", gpus="1", queue=queue)
    plans.reason(first)
    time.sleep(0.5)
    assert "statusReason" not in aws.job(second)

    plans.batch.cancel_job(jobId=first, reason="too large")
    assert plans.reason(second) == TOO_LARGE


def test_the_remedy_sets_the_queue_free(aws: Aws, plans: Plans) -> None:
    """A higher maximum, or a type that is to be had: the job starts, and its reason is gone."""
    environment = plans.environment("r5.2xlarge", most=4)
    job_id = aws.submit("sleep 30", vcpus="8", queue=plans.queue(environment))
    assert plans.reason(job_id) == MAXIMUM
    changes = {"instanceTypes": ["m5.2xlarge"], "maxvCpus": 8}
    plans.change(environment, computeResources=changes)

    assert "statusReason" not in aws.until(job_id, "RUNNING")


def test_another_cause_is_another_event(aws: Aws, plans: Plans) -> None:
    """The maximum was raised, and now EC2 has no such instance."""
    environment = plans.environment("m5.xlarge", most=2)
    job_id = aws.submit("exit 0", vcpus="4", queue=plans.queue(environment))
    assert plans.reason(job_id) == MAXIMUM
    plans.change(environment, computeResources={"maxvCpus": 8})
    eventually(lambda: len(_blocked(aws, job_id)) == 2, what="the second event")
    reasons = [event["statusReason"] for event in _blocked(aws, job_id)]
    assert reasons == [MAXIMUM, NO_CAPACITY.format("m5.xlarge")]
