"""``jobStateTimeLimitActions``: what Batch cancels by itself, and what it leaves alone."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops_platform_tests.embedded.aws.accounts import (
    QUICK,
    Aws,
    running,
    staging_on_free_port,
)
from ops_platform_tests.embedded.aws.queue_plans import Plans

TOO_LARGE = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
MAXIMUM = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE"
NO_CAPACITY = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"


def limit(reason: str, seconds: int = 1, **more: str) -> dict[str, Any]:
    """Return an entry of jobStateTimeLimitActions."""
    entry = {"state": "RUNNABLE", "action": "CANCEL", "maxTimeSeconds": seconds, "reason": reason}
    return entry | more


@pytest.fixture
def plans(aws: Aws) -> Plans:
    """What makes queues."""
    return Plans(aws)


@pytest.mark.parametrize(
    ("kind", "vcpus", "reason"),
    [
        ("r5.large", "3", TOO_LARGE),
        ("r5.4xlarge", "16", MAXIMUM),
        ("m5.large", "1", NO_CAPACITY),
    ],
)
def test_the_head_is_cancelled_for_its_reason(
    aws: Aws, plans: Plans, kind: str, vcpus: str, reason: str
) -> None:
    """With Batch's own words, after its time, and without an attempt; it is not tried again."""
    queue = plans.queue(plans.environment(kind), jobStateTimeLimitActions=[limit(reason)])
    job_id = aws.submit("exit 0", vcpus=vcpus, queue=queue, retryStrategy={"attempts": 3})
    job = aws.until(job_id, "FAILED")

    assert job["statusReason"] == f"Canceled by JobStateTimeLimit action due to reason: {reason}"
    assert job["attempts"] == []
    assert job["stoppedAt"] - job["createdAt"] >= 1000
    last = [e["detail"] for e in aws.events(resource=job_id) if e["detail"]["status"] == "FAILED"]
    assert [detail["statusReason"] for detail in last] == [job["statusReason"]]


def test_the_time_of_a_job_begins_at_the_head(aws: Aws, plans: Plans) -> None:
    """The second is as old as the first and goes a whole limit later."""
    queue = plans.queue(plans.environment(), jobStateTimeLimitActions=[limit(TOO_LARGE, 2)])
    jobs = [aws.submit("exit 0", vcpus="3", queue=queue) for _ in range(2)]
    first, second = (aws.until(job_id, "FAILED")["stoppedAt"] for job_id in jobs)

    assert second - first >= 2000


@pytest.mark.parametrize("limits", [[], [limit(MAXIMUM), limit(NO_CAPACITY)]])
def test_what_no_limit_names_waits_on(aws: Aws, plans: Plans, limits: list[dict[str, Any]]) -> None:
    """However long it is stuck."""
    queue = plans.queue(plans.environment(), jobStateTimeLimitActions=limits)
    job_id = aws.submit("exit 0", vcpus="3", queue=queue)
    plans.reason(job_id)
    time.sleep(1.5)
    assert aws.job(job_id)["status"] == "RUNNABLE"


def test_a_job_that_waits_its_turn_is_left_alone(aws: Aws, plans: Plans) -> None:
    """Its capacity is in use: no limit has a name for that."""
    limits = [limit(reason) for reason in (TOO_LARGE, MAXIMUM, NO_CAPACITY)]
    queue = plans.queue(plans.environment(most=2), jobStateTimeLimitActions=limits)
    aws.until(aws.submit("sleep 30", vcpus="2", queue=queue), "RUNNING")
    waiting = aws.submit("exit 0", queue=queue)
    aws.until(waiting, "RUNNABLE")
    time.sleep(1.8)
    assert aws.job(waiting)["status"] == "RUNNABLE"


def test_a_limit_set_later_holds_for_what_waits_already(aws: Aws, plans: Plans) -> None:
    """And is shown as it was given; an empty list takes it away."""
    queue = plans.queue(plans.environment())
    job_id = aws.submit("exit 0", vcpus="3", queue=queue)
    plans.reason(job_id)
    update = plans.batch.update_job_queue
    update(jobQueue=queue, jobStateTimeLimitActions=[limit(TOO_LARGE)])
    assert _limits(plans, queue) == [limit(TOO_LARGE)]
    aws.until(job_id, "FAILED")

    update(jobQueue=queue, jobStateTimeLimitActions=[])
    assert _limits(plans, queue) == []


def _limits(plans: Plans, queue: str) -> list[dict[str, Any]]:
    (described,) = plans.batch.describe_job_queues(jobQueues=[queue])["jobQueues"]
    return list(described["jobStateTimeLimitActions"])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (limit(TOO_LARGE, 86_401), "between 1 and 86400"),
        (limit(TOO_LARGE, 0), "maxTimeSeconds"),
        (limit("UNDETERMINED"), "Reason must be one of"),
        (limit("ACTION_REQUIRED"), "Reason must be one of"),
        (limit(TOO_LARGE, action="TERMINATE"), "action CANCEL"),
    ],
)
def test_a_limit_that_batch_does_not_know_is_refused(
    plans: Plans, wrong: dict[str, Any], sentence: str
) -> None:
    """As a ClientException; there is no queue then."""
    environment = plans.environment()
    with pytest.raises(ClientError, match=sentence):
        plans.queue(environment, jobStateTimeLimitActions=[wrong])


def test_short_limits_are_for_tests_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Unless the account is started for them, ten minutes are the least, as in AWS."""
    account, folder = staging_on_free_port(), tmp_path_factory.mktemp("strict")
    timing = {name: seconds for name, seconds in QUICK.items() if name != "shortest_time_limit"}
    with running(account, folder, timing=timing):
        plans = Plans(Aws(account, folder))
        with pytest.raises(ClientError, match="between 600 and 86400"):
            plans.queue(plans.environment(), jobStateTimeLimitActions=[limit(TOO_LARGE, 599)])
        plans.queue(plans.environment(), jobStateTimeLimitActions=[limit(TOO_LARGE, 600)])
