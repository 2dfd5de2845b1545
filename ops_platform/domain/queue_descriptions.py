"""Queues, their environments and the jobs that wait in them, made of what Batch's answers tell."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from ops_platform.domain import aws_queue_documents as aws
from ops_platform.domain.aws_values import clip, moment
from ops_platform.domain.batch_ports import ListedJob
from ops_platform.domain.capacity import (
    Environment,
    InstanceType,
    Platform,
    Position,
    Queue,
    TimeLimit,
)
from ops_platform.domain.identity import arn_tail
from ops_platform.domain.job_descriptions import job_event_of
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.waiting_jobs import WaitingJob

Described = Mapping[str, Any]
TypesMeant = Callable[[tuple[str, ...]], tuple[InstanceType, ...] | None]
"""Tells what the instance types, families and bundles stand for that an environment names."""

_EC2 = frozenset({"EC2", "SPOT"})
_FARGATE = frozenset({"FARGATE", "FARGATE_SPOT"})
# Its jobs are of another kind, with operations of their own.
_FOREIGN_QUEUE = "SAGEMAKER_TRAINING"
_DELETED = "DELETED"


def read_queue(described: Described) -> aws.JobQueue | None:
    """Return a queue as ``DescribeJobQueues`` shows it; None if no jobs of Batch wait in it."""
    queue = msgspec.convert(described, aws.JobQueue)
    return None if queue.job_queue_type == _FOREIGN_QUEUE or queue.status == _DELETED else queue


def environments_of(queue: aws.JobQueue) -> list[str]:
    """Return the ARNs of a queue's environments in their order."""
    ordered = sorted(queue.compute_environment_order or (), key=lambda each: each.order)
    return [each.compute_environment for each in ordered]


def queue_of(queue: aws.JobQueue, environments: Mapping[str, Environment]) -> Queue:
    """Return the queue with its environments, each of which may be named by its ARN or its name."""
    actions = queue.job_state_time_limit_actions or ()
    return Queue(
        arn=queue.job_queue_arn,
        state=queue.state,
        status=queue.status,
        status_reason=clip(queue.status_reason),
        environments=tuple(
            environments.get(arn_tail(arn)) or _untold(arn) for arn in environments_of(queue)
        ),
        time_limits=tuple(TimeLimit(each.reason, each.max_time_seconds) for each in actions),
        fair_share=bool(queue.scheduling_policy_arn),
    )


def environment_of(described: Described, types_meant: TypesMeant) -> Environment:
    """Return an environment as ``DescribeComputeEnvironments`` shows it."""
    found = msgspec.convert(described, aws.ComputeEnvironment)
    resources = found.compute_resources or aws.ComputeResources()
    platform = _platform(found, resources)
    configured = tuple(_configured(resources))
    types: tuple[InstanceType, ...] | None = None
    if platform is not Platform.OTHER:
        types = types_meant(configured) if platform is Platform.EC2 else ()
    return Environment(
        arn=found.compute_environment_arn,
        state=found.state,
        status=found.status,
        status_reason=clip(found.status_reason),
        platform=platform,
        max_vcpus=resources.maxv_cpus,
        desired_vcpus=resources.desiredv_cpus,
        configured=configured,
        types=types,
    )


def front_of(described: Described) -> list[Position] | None:
    """Return the front of a queue as ``GetJobQueueSnapshot`` shows it, None if it does not."""
    front = msgspec.convert(described, aws.Snapshot).front_of_queue
    if front is None:
        return None
    return [
        Position(arn_tail(job.job_arn), moment(job.earliest_time_at_position)) for job in front.jobs
    ]


def listed_job_of(summary: Described) -> ListedJob:
    """Return a job as ``ListJobs`` shows it."""
    job = msgspec.convert(summary, aws.JobSummary)
    return ListedJob(
        id=job.job_id,
        created_at=moment(job.created_at),
        cancelled=bool(job.is_cancelled or job.is_terminated),
        array_size=job.array_properties.size if job.array_properties else None,
        status_reason=clip(job.status_reason),
        share=job.share_identifier,
        started_at=moment(job.started_at),
    )


def may_have_children(summary: Described, state: str) -> bool:
    """Tell whether a job in a list is the parent of an array with a child that may be so."""
    array = msgspec.convert(summary, aws.JobSummary).array_properties
    if array is None or not array.size:
        return False
    return array.status_summary is None or array.status_summary.get(state, 1) > 0


def waiting_job_of(
    described: Described, account: str, *, parent: Described | None = None
) -> WaitingJob | None:
    """Return a job as ``DescribeJobs`` shows it; None if it is no job we understand.

    What the parent of an array waits for its children wait for, too; and a resource of which
    there is not enough is waited for as another job is.
    """
    event = job_event_of(described)
    try:
        detail = msgspec.convert(described, aws.WaitingDetail)
        needed = [*_needed(described), *_needed(parent or {})]
    except msgspec.ValidationError:
        return None
    if event is None:
        return None
    return WaitingJob(
        job=Job(account, event),
        tags=_given(detail.tags),
        parameters=_given(detail.parameters),
        depends_on=tuple(dict.fromkeys(needed)),
        share=detail.share_identifier,
    )


def parent_of(job_id: str) -> str | None:
    """Return the id of the array that a job is a child of."""
    parent, colon, _ = job_id.partition(":")
    return parent if colon else None


def _given(values: Mapping[str, str | None] | None) -> dict[str, str]:
    return {name: value for name, value in (values or {}).items() if value is not None}


def _needed(described: Described) -> Iterator[str]:
    """Yield what a job has to wait for, or had to, before it waits for capacity."""
    siblings = str(described.get("jobId", "")).partition(":")[0]
    detail = msgspec.convert(described, aws.WaitingDetail)
    for other in detail.depends_on or ():
        yield other.job_id or siblings
    taken = detail.consumable_resource_properties or aws.Consumables()
    for resource in taken.consumable_resource_list or ():
        yield arn_tail(resource.consumable_resource)


def _platform(found: aws.ComputeEnvironment, resources: aws.ComputeResources) -> Platform:
    if found.type == "UNMANAGED" or found.container_orchestration_type == "EKS":
        return Platform.OTHER
    if resources.type in _FARGATE:
        return Platform.FARGATE
    return Platform.EC2 if resources.type in _EC2 else Platform.OTHER


def _configured(resources: aws.ComputeResources) -> Iterable[str]:
    provider = resources.managed_instances_provider
    launch = provider.instance_launch_template if provider else None
    wanted = launch.instance_requirements if launch else None
    return resources.instance_types or (wanted.allowed_instance_types if wanted else None) or ()


def _untold(arn: str) -> Environment:
    """Return an environment that Batch did not describe: nothing can be proved of it."""
    return Environment(
        arn=arn,
        state="ENABLED",
        status="",
        status_reason=None,
        platform=Platform.OTHER,
        max_vcpus=None,
        desired_vcpus=None,
        configured=(),
        types=None,
    )
