"""Queues, environments and waiting jobs, from what Batch's answers tell of them."""

from typing import Any

import pytest

from ops_platform.domain.aws_values import millis
from ops_platform.domain.capacity import (
    Environment,
    InstanceType,
    Platform,
    Position,
    Size,
    TimeLimit,
)
from ops_platform.domain.queue_descriptions import (
    environment_of,
    environments_of,
    front_of,
    listed_job_of,
    may_have_children,
    queue_of,
    read_queue,
    waiting_job_of,
)
from ops_platform.domain.waiting_jobs import runnable_since
from ops_platform_tests.build import ACCOUNT, NOON, a_job_event, after
from ops_platform_tests.domain.history_events import described
from ops_platform_tests.fake_queue_jobs import PREFIX, environment_detail, queue_detail

LARGE = InstanceType("r5.large", Size(2, 16_384))


def _environment(**changes: Any) -> Environment:
    return environment_of(environment_detail("flows-spot", **changes), lambda _: (LARGE,))


def test_an_environment_tells_its_state_its_limits_and_what_it_may_start() -> None:
    """With AWS's own reason where it is out of order."""
    found = _environment(status="INVALID", status_reason="CLIENT_ERROR - no role", desired_vcpus=2)

    assert found == Environment(
        arn=f"{PREFIX}:compute-environment/flows-spot",
        state="ENABLED",
        status="INVALID",
        status_reason="CLIENT_ERROR - no role",
        platform=Platform.EC2,
        max_vcpus=8,
        desired_vcpus=2,
        configured=("r5.large", "r5.xlarge"),
        types=(LARGE,),
    )
    assert (found.name, found.is_usable) == ("flows-spot", False)


_MANAGED = {"instanceLaunchTemplate": {"instanceRequirements": {"allowedInstanceTypes": ["m5"]}}}


@pytest.mark.parametrize(
    ("changes", "platform", "types"),
    [
        ({"kind": "EC2"}, Platform.EC2, (LARGE,)),
        ({"kind": "SPOT"}, Platform.EC2, (LARGE,)),
        ({"kind": "FARGATE", "types": ()}, Platform.FARGATE, ()),
        ({"kind": "FARGATE_SPOT", "types": ()}, Platform.FARGATE, ()),
        ({"kind": "ECS_MANAGED_INSTANCES"}, Platform.OTHER, None),
        ({"kind": "WHATEVER_COMES"}, Platform.OTHER, None),
        ({"type": "UNMANAGED"}, Platform.OTHER, None),
        ({"type": "UNMANAGED", "computeResources": None}, Platform.OTHER, None),
        ({"containerOrchestrationType": "EKS"}, Platform.OTHER, None),
    ],
)
def test_only_of_ec2_instances_it_is_known_how_large_they_are(
    changes: dict[str, Any], platform: Platform, types: tuple[InstanceType, ...] | None
) -> None:
    """Fargate has no instances, and of the others nothing can be proved."""
    found = _environment(**changes)

    assert (found.platform, found.types) == (platform, types)


def test_what_an_environment_of_managed_instances_may_start_is_named() -> None:
    """Though ECS alone knows what it stands for."""
    resources = {"type": "ECS_MANAGED_INSTANCES", "managedInstancesProvider": _MANAGED}

    found = _environment(computeResources=resources)

    assert (found.configured, found.types, found.max_vcpus) == (("m5",), None, None)


def test_a_queue_has_its_environments_in_their_order() -> None:
    """By `order`, whatever the order in which Batch names them."""
    limits = [{"reason": "CAPACITY:X", "state": "RUNNABLE", "maxTimeSeconds": 600, "action": "C"}]
    read = read_queue(
        queue_detail(
            "flows",
            ["spot", "on-demand"],
            schedulingPolicyArn="arn:policy",
            jobStateTimeLimitActions=limits,
        )
    )
    assert read is not None
    known = {name: _environment() for name in ("on-demand", "spot")}

    found = queue_of(read, known)

    assert environments_of(read) == [
        f"{PREFIX}:compute-environment/spot",
        f"{PREFIX}:compute-environment/on-demand",
    ]
    assert (found.name, found.state, found.status) == ("flows", "ENABLED", "VALID")
    assert found.status_reason == "JobQueue Healthy"
    assert len(found.environments) == 2
    assert found.time_limits == (TimeLimit("CAPACITY:X", 600),)
    assert found.fair_share


def test_of_an_environment_that_batch_did_not_describe_nothing_can_be_proved() -> None:
    """Nor that it is out of order."""
    read = read_queue(queue_detail("flows", ["spot"]))
    assert read is not None

    (found,) = queue_of(read, {}).environments

    assert (found.name, found.types, found.is_usable) == ("spot", None, True)


@pytest.mark.parametrize("changes", [{"jobQueueType": "SAGEMAKER_TRAINING"}, {"status": "DELETED"}])
def test_a_queue_without_jobs_of_batch_is_none(changes: dict[str, Any]) -> None:
    """SageMaker's are listed and cancelled by other operations."""
    assert read_queue(queue_detail("flows", ["spot"], **changes)) is None


