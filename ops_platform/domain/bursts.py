"""Bursts: many runs that fail at once for one reason are one message."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ops_platform.domain.incidents import Incident, Kind, State, digest_of
from ops_platform.domain.telling import Standing

# What only waits has not failed, a queue may have the name of a flow, and who asked for a change
# waits for an answer of his own.
_APART = frozenset({Kind.JOB_STUCK, Kind.QUEUE_BLOCKED, Kind.CHANGE_FAILED})


class By(StrEnum):
    """What the runs of a burst have in common."""

    FLOW = "flow"
    CAUSE = "cause"


@dataclass(frozen=True, slots=True)
class BurstRule:
    """From ``at_least`` incidents within ``within`` that have ``by`` in common, they are one.

    A burst takes in no more once its first incident is older than ``lasts``.
    """

    by: By
    at_least: int
    within: timedelta
    # What goes on for longer is told anew: somebody should hear of it again.
    lasts: timedelta = timedelta(hours=1)

    def key(self, incident: Incident) -> str:
        """Return what an incident has in common with the others of its burst."""
        common = incident.flow if self.by is By.FLOW else incident.reason
        apart = [incident.kind] if incident.kind in _APART else []
        return "\n".join([self.by, incident.account, common, *apart])


@dataclass(frozen=True, slots=True)
class Burst:
    """Incidents told as one, the first of them first."""

    by: By
    members: Sequence[Incident]

    @property
    def still_open(self) -> list[Incident]:
        """Return those of them that are not resolved."""
        return [member for member in self.members if member.state is State.OPEN]

    @property
    def standing(self) -> Standing:
        """Return what there is to tell of all of them."""
        still_open = self.still_open
        ends = [member.resolved_at for member in self.members if member.resolved_at]
        return Standing(
            state=State.OPEN if still_open else State.RESOLVED,
            since=self.members[0].opened_at,
            failing=digest_of(member.id for member in self.members),
            failures=len(self.members),
            shown=digest_of(f"{member.id} {member.opened_at}" for member in still_open),
            resolved_at=None if still_open else max(ends, default=None),
        )


def kinds_like(kind: Kind) -> frozenset[Kind]:
    """Return the kinds of incidents that may be told as one with those of a kind."""
    return frozenset({kind}) if kind in _APART else frozenset(Kind) - _APART


def common_of(by: By, members: Iterable[Incident]) -> str:
    """Return the flow or the cause that the members of a burst have in common."""
    first = next(iter(members))
    return first.flow if by is By.FLOW else first.reason


def began(members: Sequence[Incident]) -> datetime:
    """Return when the first of them failed."""
    return min(member.opened_at for member in members)
