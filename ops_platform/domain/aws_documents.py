"""AWS's documents as they arrive, cut down to the fields we name; all else is skipped unread.

What is not named is never decoded into memory: the environment of a container, which may hold
tokens, passes by. Shapes: Batch ``DescribeJobs``, Step Functions ``DescribeExecution`` and ECS
``DescribeContainerInstances``, which EventBridge's ``detail`` repeats.
"""

from typing import Annotated

import msgspec

KEY_LIMIT = 512
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_LIMIT)]
Name = Annotated[str, msgspec.Meta(max_length=KEY_LIMIT)]
Millis = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]
Count = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]


class _Aws(msgspec.Struct, frozen=True, rename="camel"):
    """A part of an AWS document; fields that are not named here are skipped."""


class Container(_Aws, frozen=True):
    """A container of a job, or of one of its attempts."""

    exit_code: Count | None = None
    reason: str | None = None
    log_stream_name: Name | None = None
    container_instance_arn: Name | None = None
    resource_requirements: "list[Resource] | None" = None
    vcpus: Count | None = None
    memory: Count | None = None


class Resource(_Aws, frozen=True):
    """One resource a job asks for; the value is a number in text."""

    type: str
    value: str


class Attempt(_Aws, frozen=True):
    """An attempt of a job that has ended."""

    container: Container | None = None
    started_at: Millis | None = None
    stopped_at: Millis | None = None
    status_reason: str | None = None


class Parameters(_Aws, frozen=True):
    """Those of a job's parameters that Metaflow sets and we name."""

    owner: Name | None = msgspec.field(name="metaflow.owner", default=None)
    user: Name | None = msgspec.field(name="metaflow.user", default=None)
    flow: Name | None = msgspec.field(name="metaflow.flow_name", default=None)
    step: Name | None = msgspec.field(name="metaflow.step_name", default=None)
    run: Name | None = msgspec.field(name="metaflow.run_id", default=None)
    task_id: Name | None = msgspec.field(name="metaflow.task_id", default=None)
    retry: str | None = msgspec.field(name="metaflow.retry_count", default=None)


class Retry(_Aws, frozen=True):
    """How often a job may be tried."""

    attempts: Count | None = None


class Array(_Aws, frozen=True):
    """What makes a job the parent of an array."""

    size: Count | None = None


class Job(_Aws, frozen=True):
    """A job, as in ``DescribeJobs``."""

    job_id: Key
    job_name: Name
    job_queue: Name
    status: Name
    job_definition: Name = ""
    status_reason: str | None = None
    created_at: Millis | None = None
    started_at: Millis | None = None
    stopped_at: Millis | None = None
    attempts: list[Attempt] | None = None
    retry_strategy: Retry | None = None
    container: Container | None = None
    parameters: Parameters | None = None
    array_properties: Array | None = None
    is_cancelled: bool | None = None
    is_terminated: bool | None = None


class CommandedContainer(_Aws, frozen=True):
    """What a container runs, apart from `Container` so that it is never kept."""

    command: list[str] | None = None


class CommandedJob(_Aws, frozen=True):
    """What a job runs."""

    container: CommandedContainer | None = None


class Commanded(_Aws, frozen=True):
    """The envelope around what a job runs."""

    detail: CommandedJob


class Execution(_Aws, frozen=True):
    """An execution, as in ``DescribeExecution``."""

    execution_arn: Key
    state_machine_arn: Key
    name: Key
    status: Name
    start_date: Millis | None = None
    stop_date: Millis | None = None
    redrive_date: Millis | None = None
    error: str | None = None
    cause: str | None = None
    input: str | None = None


class Attribute(_Aws, frozen=True):
    """An attribute of a container instance."""

    name: str
    value: str | None = None


class Registered(_Aws, frozen=True):
    """A resource that a container instance brings."""

    name: str
    integer_value: Count | None = None


class Instance(_Aws, frozen=True):
    """A container instance, as in ``DescribeContainerInstances``."""

    container_instance_arn: Key
    cluster_arn: Name
    status: Name
    ec2_instance_id: Name | None = None
    version: Count = 0
    agent_connected: bool = False
    attributes: list[Attribute] = msgspec.field(default_factory=list)
    registered_resources: list[Registered] = msgspec.field(default_factory=list)


class Cause(msgspec.Struct, frozen=True, rename="pascal"):
    """The cause of a failed task that ran a job: ``DescribeJobs``, in Step Functions' spelling."""

    job_id: str | None = None
    status_reason: str | None = None
