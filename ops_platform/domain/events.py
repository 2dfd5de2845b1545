"""The events we understand, flat and typed, however AWS nests them.

``envelopes.parse`` makes them from what a queue delivers; ``lifecycle`` folds them into state.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt of a job that has ended."""

    started_at: datetime | None = None
    stopped_at: datetime | None = None
    exit_code: int | None = None
    reason: str | None = None
    log_stream: str | None = None
    container_instance: str | None = None


class Event(msgspec.Struct, frozen=True):
    """What every event has: EventBridge's id, when it happened, and in which AWS account."""

    id: str
    time: datetime
    aws_account_id: str
    region: str


class JobEvent(Event, frozen=True):
    """A Batch job as it was at one moment.

    ``blocked`` marks Batch's notice that the job stands at the head of a queue and blocks it.
    ``run_id`` is Metaflow's (``sfn-…`` under Step Functions). ``memory_mib`` is in MiB. ``owner``
    is that of the run's tag ``owner:…`` where there is one. ``task_id`` and ``retry`` are
    Metaflow's of a job that ``run --with batch`` started; under Step Functions a job is its task,
    with all attempts, and both are None.
    """

    job_id: str
    job_name: str
    queue: str
    definition: str
    status: str
    blocked: bool
    status_reason: str | None
    created_at: datetime | None
    started_at: datetime | None
    stopped_at: datetime | None
    attempts: tuple[Attempt, ...]
    max_attempts: int | None
    exit_code: int | None
    container_reason: str | None
    log_stream: str | None
    container_instance: str | None
    vcpus: float | None
    memory_mib: int | None
    gpus: int | None
    flow: str | None
    step: str | None
    run_id: str | None
    owner: str | None
    array_size: int | None
    cancelled: bool
    terminated: bool
    task_id: str | None = None
    retry: int | None = None


class ExecutionEvent(Event, frozen=True):
    """A Step Functions execution as it was at one moment.

    ``metaflow_input`` says that the input is of the form Metaflow starts its executions with.
    ``cause`` never holds a whole ``DescribeJobs`` document, since that shows the environment.
    """

    execution_arn: str
    machine_arn: str
    name: str
    status: str
    started_at: datetime | None
    stopped_at: datetime | None
    redriven_at: datetime | None
    error: str | None
    cause: str | None
    metaflow_input: bool


class InstanceEvent(Event, frozen=True):
    """An ECS container instance as it was at one moment; ``version`` counts its changes."""

    instance_arn: str
    ec2_instance_id: str | None
    cluster: str
    status: str
    version: int
    agent_connected: bool
    instance_type: str | None
    availability_zone: str | None
    cpu_units: int | None
    memory_mib: int | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that is no event we understand: kept whole, with the reason."""

    body: bytes
    error: str
