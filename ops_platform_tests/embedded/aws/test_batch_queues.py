"""Job queues: who is in front since when, what a disabled or deleted one does with its jobs."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops_platform_tests.embedded.aws.accounts import Aws, eventually
from ops_platform_tests.embedded.aws.queue_plans import Plans


@pytest.fixture
def plans(aws: Aws) -> Plans:
    """What makes queues."""
    return Plans(aws)


def test_each_place_has_its_own_time(aws: Aws, plans: Plans) -> None:
    """A job that stays at its place keeps the time; those that move up get another one."""
    queue = plans.queue(plans.environment())
    first, second, third, fourth = (aws.submit("exit 0", vcpus="3", queue=queue) for _ in range(4))
    aws.until(fourth, "RUNNABLE")
    before = dict(plans.front(queue))
    assert list(before) == [first, second, third, fourth]
    assert all(since >= aws.job(job_id)["createdAt"] for job_id, since in before.items())

    time.sleep(0.05)
    plans.batch.cancel_job(jobId=second, reason="gone")
    after = dict(plans.front(queue))
    assert list(after) == [first, third, fourth]
    assert after[first] == before[first]
    assert after[third] > before[third]
    assert after[fourth] > before[fourth]


def test_a_job_that_is_tried_again_goes_in_front_of_younger_ones(aws: Aws, plans: Plans) -> None:
    """By its submission; the head before it has to begin to wait there anew."""
    queue = plans.queue(plans.environment(most=2))
    retried = aws.submit(
        "sleep 2; test $AWS_BATCH_JOB_ATTEMPT = 2 && sleep 30",
        vcpus="2",
        queue=queue,
        retryStrategy={"attempts": 2},
    )
    aws.until(retried, "RUNNING")
    younger = aws.submit("exit 0", vcpus="2", queue=queue)
    aws.until(younger, "RUNNABLE")
    (before,) = plans.front(queue)
    eventually(lambda: len(aws.job(retried)["attempts"]) == 1, what="the end of an attempt")
    aws.until(retried, "RUNNING")
    (after,) = plans.front(queue)
    assert before[0] == after[0] == younger
    assert after[1] > before[1]


def test_the_front_are_a_hundred_jobs(aws: Aws, plans: Plans) -> None:
    """However many wait."""
    queue = plans.queue(plans.environment())
    parent = aws.submit("exit 0", vcpus="3", queue=queue, arrayProperties={"size": 103})
    aws.until(f"{parent}:102", "RUNNABLE")
    front = [job_id for job_id, _ in plans.front(queue)]
    assert front == [f"{parent}:{index}" for index in range(100)]


def test_a_disabled_queue_takes_no_jobs_and_finishes_those_it_has(aws: Aws, plans: Plans) -> None:
    """As AWS documents it: what is in the queue can finish."""
    queue = plans.queue(plans.environment(most=2))
    running = aws.submit("sleep 1", vcpus="2", queue=queue)
    waiting = aws.submit("exit 0", vcpus="2", queue=queue)
    plans.batch.update_job_queue(jobQueue=queue, state="DISABLED")
    with pytest.raises(ClientError, match="is not ENABLED") as refused:
        aws.submit("exit 0", queue=queue)
    assert refused.value.response["Error"]["Code"] == "ClientException"
    assert _queue(plans, queue)["state"] == "DISABLED"

    aws.until(running, "SUCCEEDED")
    aws.until(waiting, "SUCCEEDED")


def test_a_deleted_queue_ends_its_jobs(aws: Aws, plans: Plans) -> None:
    """It must be disabled, and is there until the last of them is over; then it is unknown."""
    queue = plans.queue(plans.environment(most=2))
    running = aws.submit("trap '' TERM; while :; do sleep 0.1; done", queue=queue)
    waiting = aws.submit("exit 0", vcpus="3", queue=queue)
    aws.until(running, "RUNNING")
    with pytest.raises(ClientError, match="must be DISABLED"):
        plans.batch.delete_job_queue(jobQueue=queue)
    plans.batch.update_job_queue(jobQueue=queue, state="DISABLED")
    plans.batch.delete_job_queue(jobQueue=queue)
    assert _queue(plans, queue)["status"] == "DELETING"

    assert aws.until(waiting, "FAILED")["isTerminated"]
    aws.until(running, "FAILED")
    eventually(
        lambda: not plans.batch.describe_job_queues(jobQueues=[queue])["jobQueues"],
        what="the end of the queue",
    )
    with pytest.raises(ClientError, match="does not exist"):
        plans.batch.get_job_queue_snapshot(jobQueue=queue)


def test_a_queue_is_described_as_it_is(plans: Plans) -> None:
    """With the ARNs of its environments, however they were named."""
    environment = plans.environment()
    queue = plans.queue(environment, priority=7, tags={"team": "search"})
    described = _queue(plans, queue)

    assert described["jobQueueArn"].endswith(f":job-queue/{queue}")
    assert (described["state"], described["status"], described["priority"]) == (
        "ENABLED",
        "VALID",
        7,
    )
    arn = plans.described(environment)["computeEnvironmentArn"]
    assert described["computeEnvironmentOrder"] == [{"order": 0, "computeEnvironment": arn}]
    assert described["tags"] == {"team": "search"}


def test_queues_and_environments_are_described_page_by_page(plans: Plans) -> None:
    """All of them, each once."""
    mine = {plans.queue(plans.environment()) for _ in range(3)}
    for action, listed, name in (
        ("describe_job_queues", "jobQueues", "jobQueueName"),
        ("describe_compute_environments", "computeEnvironments", "computeEnvironmentName"),
    ):
        pages = list(plans.batch.get_paginator(action).paginate(PaginationConfig={"PageSize": 2}))
        names = [each[name] for page in pages for each in page[listed]]
        assert all(len(page[listed]) <= 2 for page in pages)
        assert len(names) == len(set(names)) > 4
        assert action != "describe_job_queues" or mine < set(names)


@pytest.mark.parametrize(
    ("environments", "sentence"),
    [(0, "is required"), (4, "at most 3")],
)
def test_a_queue_has_one_to_three_environments(
    plans: Plans, environments: int, sentence: str
) -> None:
    """As a ClientException."""
    with pytest.raises(ClientError, match=sentence):
        plans.queue(*(plans.environment() for _ in range(environments)))


def test_an_unknown_environment_or_a_second_queue_of_a_name_is_refused(plans: Plans) -> None:
    """Nothing is made then."""
    with pytest.raises(ClientError, match="does not exist"):
        plans.queue("no-such-environment")
    environment = plans.environment()
    queue = plans.queue(environment)
    order = [{"order": 1, "computeEnvironment": environment}]
    with pytest.raises(ClientError, match="already exists"):
        plans.batch.create_job_queue(jobQueueName=queue, priority=1, computeEnvironmentOrder=order)


def _queue(plans: Plans, name: str) -> dict[str, Any]:
    (found,) = plans.batch.describe_job_queues(jobQueues=[name])["jobQueues"]
    return dict(found)