def test_the_front_names_jobs_and_since_when_they_stand_there() -> None:
    """The child of an array by its own id; a time that is missing is None."""
    jobs = [
        {"jobArn": f"{PREFIX}:job/8f2c:7", "earliestTimeAtPosition": millis(NOON)},
        {"jobArn": f"{PREFIX}:job/9a01"},
    ]

    assert front_of({"frontOfQueue": {"jobs": jobs}}) == [
        Position("8f2c:7", NOON),
        Position("9a01", None),
    ]
    assert front_of({"frontOfQueue": {}}) == []
    assert front_of({"frontOfQuotaShares": {}}) is None


def test_a_listed_job_tells_as_much_as_a_list_does() -> None:
    """Somebody may have asked for its end in either way."""
    summary = {
        "jobId": "8f2c",
        "createdAt": millis(NOON),
        "statusReason": "CAPACITY:X",
        "shareIdentifier": "blue",
    }

    plain, parent = (
        listed_job_of(summary),
        listed_job_of(summary | {"arrayProperties": {"size": 3}}),
    )

    assert (plain.id, plain.created_at, plain.status_reason) == ("8f2c", NOON, "CAPACITY:X")
    assert (plain.share, plain.array_size, plain.cancelled) == ("blue", None, False)
    assert parent.array_size == 3
    assert listed_job_of(summary | {"isCancelled": True}).cancelled
    assert listed_job_of(summary | {"isTerminated": True}).cancelled


@pytest.mark.parametrize(
    ("expected", "array"),
    [
        ("no", None),
        ("no", {"index": 3}),
        ("yes", {"size": 3}),
        ("yes", {"size": 3, "statusSummary": {"RUNNABLE": 1, "RUNNING": 2}}),
        ("no", {"size": 3, "statusSummary": {"RUNNABLE": 0, "RUNNING": 3}}),
        ("yes", {"size": 3, "statusSummary": {}}),
    ],
)
def test_only_the_parent_of_an_array_may_have_children_that_wait(
    expected: str, array: dict[str, Any] | None
) -> None:
    """Unless Batch itself says that none of them does."""
    found = may_have_children({"jobId": "8f2c", "arrayProperties": array}, "RUNNABLE")

    assert found is (expected == "yes")


def test_a_waiting_job_has_tags_parameters_and_what_it_waits_for() -> None:
    """Beside what any event tells of it."""
    detail = described(a_job_event()) | {
        "tags": {"team": "fraud"},
        "parameters": {"metaflow.flow_name": "TrainFlow", "keep": "yes"},
        "dependsOn": [{"jobId": "8f2c", "type": "N_TO_N"}, {"type": "SEQUENTIAL"}],
        "shareIdentifier": "blue",
    }

    found = waiting_job_of(detail, ACCOUNT)

    assert found is not None
    assert (found.job.account, found.id, found.queue) == (ACCOUNT, "5b0e9d3c-job", "flows")
    assert found.tags == {"team": "fraud"}
    assert found.parameters == {"metaflow.flow_name": "TrainFlow", "keep": "yes"}
    # Without an id, its siblings in the array are meant.
    assert (found.depends_on, found.share) == (("8f2c", "5b0e9d3c-job"), "blue")


def test_a_described_job_without_tags_has_none_and_not_nothing_known() -> None:
    """An exemption by a tag can tell the difference."""
    found = waiting_job_of(described(a_job_event()) | {"parameters": None}, ACCOUNT)

    assert found is not None
    assert (found.tags, found.parameters, found.depends_on) == ({}, {}, ())


def test_a_child_waits_for_what_its_array_waits_for() -> None:
    """Batch does not tell so of the child."""
    child = described(a_job_event(job_id="8f2c:7"))
    parent = described(a_job_event(job_id="8f2c", created_at=after(-9)))
    parent["dependsOn"] = [{"jobId": "9a01"}]

    found = waiting_job_of(child, ACCOUNT, parent=parent)

    assert found is not None
    assert (found.id, found.depends_on) == ("8f2c:7", ("9a01",))
    assert found.job.latest.created_at == NOON


def test_a_resource_is_waited_for_as_another_job_is() -> None:
    """Until there is enough of it the job is PENDING, and so not RUNNABLE since its creation."""
    arn = f"{PREFIX}:consumable-resource/licence"
    taken = {"consumableResourceList": [{"consumableResource": arn, "quantity": 1}]}
    detail = described(a_job_event()) | {"consumableResourceProperties": taken}

    found = waiting_job_of(detail, ACCOUNT)

    assert found is not None
    assert found.depends_on == ("licence",)
    assert runnable_since(found) is None


@pytest.mark.parametrize("odd", [{"jobQueue": None}, {"tags": [1]}, {"dependsOn": "x"}])
def test_what_is_no_job_is_none(odd: dict[str, Any]) -> None:
    """An adapter logs its id, and goes on."""
    assert waiting_job_of(described(a_job_event()) | odd, ACCOUNT) is None
