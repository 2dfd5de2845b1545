"""Compute environments: several to a queue, shared by queues, disabled, out of order, changed."""

import time

import pytest
from botocore.exceptions import ClientError

from ops_platform_tests.embedded.aws.accounts import Aws, eventually
from ops_platform_tests.embedded.aws.queue_plans import Plans

INVALID = "ACTION_REQUIRED - CE(s) associated with the job queue are invalid."
SETTLED = 0.7


@pytest.fixture
def plans(aws: Aws) -> Plans:
    """What makes queues."""
    return Plans(aws)


def _place(aws: Aws, job_id: str) -> str:
    """Return the cluster that a job is on."""
    return str(aws.job(job_id)["container"]["containerInstanceArn"].split("/")[1])


def _cluster(plans: Plans, environment: str) -> str:
    return str(plans.described(environment)["ecsClusterArn"].rpartition("/")[2])


def test_the_first_environment_with_room_gets_the_job(aws: Aws, plans: Plans) -> None:
    """The second one only what the first is too full for."""
    first, second = plans.environment(most=2), plans.environment(most=2)
    queue = plans.queue(first, second)
    jobs = [aws.submit("sleep 30", vcpus="2", queue=queue) for _ in range(3)]
    for job_id in jobs[:2]:
        aws.until(job_id, "RUNNING")

    places = [_place(aws, job_id) for job_id in jobs[:2]]
    assert places == [_cluster(plans, first), _cluster(plans, second)]
    assert aws.job(jobs[2])["status"] == "RUNNABLE"
    assert "statusReason" not in aws.job(jobs[2])


def test_a_changed_order_is_kept_from_then_on(aws: Aws, plans: Plans) -> None:
    """What waits is placed by the order of that moment."""
    first, second = plans.environment(), plans.environment()
    queue = plans.queue(first, second)
    order = [
        {"order": 5, "computeEnvironment": second},
        {"order": 7, "computeEnvironment": first},
    ]
    plans.batch.update_job_queue(jobQueue=queue, computeEnvironmentOrder=order)
    job_id = aws.submit("exit 0", queue=queue)
    aws.until(job_id, "SUCCEEDED")

    assert _place(aws, job_id) == _cluster(plans, second)


def test_queues_share_an_environment_and_the_important_one_goes_first(
    aws: Aws, plans: Plans
) -> None:
    """Whoever came first in the queue of lower priority waits all the same."""
    shared = plans.environment(most=2)
    low, high = plans.queue(shared, priority=1), plans.queue(shared, priority=9)
    holder = aws.submit("sleep 2", vcpus="2", queue=low)
    aws.until(holder, "RUNNING")
    late = aws.submit("exit 0", vcpus="2", queue=low)
    aws.until(late, "RUNNABLE")
    early = aws.submit("exit 0", vcpus="2", queue=high)

    started = aws.until(early, "SUCCEEDED")["startedAt"]
    assert aws.until(late, "SUCCEEDED")["startedAt"] > started


def test_a_disabled_environment_keeps_its_jobs_and_gets_no_more(aws: Aws, plans: Plans) -> None:
    """What runs there runs on; what waits goes on when it is enabled again."""
    environment = plans.environment()
    queue = plans.queue(environment)
    running = aws.submit("sleep 3", queue=queue)
    aws.until(running, "RUNNING")
    plans.change(environment, state="DISABLED")
    waiting = aws.submit("exit 0", queue=queue)

    aws.until(running, "SUCCEEDED")
    assert plans.reason(waiting).startswith("UNDETERMINED - ")
    plans.change(environment, state="ENABLED")
    aws.until(waiting, "SUCCEEDED")


def test_an_environment_whose_role_is_gone_is_invalid(aws: Aws, plans: Plans) -> None:
    """It says so with AWS's words, its jobs with others; a role that exists mends both."""
    role = plans.role()
    environment = plans.environment(serviceRole=role)
    queue = plans.queue(environment)
    plans.delete_role(role)
    job_id = aws.submit("exit 0", queue=queue)

    assert plans.reason(job_id) == INVALID
    described = plans.described(environment)
    assert described["status"] == "INVALID"
    assert described["statusReason"].startswith("CLIENT_ERROR - Not authorized")
    with pytest.raises(ClientError, match="is not VALID"):
        plans.queue(environment)

    plans.change(environment, serviceRole=plans.role())
    aws.until(job_id, "SUCCEEDED")
    assert plans.described(environment)["status"] == "VALID"


