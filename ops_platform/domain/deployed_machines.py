"""What runs in production, as Step Functions and EventBridge have it, and the port to change it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ops_platform.domain.errors import PlatformError


class MovedError(PlatformError):
    """Somebody changed a state machine between our look at it and our change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedMachine:
    """A state machine, or a published version of one, as it is now.

    ``definition`` holds the environment of containers, so it is compared and put back but neither
    stored nor shown. ``revision`` is None for one that was never updated. ``logging`` is what
    Step Functions has of where its executions log to, as JSON.
    """

    arn: str
    name: str
    definition: str
    role_arn: str
    revision: str | None
    logging: str | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RuleTarget:
    """What a rule starts; ``further`` is all else that EventBridge has of it, as JSON."""

    id: str
    arn: str
    role_arn: str | None
    input: str | None
    further: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of EventBridge with all it takes to put it back as it was."""

    name: str
    expression: str
    enabled: bool
    description: str | None
    targets: tuple[RuleTarget, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """An execution; ``status`` and ``ended_at`` are as Step Functions has them."""

    arn: str
    status: str
    started_at: datetime
    ended_at: datetime | None


class DeployedMachines(Protocol):
    """Step Functions and EventBridge of one account, with the right to change them.

    Everything raises ``PlatformError`` where AWS cannot be asked or refuses.
    """

    def machine(self, name: str) -> DeployedMachine | None:
        """Return the machine of that name as the next execution would run it."""
        ...

    def version(self, arn: str) -> DeployedMachine | None:
        """Return a published version, None if it is gone."""
        ...

    def names(self) -> list[str]:
        """Return the names of all standard machines."""
        ...

    def publish(self, machine: DeployedMachine, *, description: str) -> str:
        """Publish a version of exactly this revision and return its ARN, the same each time.

        Raises:
            MovedError: Somebody changed the machine meanwhile.
        """
        ...

    def create(self, name: str, *, definition: str, role_arn: str) -> str:
        """Create a machine without a schedule and return its ARN."""
        ...

    def update(
        self, arn: str, *, definition: str, role_arn: str, logging: str | None = None
    ) -> str | None:
        """Give a machine another definition and return its new revision.

        Without ``logging`` its executions log to where they did.
        """
        ...

    def delete(self, arn: str) -> None:
        """Delete a machine with all its versions; one that is gone is no error."""
        ...

    def rule(self, name: str) -> Rule | None:
        """Return a rule with its targets, None if there is none."""
        ...

    def put_rule(self, rule: Rule) -> None:
        """Make a rule be exactly this, its targets included."""
        ...

    def delete_rule(self, name: str) -> None:
        """Delete a rule with its targets; one that is gone is no error."""
        ...

    def start(self, machine_arn: str, *, name: str, text: str) -> Started:
        """Start an execution, or return the one that was started under this name before."""
        ...

    def execution(self, arn: str) -> Started | None:
        """Return an execution as it is now, None if it is gone."""
        ...

    def stop(self, execution_arn: str, *, cause: str) -> None:
        """Stop an execution; one that has ended is no error."""
        ...

    def missing(self, machine: DeployedMachine) -> list[str]:
        """Return what a definition needs and is gone: job definitions, its code package."""
        ...
