"""Where an incident is told, and how loudly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ops_platform.domain.incidents import Incident, Kind
from ops_platform.domain.names import matches


class Severity(StrEnum):
    """How much an incident matters."""

    CRITICAL = "critical"
    """A run of production broke, or did not start, and nobody may have noticed."""
    WARNING = "warning"
    """The same where nothing depends on it, or a person ended a run of production."""
    INFO = "info"
    """Somebody sits in front of it."""


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
    """All routes, the first that takes an incident counts; then its account's channel."""

    routes: Sequence[Route]
    channels: Mapping[str, str | None]
    stages: Mapping[str, Stage]

    def channels_of(self, incident: Incident) -> tuple[str, ...]:
        """Return where an incident is told; empty if nowhere."""
        level = severity(incident, self.stages.get(incident.account, Stage.PRODUCTION))
        for route in self.routes:
            if route.takes(incident, level):
                return route.channels
        channel = self.channels.get(incident.account)
        return (channel,) if channel else ()


def severity(incident: Incident, stage: Stage) -> Severity:
    """Return how much an incident in an account of that stage matters."""
    if incident.kind is Kind.PLATFORM_STALLED:
        return Severity.CRITICAL
    if incident.kind is Kind.INTERACTIVE_FAILED:
        return Severity.INFO
    loud = stage is Stage.PRODUCTION
    if incident.kind is Kind.RUN_ABORTED:
        return Severity.WARNING if loud else Severity.INFO
    return Severity.CRITICAL if loud else Severity.WARNING
