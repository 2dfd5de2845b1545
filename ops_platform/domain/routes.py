"""Where an incident is told, and how loudly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ops_platform.domain.incidents import Incident, Kind
from ops_platform.domain.names import matches
from ops_platform.domain.reasons import Reason


class Severity(StrEnum):
    """How much an incident matters."""

    CRITICAL = "critical"
    """A run of production broke, or cannot start, and nobody may have noticed."""
    WARNING = "warning"
    """The same where nothing depends on it, or a run of production that was ended, or waits."""
    INFO = "info"
    """Somebody sits in front of it."""


OF_PLATFORM = frozenset({Kind.PLATFORM_STALLED, Kind.QUEUE_BLOCKED})
"""The kinds that concern whoever runs the platform, and no flow's owner."""


class Stage(StrEnum):
    """What an account is for."""

    STAGING = "staging"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Route:
    """The channels for incidents that match; a pattern's ``*`` stands for any characters."""

    channels: tuple[str, ...]
    account: str | None = None
    project: str | None = None
    flow: str | None = None
    severity: Severity | None = None

    def takes(self, incident: Incident, severity: Severity) -> bool:
        """Tell whether an incident goes this way."""
        pairs = (
            (self.account, incident.account),
            (self.project, incident.project),
            (self.flow, incident.flow),
            (self.severity, severity),
        )
        return all(pattern is None or matches(name or "", pattern) for pattern, name in pairs)


@dataclass(frozen=True, slots=True)
class Routing:
    """All routes, the first that takes an incident counts; then its account's channel.

    ``platform`` is the channel of whoever runs the platform, if there is one of their own.
    """

    routes: Sequence[Route]
    channels: Mapping[str, str | None]
    stages: Mapping[str, Stage]
    platform: str | None = None

    def channels_of(self, incident: Incident) -> tuple[str, ...]:
        """Return where an incident is told; empty if nowhere."""
        level = severity(incident, self.stages.get(incident.account, Stage.PRODUCTION))
        for route in self.routes:
            if route.takes(incident, level):
                return route.channels
        of_account = self.channels.get(incident.account)
        channel = (self.platform if incident.kind in OF_PLATFORM else None) or of_account
        return (channel,) if channel else ()


def severity(incident: Incident, stage: Stage) -> Severity:
    """Return how much an incident in an account of that stage matters."""
    if incident.kind is Kind.PLATFORM_STALLED:
        return Severity.CRITICAL
    if incident.kind is Kind.INTERACTIVE_FAILED:
        return Severity.INFO
    if incident.kind is Kind.CHANGE_FAILED:
        return Severity.CRITICAL if incident.reason == Reason.HALF_DONE else Severity.WARNING
    loud = stage is Stage.PRODUCTION
    # A run that we stopped because a job could not start broke, and is nobody's intention.
    by_a_person = incident.kind is Kind.RUN_ABORTED and incident.reason != Reason.STALE
    if by_a_person or incident.kind is Kind.JOB_STUCK:
        return Severity.WARNING if loud else Severity.INFO
    return Severity.CRITICAL if loud else Severity.WARNING