def test_one_of_two_environments_may_be_out_of_order(aws: Aws, plans: Plans) -> None:
    """The other takes the jobs; nobody is told anything."""
    role = plans.role()
    broken, sound = plans.environment(serviceRole=role), plans.environment()
    queue = plans.queue(broken, sound)
    plans.delete_role(role)

    job_id = aws.submit("exit 0", queue=queue)
    aws.until(job_id, "SUCCEEDED")
    assert _place(aws, job_id) == _cluster(plans, sound)


def test_what_is_described_is_what_is_up(aws: Aws, plans: Plans) -> None:
    """The desired vCPUs are those of the instances, which come and go with the jobs."""
    environment = plans.environment("r5.large", "r5.xlarge", most=6)
    queue = plans.queue(environment)
    assert plans.described(environment)["computeResources"]["desiredvCpus"] == 0

    aws.until(aws.submit("sleep 1", vcpus="3", queue=queue), "RUNNING")
    resources = plans.described(environment)["computeResources"]
    assert (resources["desiredvCpus"], resources["maxvCpus"]) == (4, 6)
    eventually(
        lambda: plans.described(environment)["computeResources"]["desiredvCpus"] == 0,
        what="the end of the instance",
    )


def test_other_instance_types_take_the_place_of_the_old(aws: Aws, plans: Plans) -> None:
    """Idle instances of a type that is no longer wanted go at once."""
    environment = plans.environment("r5.large")
    queue = plans.queue(environment)
    aws.until(aws.submit("exit 0", queue=queue), "SUCCEEDED")
    plans.change(environment, computeResources={"instanceTypes": ["r5.xlarge"]})
    aws.until(aws.submit("sleep 30", queue=queue), "RUNNING")

    resources = plans.described(environment)["computeResources"]
    assert (resources["desiredvCpus"], resources["instanceTypes"]) == (4, ["r5.xlarge"])


def test_a_family_stands_for_its_types(aws: Aws, plans: Plans) -> None:
    """The smallest that holds the job is started."""
    environment = plans.environment("g4dn", most=16)
    queue = plans.queue(environment)
    aws.until(aws.submit("sleep 30", gpus="1", queue=queue), "RUNNING")
    assert plans.described(environment)["computeResources"]["desiredvCpus"] == 4


def test_gpus_are_given_to_one_job_each(aws: Aws, plans: Plans) -> None:
    """A second job waits for the GPU, though there are vCPUs; the instance registers both."""
    queue = plans.queue(plans.environment("g4dn.xlarge", most=4))
    first = aws.submit("sleep 3", gpus="1", queue=queue)
    instance = aws.until(first, "RUNNING")["container"]["containerInstanceArn"]
    second = aws.submit("exit 0", gpus="1", queue=queue)
    time.sleep(SETTLED)
    assert aws.job(second)["status"] == "RUNNABLE"
    assert {"type": "GPU", "value": "1"} in aws.job(second)["container"]["resourceRequirements"]

    registered = aws.events(resource=instance)[0]["detail"]["registeredResources"]
    assert registered[2]["stringSetValue"] == ["GPU-0"]
    assert aws.until(second, "SUCCEEDED")["startedAt"] >= aws.until(first, "SUCCEEDED")["stoppedAt"]


def test_an_environment_is_deleted_only_when_nothing_needs_it(plans: Plans) -> None:
    """Disabled, and without a queue; its name is free again then."""
    environment = plans.environment()
    queue = plans.queue(environment)
    delete = plans.batch.delete_compute_environment
    with pytest.raises(ClientError, match="must be DISABLED"):
        delete(computeEnvironment=environment)
    plans.change(environment, state="DISABLED")
    with pytest.raises(ClientError, match="existing JobQueue relationship"):
        delete(computeEnvironment=environment)

    plans.batch.update_job_queue(jobQueue=queue, state="DISABLED")
    plans.batch.delete_job_queue(jobQueue=queue)
    delete(computeEnvironment=environment)
    described = plans.batch.describe_compute_environments(computeEnvironments=[environment])
    assert described["computeEnvironments"] == []


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ({"instanceTypes": ["x9.huge"]}, "Instance type x9.huge does not exist"),
        ({"minvCpus": 9}, "maxvCpus must be greater"),
        ({"type": "FARGATE"}, "EC2 only"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    plans: Plans, resources: dict[str, object], reason: str
) -> None:
    """As a ClientException, which is all that Batch has."""
    environment = plans.environment(most=8)
    before = plans.described(environment)
    with pytest.raises(ClientError, match=reason) as refused:
        plans.change(environment, computeResources=resources, state="DISABLED")
    assert refused.value.response["Error"]["Code"] == "ClientException"
    assert plans.described(environment) == before
