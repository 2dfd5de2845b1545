"""A container instance: an EC2 instance that registers with an ECS cluster and holds jobs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ops_platform.embedded.aws.batch.sizes import InstanceType, Size

InstanceStatus = Literal["ACTIVE", "INACTIVE"]


@dataclass(slots=True, kw_only=True)
class Instance:
    """An instance from its launch on; it has no version until it registers.

    ``ready_at`` is None if it never will.
    """

    arn: str
    ec2_id: str
    cluster_arn: str
    zone: str
    type: InstanceType
    launched_at: float
    ready_at: float | None
    idle_since: float
    status: InstanceStatus = "ACTIVE"
    version: int = 0
    jobs: dict[str, Size] = field(default_factory=dict)

    @property
    def free(self) -> Size:
        """What no job holds."""
        left = self.type.size
        for taken in self.jobs.values():
            left = left.minus(taken)
        return left

    @property
    def is_registered(self) -> bool:
        """Whether it takes jobs."""
        return bool(self.version)

    @property
    def is_idle(self) -> bool:
        """Whether it is up for nothing."""
        return self.is_registered and not self.jobs


InstanceChanged = Callable[[Instance], None]
