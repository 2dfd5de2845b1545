"""Whether an incident is told to anybody, and when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_platform.domain.incidents import Incident, State


@dataclass(frozen=True, slots=True)
class Send:
    """Tell the owner once ``due_at`` has come."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class Withhold:
    """Record and preview the alert, but never send it."""

    reason: str


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """When an incident becomes a message: after ``settle``, unless older than ``max_age``.

    ``known_accounts`` are those that the settings name; None stands for all.
    """

    settle: timedelta
    max_age: timedelta
    known_accounts: frozenset[str] | None = None
    observed_accounts: frozenset[str] = frozenset()
    replayed: bool = False

    def decide(self, incident: Incident, now: datetime) -> Send | Withhold:
        """Return whether a newly opened incident is told, and when, or why not."""
        if self.replayed:
            return Withhold("replayed")
        if self.known_accounts is not None and incident.account not in self.known_accounts:
            return Withhold("account is not in the settings")
        if incident.account in self.observed_accounts:
            return Withhold("account is observed only")
        if now - incident.opened_at > self.max_age:
            return Withhold("ended too long ago")
        if incident.state is State.RESOLVED:
            return Withhold("already resolved")
        return Send(due_at=now + self.settle)
