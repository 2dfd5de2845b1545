"""The instances of one compute environment: they come, hold jobs, and go."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ops_platform.embedded.aws.batch.instances import Instance, InstanceChanged
from ops_platform.embedded.aws.batch.model import task_id
from ops_platform.embedded.aws.batch.sizes import InstanceType, Size
from ops_platform.embedded.aws.shortages import Shortages
from ops_platform.embedded.aws.timing import Timing


class NoInstance(Enum):
    """Why a job got no place."""

    YET = "an instance for it is on its way"
    HERE = "there is no room for it in this environment"


@dataclass(frozen=True, slots=True)
class Ec2:
    """Where instances come from: how long they take, and which there are none of."""

    timing: Timing
    shortages: Shortages
    changed: InstanceChanged


@dataclass(frozen=True, slots=True)
class Growth:
    """Up to how many vCPUs a fleet may grow, and by which types."""

    max_vcpus: float
    types: tuple[InstanceType, ...]

    def candidates(self, asked: Size) -> list[InstanceType]:
        """Return the types that hold a job of this size and may be started, smallest first."""
        fitting = [
            kind
            for kind in self.types
            if kind.size.holds(asked) and kind.size.vcpus <= self.max_vcpus
        ]
        return sorted(fitting, key=lambda kind: (kind.size.vcpus, kind.size.memory))


class Fleet:
    """The instances of one compute environment; the scheduler's lock guards them."""

    def __init__(self, cluster_arn: str, ec2: Ec2) -> None:
        self.cluster_arn = cluster_arn
        self.instances: list[Instance] = []
        self._ec2 = ec2

    @property
    def vcpus(self) -> float:
        """The vCPUs of the instances that are up or on their way."""
        return sum(instance.type.size.vcpus for instance in self.instances)

    @property
    def is_waiting_in_vain(self) -> bool:
        """Whether an instance should have registered by now, and never will."""
        now = time.monotonic()
        boot = self._ec2.timing.instance_boot
        return any(
            each.ready_at is None and now - each.launched_at >= boot for each in self.instances
        )

    def place(self, job_id: str, asked: Size, growth: Growth) -> Instance | NoInstance:
        """Give a job room on an instance; else grow if that is allowed."""
        fitting = [instance for instance in self.instances if instance.free.holds(asked)]
        for instance in fitting:
            if instance.is_registered:
                instance.jobs[job_id] = asked
                self._tell(instance)
                return instance
        return NoInstance.YET if fitting or self._grow(asked, growth) else NoInstance.HERE

    def release(self, instance_arn: str, job_id: str) -> None:
        """Take back the room of a job that ended."""
        for instance in self.instances:
            if instance.arn == instance_arn and job_id in instance.jobs:
                del instance.jobs[job_id]
                instance.idle_since = time.monotonic()
                self._tell(instance)

    def settle(self, growth: Growth) -> None:
        """Register the instances that have booted; let those go that are idle or not wanted."""
        now = time.monotonic()
        wanted = {kind.name for kind in growth.types}
        for instance in list(self.instances):
            if not instance.is_registered:
                self._register(instance, now, is_wanted=instance.type.name in wanted)
            elif instance.is_idle and (
                instance.type.name not in wanted
                or now - instance.idle_since >= self._ec2.timing.instance_idle
            ):
                self._retire(instance)

    def retire_all(self) -> None:
        """Let every instance go; the environment is deleted."""
        for instance in list(self.instances):
            self._retire(instance)

    def lacking(self, kinds: Sequence[InstanceType]) -> list[str]:
        """Return the types, of those given, that EC2 has none of."""
        return [kind.name for kind in kinds if self._ec2.shortages.lacks(kind.name)]

    def _register(self, instance: Instance, now: float, *, is_wanted: bool) -> None:
        if not is_wanted:
            self.instances.remove(instance)
        elif instance.ready_at is not None and now >= instance.ready_at:
            instance.idle_since = now
            self._tell(instance)

    def _grow(self, asked: Size, growth: Growth) -> bool:
        candidates = growth.candidates(asked)
        lacking = self.lacking(candidates)
        kind = next((kind for kind in candidates if kind.name not in lacking), None)
        if kind is None:
            return False
        self._make_room(kind.size.vcpus, growth.max_vcpus)
        if self.vcpus + kind.size.vcpus > growth.max_vcpus:
            return False
        self.instances.append(self._launch(kind))
        return True

    def _make_room(self, vcpus: float, max_vcpus: float) -> None:
        """Let idle instances go that are too small for the job at the head of the queue."""
        for instance in [each for each in self.instances if each.is_idle]:
            if self.vcpus + vcpus > max_vcpus:
                self._retire(instance)

    def _launch(self, kind: InstanceType) -> Instance:
        prefix, _, cluster = self.cluster_arn.partition(":cluster/")
        region = prefix.split(":")[3]
        now = time.monotonic()
        registers = self._ec2.shortages.registers(kind.name)
        return Instance(
            arn=f"{prefix}:container-instance/{cluster}/{task_id()}",
            ec2_id=f"i-{uuid.uuid4().hex[:17]}",
            cluster_arn=self.cluster_arn,
            zone=region + "abc"[len(self.instances) % 3],
            type=kind,
            launched_at=now,
            ready_at=now + self._ec2.timing.instance_boot if registers else None,
            idle_since=now,
        )

    def _retire(self, instance: Instance) -> None:
        self.instances.remove(instance)
        instance.status = "INACTIVE"
        if instance.is_registered:
            self._tell(instance)

    def _tell(self, instance: Instance) -> None:
        instance.version += 1
        self._ec2.changed(instance)
