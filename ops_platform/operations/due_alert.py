"""A message that is due, with all that it hangs on."""

from typing import NamedTuple

from ops_platform.adapters.ledger import alerts
from ops_platform.adapters.ledger.alerts import MESSAGE, Alert
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import Attempt
from ops_platform.operations.compose_alert import incident_of


class Due(NamedTuple):
    """A message, the one in whose thread it belongs (itself if in none), and its incident."""

    alert: Alert
    parent: Alert
    incident: Incident

    @property
    def thread(self) -> str | None:
        """The thread it belongs in."""
        return None if self.alert.part == MESSAGE else self.parent.message_ts

    def channel(self, fallback: str | None) -> str:
        """Return where to post: beside the parent, or where it is meant for, or the fallback."""
        if self.alert.part != MESSAGE and self.parent.posted_to:
            return self.parent.posted_to
        if self.alert.fallback and fallback:
            return fallback
        return self.alert.channel

    def attempt(self, fallback: str | None) -> Attempt:
        """Return the attempt that is made at it now."""
        falls_back = fallback not in {None, self.alert.channel} and not self.alert.fallback
        return Attempt(
            number=self.alert.attempts,
            unsure=self.alert.is_unsure,
            edits=self.alert.is_posted,
            replies=self.alert.part != MESSAGE,
            plain=self.alert.plain,
            may_fall_back=falls_back,
        )


def with_surroundings(tx: Transaction, alert: Alert) -> Due:
    """Return a message with what it hangs on, as the ledger knows it now."""
    return Due(alert, alerts.parent_of(tx, alert) or alert, incident_of(tx, alert))
