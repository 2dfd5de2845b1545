"""Whether an incident is told to anybody, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops_platform.domain.bursts import BurstRule
from ops_platform.domain.incidents import OF_RUNS, Incident, Kind, State
from ops_platform.domain.interactive import is_interactive
from ops_platform.domain.routes import Routing

# Of these nothing more is to come, so there is nothing to wait for.
_SETTLED = frozenset(Kind) - OF_RUNS


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
    """What becomes of an incident.

    A message is due after ``settle``, unless the incident is older than ``max_age``; an edit of it
    after ``update``. ``repeat`` says by account after how long an open incident is told again.
    ``known_accounts`` are those that the settings name; None stands for all. Runs that ended
    before ``not_before`` are no news.
    """

    settle: timedelta
    max_age: timedelta
    routing: Routing
    update: timedelta = timedelta(seconds=30)
    repeat: Mapping[str, timedelta] = field(default_factory=dict)
    bursts: tuple[BurstRule, ...] = ()
    known_accounts: frozenset[str] | None = None
    observed_accounts: frozenset[str] = frozenset()
    quiet_about_interactive: frozenset[str] = frozenset()
    not_before: datetime | None = None
    replayed: bool = False

    def decide(self, incident: Incident, now: datetime) -> Send | Withhold:
        """Return whether a newly opened incident is told, and when, or why not."""
        reason = self._reason_to_withhold(incident, now)
        if reason is not None:
            return Withhold(reason)
        return Send(due_at=now if incident.kind in _SETTLED else now + self.settle)

    def unwanted(self, incident: Incident) -> str | None:
        """Return why the settings want nothing told of an incident, None if they do."""
        account = incident.account
        cases = (
            (
                "account is not in the settings",
                self.known_accounts is not None and account not in self.known_accounts,
            ),
            ("account is observed only", account in self.observed_accounts),
            (
                "interactive runs of this account are not alerted",
                _is_of_a_person(incident) and account in self.quiet_about_interactive,
            ),
            ("no channel is set", not self.routing.channels_of(incident)),
        )
        return next((reason for reason, applies in cases if applies), None)

    def _reason_to_withhold(self, incident: Incident, now: datetime) -> str | None:
        if self.replayed:
            return "replayed"
        cases = (
            ("ended too long ago", now - incident.opened_at > self.max_age),
            (
                "ended before the account was watched",
                self.not_before is not None and incident.opened_at < self.not_before,
            ),
            ("already resolved", incident.state is State.RESOLVED),
        )
        return self.unwanted(incident) or next(
            (reason for reason, applies in cases if applies), None
        )


def _is_of_a_person(incident: Incident) -> bool:
    """Tell whether an incident is of a run before which somebody sits."""
    waits = incident.kind is Kind.JOB_STUCK and incident.run_id != ""
    return (waits and is_interactive(incident.run_id)) or incident.kind is Kind.INTERACTIVE_FAILED
