"""The nouns of AWS Batch as the scheduler holds them."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from ops_platform.embedded.aws.batch.sizes import Size

JsonObject = dict[str, object]


class Status(StrEnum):
    """The states of a job, in the order in which it goes through them."""

    SUBMITTED = "SUBMITTED"
    PENDING = "PENDING"
    RUNNABLE = "RUNNABLE"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


ENDED = frozenset({Status.SUCCEEDED, Status.FAILED})
NOT_STARTED = frozenset({Status.SUBMITTED, Status.PENDING, Status.RUNNABLE})


def now_ms() -> int:
    """Return the time as Batch tells it: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def task_id() -> str:
    """Return an identifier as ECS makes them for tasks and container instances."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRule:
    """One entry of evaluateOnExit: patterns that must all match, and what then happens."""

    action: str
    on_status_reason: str = "*"
    on_reason: str = "*"
    on_exit_code: str = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What was submitted: a job definition with the overrides of SubmitJob applied."""

    name: str
    queue_name: str
    queue_arn: str
    definition_name: str
    definition_arn: str
    command: tuple[str, ...]
    container: JsonObject
    environment: dict[str, str]
    parameters: dict[str, str]
    vcpus: float
    memory: int
    gpus: int = 0
    attempts: int = 1
    exit_rules: tuple[ExitRule, ...] = ()
    timeout_seconds: int | None = None
    depends_on: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    propagate_tags: bool = False
    share: str | None = None

    @property
    def size(self) -> Size:
        """How much it asks for."""
        return Size(self.vcpus, self.memory, self.gpus)


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try of a job on a container instance."""

    task_arn: str
    log_stream: str
    instance_arn: str
    cluster_arn: str
    started_at: int | None = None
    stopped_at: int | None = None
    exit_code: int | None = None
    reason: str | None = None
    status_reason: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A job in whatever state; only the scheduler changes it, under its lock."""

    job_id: str
    arn: str
    spec: JobSpec
    sequence: int
    created_at: int
    status: Status = Status.SUBMITTED
    status_reason: str | None = None
    started_at: int | None = None
    stopped_at: int | None = None
    attempts: list[Attempt] = field(default_factory=list)
    current: Attempt | None = None
    array_index: int | None = None
    parent: "Job | None" = None
    children: list["Job"] = field(default_factory=list)
    cancelled: bool = False
    terminated: bool = False
    stop_reason: str | None = None
    blocked_by: str | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether the job reached a final state."""
        return self.status in ENDED


JobChanged = Callable[[Job], None]
