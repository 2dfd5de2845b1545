"""The port by which a checked-out flow is deployed, and what is expected of the deployment."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ops_platform.domain.deployed_machines import Rule


class Deployer(Protocol):
    """Metaflow's own deployment of one flow of one checkout, with production's credentials.

    Everything raises ``PlatformError`` where Metaflow or AWS refuses.
    """

    @property
    def role_arn(self) -> str:
        """The role that its state machine runs with."""
        ...

    def prepare(self) -> str:
        """Return the definition that it would deploy; the code package is in S3 by then."""
        ...

    def deploy(self) -> None:
        """Deploy it: its state machine, then its schedule."""
        ...


@dataclass(frozen=True, slots=True)
class Expected:
    """What a deployment must come to, as the sanity checks saw it compiled.

    ``shape`` is the flow's (see `definition_shape`), ``rule`` the name that its rule has or would
    have, and ``expression`` its schedule, None if the flow has none.
    """

    shape: str
    rule: str
    expression: str | None


class WaitFor(StrEnum):
    """How much of its first run in production a promotion waits for."""

    STARTED = "started"
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionPolicy:
    """How a promotion is made; lengths of time in seconds."""

    wait_for: WaitFor = WaitFor.STARTED
    run_seconds: float = 6 * 3600.0
    poll_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What ran before: the version of it that was published, and its rule; None without any.

    ``logging`` is where it logged to, which is no part of a version.
    """

    version_arn: str | None
    rule: Rule | None
    logging: str | None = None
