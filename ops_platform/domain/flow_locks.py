"""Who holds a flow: between two pull requests one goes to production at a time.

A lock is taken by the promotion of a pull request and kept until that is merged or closed, or
somebody unlocks it: else another one, without its change, would take the change back unseen.
"""

from datetime import datetime

import msgspec

from ops_platform.domain.checks import LOCK
from ops_platform.domain.findings import Finding
from ops_platform.domain.words import duration


class FlowLock(msgspec.Struct, frozen=True, kw_only=True):
    """A lock on a state machine; ``pull_request`` is None for a roll back, which has none."""

    account: str
    machine: str
    promotion_id: str
    repository: str | None
    pull_request: int | None
    taken_by: str
    taken_at: datetime

    @property
    def holder(self) -> str:
        """Whose it is, in words."""
        if self.pull_request is None:
            return f"{self.promotion_id} of {self.taken_by}"
        return f"{self.repository}#{self.pull_request}"


def same_holder(lock: FlowLock, other: FlowLock) -> bool:
    """Tell whether two locks are of one pull request, or of one request without any."""
    if lock.pull_request is None and other.pull_request is None:
        return lock.promotion_id == other.promotion_id
    mine = (lock.repository, lock.pull_request)
    return mine == (other.repository, other.pull_request)


def judge_lock(held: FlowLock | None, wanted: FlowLock, now: datetime) -> Finding:
    """Return whether somebody else holds a flow."""
    if held is None or same_holder(held, wanted):
        return LOCK.passed(f"Nobody else holds {wanted.machine}.", reason="free")
    since = duration(now - held.taken_at)
    message = f"{held.holder} holds {held.machine}, taken by {held.taken_by} {since} ago."
    return LOCK.failed("held", message)
