"""What every method works with."""

from collections.abc import Callable
from dataclasses import dataclass

from ops_platform.embedded.slack_inbox.rates import Limiter
from ops_platform.embedded.slack_inbox.store import Store
from ops_platform.embedded.slack_inbox.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The workspace, its messages and limits, the time, and our own address."""

    store: Store
    workspace: Workspace
    limiter: Limiter
    clock: Callable[[], float]
    url: str
