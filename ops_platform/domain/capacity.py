"""What a job queue has to offer: its compute environments, what they can start, who is in front.

As AWS Batch describes it at one moment; memory is in MiB throughout.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ops_platform.domain.identity import arn_tail

CHANGING = frozenset({"CREATING", "UPDATING", "DELETING"})
"""The statuses of queues and environments that are not yet as they will be."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a job asks for, or an instance has."""

    vcpus: float
    memory_mib: int
    gpus: int = 0

    def holds(self, asked: "Size") -> bool:
        """Tell whether a job that asks for so much fits."""
        return (
            self.vcpus >= asked.vcpus
            and self.memory_mib >= asked.memory_mib
            and self.gpus >= asked.gpus
        )


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An EC2 instance type; ``size`` is what its container instances register, or EC2's figures.

    ``is_registered`` says that it was seen to register so much: the agent of ECS keeps some memory
    for itself, so that it is less than EC2 names.
    """

    name: str
    size: Size
    is_registered: bool = False


class Platform(StrEnum):
    """What a compute environment runs jobs on."""

    EC2 = "EC2"
    FARGATE = "Fargate"
    OTHER = "other"
    """EKS, unmanaged, or anything whose sizes Batch does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A compute environment.

    ``configured`` are the instance types, families or bundles as they are written there.
    ``types`` is what they stand for, None if that is not known; then nothing can be proved not to
    fit. ``max_vcpus`` and ``desired_vcpus`` are None where Batch has no such figure.
    """

    arn: str
    state: str
    status: str
    status_reason: str | None
    platform: Platform
    max_vcpus: int | None
    desired_vcpus: int | None
    configured: tuple[str, ...]
    types: tuple[InstanceType, ...] | None

    @property
    def name(self) -> str:
        """The name that people gave it."""
        return arn_tail(self.arn)

    @property
    def is_enabled(self) -> bool:
        """Whether Batch may start jobs in it, were it in order."""
        return self.state == "ENABLED"

    @property
    def is_invalid(self) -> bool:
        """Whether Batch found it out of order."""
        return self.status == "INVALID"

    @property
    def is_usable(self) -> bool:
        """Whether Batch starts jobs in it."""
        return self.is_enabled and not self.is_invalid and self.max_vcpus != 0


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A ``jobStateTimeLimitActions`` entry of a queue: what Batch itself cancels, and when."""

    reason: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A job queue with its compute environments, in their order."""

    arn: str
    state: str
    status: str
    status_reason: str | None
    environments: tuple[Environment, ...]
    time_limits: tuple[TimeLimit, ...] = ()
    fair_share: bool = False

    @property
    def name(self) -> str:
        """The name that people gave it."""
        return arn_tail(self.arn)

    @property
    def usable(self) -> list[Environment]:
        """The environments in which Batch starts jobs."""
        return [each for each in self.environments if each.is_usable]

    @property
    def changing(self) -> str | None:
        """What somebody is changing right now, the queue or one of its environments."""
        if self.status in CHANGING:
            return f"The queue {self.name}"
        found = (each.name for each in self.environments if each.status in CHANGING)
        return next((f"Compute environment {name}" for name in found), None)


@dataclass(frozen=True, slots=True)
class Position:
    """A job at the front of a queue, and since when at least it has stood there."""

    job_id: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds capacity: the vCPUs of jobs that have started, by flow and owner."""

    flow: str | None
    owner: str | None
    vcpus: float
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A queue as a job that waits in it finds it.

    ``front`` are the first of its RUNNABLE jobs, at most 100, in order; None if Batch does not
    say. ``started_at`` is when a job of the queue last started, None if the ledger knows of none.
    ``holders`` have jobs in its compute environments, through whatever queue, the largest first.
    ``confirmed`` says that Batch itself was asked who runs, rather than the ledger alone.
    """

    queue: Queue
    front: Sequence[Position] | None
    started_at: datetime | None
    holders: Sequence[Holder] = ()
    confirmed: bool = False

    @property
    def head(self) -> Position | None:
        """The job that is next, if it is known."""
        return self.front[0] if self.front else None

    @property
    def held_vcpus(self) -> float:
        """The vCPUs that started jobs hold, as far as the ledger knows."""
        return sum(holder.vcpus for holder in self.holders)

    @property
    def moved_at(self) -> datetime | None:
        """When the queue last moved: a job started, or another one came to its head."""
        moments = (self.started_at, self.head.since if self.head else None)
        return max((at for at in moments if at is not None), default=None)
