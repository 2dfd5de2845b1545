"""The job queues and compute environments of an account, by name and by ARN."""

from dataclasses import dataclass, field

from ops_platform.embedded.aws.batch.compute import ComputeEnvironment
from ops_platform.embedded.aws.batch.queues import Queue


@dataclass(frozen=True, slots=True)
class Registry:
    """What there is, in the order of its creation; the scheduler's lock guards it."""

    queues: dict[str, Queue] = field(default_factory=dict)
    environments: dict[str, ComputeEnvironment] = field(default_factory=dict)

    def queue(self, name_or_arn: str) -> Queue | None:
        """Return a queue."""
        found = self.queues.get(name_or_arn.rpartition("/")[2])
        return found if found is not None and name_or_arn in {found.name, found.arn} else None

    def environment(self, name_or_arn: str) -> ComputeEnvironment | None:
        """Return a compute environment."""
        found = self.environments.get(name_or_arn.rpartition("/")[2])
        return found if found is not None and name_or_arn in {found.name, found.arn} else None

    def queues_of(self, environment: ComputeEnvironment) -> list[Queue]:
        """Return the queues that use a compute environment."""
        return [queue for queue in self.queues.values() if environment in queue.environments]

    def by_priority(self) -> list[Queue]:
        """Return the queues, the one that is served first in front."""
        return sorted(self.queues.values(), key=lambda queue: -queue.priority)
