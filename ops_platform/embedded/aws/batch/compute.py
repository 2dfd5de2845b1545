"""A compute environment: how it is configured, whether it is in order, and its instances."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ops_platform.embedded.aws.batch.fleet import Fleet, Growth, NoInstance
from ops_platform.embedded.aws.batch.instances import Instance
from ops_platform.embedded.aws.batch.sizes import InstanceType, Size

State = Literal["ENABLED", "DISABLED"]
HEALTHY = "ComputeEnvironment Healthy"
# What Batch says of a role that is gone or misspelt.
NOT_AUTHORIZED = (
    "CLIENT_ERROR - Not authorized to perform sts:AssumeRole (Service: AWSSecurityTokenService; "
    "Status Code: 403; Error Code: AccessDenied)"
)


@dataclass(slots=True, kw_only=True, eq=False)
class ComputeEnvironment:
    """A managed compute environment on EC2; the scheduler's lock guards it.

    ``resources`` are its computeResources as they were written, ``types`` what their instance
    types stand for.
    """

    name: str
    arn: str
    uuid: str
    state: State
    service_role: str | None
    resources: Mapping[str, Any]
    types: tuple[InstanceType, ...]
    fleet: Fleet
    role_exists: Callable[[str], bool]

    @property
    def is_valid(self) -> bool:
        """Whether Batch finds it in order; without a role of its own it has Batch's."""
        return self.service_role is None or self.role_exists(self.service_role)

    @property
    def is_usable(self) -> bool:
        """Whether jobs are placed in it."""
        return self.state == "ENABLED" and self.is_valid

    @property
    def growth(self) -> Growth:
        """What it may grow to."""
        return Growth(float(self.resources["maxvCpus"]), self.types)

    def place(self, job_id: str, asked: Size) -> Instance | NoInstance:
        """Give a job room on an instance, growing if need be."""
        if not self.is_usable:
            return NoInstance.HERE
        return self.fleet.place(job_id, asked, self.growth)

    def settle(self) -> None:
        """Let instances come and go."""
        self.fleet.settle(self.growth)

    def has_type_for(self, asked: Size) -> bool:
        """Tell whether any of its instance types holds a job of this size."""
        return any(kind.size.holds(asked) for kind in self.types)

    def can_ever_hold(self, asked: Size) -> bool:
        """Tell whether such a type fits into its maximum of vCPUs, too."""
        return bool(self.growth.candidates(asked))

    def lacking_for(self, asked: Size) -> list[str]:
        """Return the types for such a job if EC2 has none of any of them; else nothing."""
        candidates = self.growth.candidates(asked)
        lacking = self.fleet.lacking(candidates)
        return lacking if len(lacking) == len(candidates) else []
