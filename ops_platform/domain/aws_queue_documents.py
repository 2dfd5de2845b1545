"""AWS's documents of queues and what is behind them, cut down to the fields we name.

Shapes: Batch ``DescribeJobQueues``, ``DescribeComputeEnvironments``, ``ListJobs`` and
``GetJobQueueSnapshot``, and EC2's ``DescribeInstanceTypes``.
"""

import msgspec

from ops_platform.domain.aws_documents import Count, Key, Millis, Name


class _Aws(msgspec.Struct, frozen=True, rename="camel"):
    """A part of an AWS document; fields that are not named here are skipped."""


class EnvironmentOrder(_Aws, frozen=True):
    """The place of a compute environment in a queue."""

    compute_environment: Key
    order: Count = 0


class TimeLimitAction(_Aws, frozen=True):
    """What Batch itself does to a job that stands at the head of the queue for too long."""

    reason: str = ""
    max_time_seconds: Count = 0


class JobQueue(_Aws, frozen=True):
    """A job queue."""

    job_queue_arn: Key
    state: Name = ""
    status: Name = ""
    status_reason: str | None = None
    job_queue_type: Name | None = None
    scheduling_policy_arn: Name | None = None
    compute_environment_order: list[EnvironmentOrder] | None = None
    job_state_time_limit_actions: list[TimeLimitAction] | None = None


class InstanceRequirements(_Aws, frozen=True):
    """What instances ECS may start by itself."""

    allowed_instance_types: list[str] | None = None


class ManagedLaunch(_Aws, frozen=True):
    """How ECS starts instances by itself."""

    instance_requirements: InstanceRequirements | None = None


class ManagedProvider(_Aws, frozen=True):
    """What provides the instances that ECS starts by itself."""

    instance_launch_template: ManagedLaunch | None = None


class ComputeResources(_Aws, frozen=True):
    """What a compute environment may start."""

    type: Name = ""
    maxv_cpus: Count | None = None
    desiredv_cpus: Count | None = None
    instance_types: list[str] | None = None
    managed_instances_provider: ManagedProvider | None = None


class ComputeEnvironment(_Aws, frozen=True):
    """A compute environment."""

    compute_environment_arn: Key
    type: Name = ""
    state: Name = ""
    status: Name = ""
    status_reason: str | None = None
    container_orchestration_type: Name | None = None
    compute_resources: ComputeResources | None = None


class ListedArray(_Aws, frozen=True):
    """What the list of jobs tells of an array: of its parent, or of a child."""

    size: Count | None = None
    status_summary: dict[str, int] | None = None


class JobSummary(_Aws, frozen=True):
    """A job in a list."""

    job_id: Key
    created_at: Millis | None = None
    started_at: Millis | None = None
    status_reason: str | None = None
    share_identifier: Name | None = None
    array_properties: ListedArray | None = None
    is_cancelled: bool | None = None
    is_terminated: bool | None = None


class FrontJob(_Aws, frozen=True):
    """A job at the front of a queue."""

    job_arn: Key
    earliest_time_at_position: Millis | None = None


class Front(_Aws, frozen=True):
    """The front of a queue."""

    jobs: list[FrontJob] = msgspec.field(default_factory=list)


class Snapshot(_Aws, frozen=True):
    """A queue at one moment."""

    front_of_queue: Front | None = None


class Dependency(_Aws, frozen=True):
    """What a job waits for; without an id, its siblings in an array."""

    job_id: Name | None = None


class Consumable(_Aws, frozen=True):
    """A resource that a job takes some of, such as a licence."""

    consumable_resource: Name = ""


class Consumables(_Aws, frozen=True):
    """The resources of which a job takes some."""

    consumable_resource_list: list[Consumable] | None = None


class WaitingDetail(_Aws, frozen=True):
    """What a job that waits tells beside `aws_documents.Job`."""

    tags: dict[str, str | None] | None = None
    parameters: dict[str, str | None] | None = None
    depends_on: list[Dependency] | None = None
    consumable_resource_properties: Consumables | None = None
    share_identifier: Name | None = None


class _Ec2(msgspec.Struct, frozen=True, rename="pascal"):
    """A part of a document of EC2's."""


class VCpus(_Ec2, frozen=True, rename={"default": "DefaultVCpus"}):
    """The vCPUs of an instance type."""

    default: Count


class Memory(_Ec2, frozen=True, rename={"mib": "SizeInMiB"}):
    """The memory of an instance type."""

    mib: Count


class Gpu(_Ec2, frozen=True):
    """GPUs of one kind; of a kind that is shared out, the parts are counted."""

    count: Count | None = None
    logical_gpu_count: Count | None = None


class Gpus(_Ec2, frozen=True):
    """The GPUs of an instance type."""

    gpus: list[Gpu] = msgspec.field(default_factory=list)


class InstanceType(
    _Ec2,
    frozen=True,
    rename={
        "name": "InstanceType",
        "vcpus": "VCpuInfo",
        "memory": "MemoryInfo",
        "gpu_info": "GpuInfo",
    },
):
    """An instance type."""

    name: Key
    vcpus: VCpus
    memory: Memory
    gpu_info: Gpus | None = None
