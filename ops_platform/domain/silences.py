"""Silences: what nobody wants to hear of for a while, by whose word and why."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import msgspec

from ops_platform.domain.names import matches


class Named(Protocol):
    """What silences go by."""

    @property
    def account(self) -> str:
        """The name of the account."""

    @property
    def project(self) -> str | None:
        """The Metaflow project."""

    @property
    def flow(self) -> str:
        """The flow."""

    @property
    def owner(self) -> str | None:
        """Whose it is."""


class Silence(msgspec.Struct, frozen=True):
    """Mutes the incidents that match all of its patterns, until ``ends_at``.

    A pattern is a name in which ``*`` stands for any characters; None matches everything.
    """

    id: int
    account: str | None
    project: str | None
    flow: str | None
    owner: str | None
    author: str
    reason: str
    created_at: datetime
    ends_at: datetime
    expired_by: str | None = None

    def mutes(self, incident: Named) -> bool:
        """Tell whether the incident is one of those it was made for."""
        pairs = (
            (self.account, incident.account),
            (self.project, incident.project),
            (self.flow, incident.flow),
            (self.owner, incident.owner),
        )
        return all(pattern is None or matches(name or "", pattern) for pattern, name in pairs)


def muted_by(incident: Named, active: Iterable[Silence]) -> Silence | None:
    """Return the silence that mutes an incident the longest, None if none does."""
    muting = [silence for silence in active if silence.mutes(incident)]
    return max(muting, key=lambda silence: (silence.ends_at, silence.id), default=None)
