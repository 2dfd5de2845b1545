"""Compute environments: EC2 instances that come, hold jobs, and go."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ops_platform.embedded.aws.batch.model import task_id
from ops_platform.embedded.aws.timing import Timing

InstanceStatus = Literal["ACTIVE", "INACTIVE"]


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An EC2 instance type by what a container instance of it registers."""

    name: str
    vcpus: float
    memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeLimits:
    """What a compute environment may grow to."""

    name: str
    max_vcpus: float
    types: tuple[InstanceType, ...]


@dataclass(slots=True, kw_only=True)
class Instance:
    """A container instance: an EC2 instance that registered with the ECS cluster."""

    arn: str
    ec2_id: str
    cluster_arn: str
    zone: str
    type: InstanceType
    ready_at: float
    idle_since: float
    status: InstanceStatus = "ACTIVE"
    version: int = 0
    jobs: dict[str, tuple[float, int]] = field(default_factory=dict)

    @property
    def free_vcpus(self) -> float:
        """The vCPUs that no job holds."""
        return self.type.vcpus - sum(vcpus for vcpus, _ in self.jobs.values())

    @property
    def free_memory(self) -> int:
        """The MiB that no job holds."""
        return self.type.memory - sum(memory for _, memory in self.jobs.values())

    def holds(self, vcpus: float, memory: int) -> bool:
        """Tell whether a job of this size fits in what is free."""
        return self.free_vcpus >= vcpus and self.free_memory >= memory


InstanceChanged = Callable[[Instance], None]


class ComputeEnvironment:
    """The instances of one compute environment; the scheduler's lock guards it."""

    def __init__(
        self, limits: ComputeLimits, *, cluster_arn: str, timing: Timing, changed: InstanceChanged
    ) -> None:
        self.limits = limits
        self.cluster_arn = cluster_arn
        self.instances: list[Instance] = []
        self._timing = timing
        self._changed = changed

    def can_ever_hold(self, vcpus: float, memory: int) -> bool:
        """Tell whether any instance type that the environment may start holds such a job."""
        return any(
            kind.vcpus >= vcpus and kind.memory >= memory and kind.vcpus <= self.limits.max_vcpus
            for kind in self.limits.types
        )

    def place(self, job_id: str, vcpus: float, memory: int) -> Instance | None:
        """Give the job room on an instance; else grow if allowed, and return None."""
        now = time.monotonic()
        fitting = [instance for instance in self.instances if instance.holds(vcpus, memory)]
        for instance in fitting:
            if instance.version:
                instance.jobs[job_id] = (vcpus, memory)
                self._tell(instance)
                return instance
        if not fitting and self.can_ever_hold(vcpus, memory):
            self._grow(vcpus, memory, now)
        return None

    def release(self, instance_arn: str, job_id: str) -> None:
        """Take back the room of a job that ended."""
        for instance in self.instances:
            if instance.arn == instance_arn and job_id in instance.jobs:
                del instance.jobs[job_id]
                instance.idle_since = time.monotonic()
                self._tell(instance)

    def settle(self) -> None:
        """Register the instances that have booted, deregister those idle for long."""
        now = time.monotonic()
        for instance in list(self.instances):
            if not instance.version and now >= instance.ready_at:
                instance.idle_since = now
                self._tell(instance)
            elif self._is_idle(instance) and self._idle_for(instance, now):
                self._retire(instance)

    def _idle_for(self, instance: Instance, now: float) -> bool:
        return now - instance.idle_since >= self._timing.instance_idle

    @staticmethod
    def _is_idle(instance: Instance) -> bool:
        return bool(instance.version) and not instance.jobs

    def _grow(self, vcpus: float, memory: int, now: float) -> None:
        kinds = [k for k in self.limits.types if k.vcpus >= vcpus and k.memory >= memory]
        kind = min(kinds, key=lambda kind: (kind.vcpus, kind.memory))
        self._make_room(kind.vcpus)
        if self._vcpus() + kind.vcpus <= self.limits.max_vcpus:
            self.instances.append(self._launch(kind, now))

    def _make_room(self, vcpus: float) -> None:
        """Let idle instances go that are too small for the job at the head of the queue."""
        for instance in [i for i in self.instances if self._is_idle(i)]:
            if self._vcpus() + vcpus > self.limits.max_vcpus:
                self._retire(instance)

    def _vcpus(self) -> float:
        return sum(instance.type.vcpus for instance in self.instances)

    def _launch(self, kind: InstanceType, now: float) -> Instance:
        prefix, _, cluster = self.cluster_arn.partition(":cluster/")
        region = prefix.split(":")[3]
        return Instance(
            arn=f"{prefix}:container-instance/{cluster}/{task_id()}",
            ec2_id=f"i-{uuid.uuid4().hex[:17]}",
            cluster_arn=self.cluster_arn,
            zone=region + "abc"[len(self.instances) % 3],
            type=kind,
            ready_at=now + self._timing.instance_boot,
            idle_since=now,
        )

    def _retire(self, instance: Instance) -> None:
        self.instances.remove(instance)
        instance.status = "INACTIVE"
        self._tell(instance)

    def _tell(self, instance: Instance) -> None:
        instance.version += 1
        self._changed(instance)
