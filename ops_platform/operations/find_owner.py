"""Who is mentioned for a flow's owner, by the table of owners, by e-mail, or by default."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ops_platform.domain.delivery import LookupUnavailable
from ops_platform.domain.mrkdwn import mention
from ops_platform.domain.ports import Notifier
from ops_platform.settings.slack import Person, SlackSettings

_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")
# People come and go, though not by the minute.
REMEMBERED = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


class KnownUsers:
    """Whom Slack was asked for, and what it said, so that it is not asked for each message.

    When Slack wants to be left in peace for a while, it is.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._known: dict[str, tuple[str | None, datetime]] = {}
        self._not_before = _NEVER

    def find(self, email: str, notifier: Notifier) -> str | None:
        """Return the id of the active user with that address; None if Slack does not tell."""
        now = self._clock()
        user, until = self._known.get(email, (None, _NEVER))
        if now < until or now < self._not_before:
            return user
        match notifier.lookup_user(email):
            case LookupUnavailable(retry_after_seconds=int(wait)):
                self._not_before = now + timedelta(seconds=wait)
            case LookupUnavailable():
                pass  # a mention is not worth a late alert
            case told:
                user = told
                self._known[email] = (user, now + REMEMBERED)
        return user


@dataclass(frozen=True, slots=True)
class OwnerFinder:
    """Finds the Slack mention of an owner; without a notifier, nobody is looked up by e-mail."""

    slack: SlackSettings
    notifier: Notifier | None = None
    known: KnownUsers | None = None

    def mention(self, owner: str | None) -> str | None:
        """Return the markup that mentions the owner, else the team's default, else None."""
        for candidate in (self._person(owner), self.slack.default_mention):
            user = self._user(candidate)
            if user is not None:
                return mention(user)
        return None

    def _person(self, owner: str | None) -> Person | None:
        """Return who an owner is: by the table, else by an e-mail address."""
        if not owner:
            return None
        if owner in self.slack.owners:
            return self.slack.owners[owner]
        address = owner if "@" in owner else f"{owner}@{self.slack.email_domain}"
        is_known = "@" in owner or self.slack.email_domain is not None
        return Person(email=address) if is_known and _EMAIL.fullmatch(address) else None

    def _user(self, person: Person | None) -> str | None:
        if person is None:
            return None
        if person.slack_user is not None:
            return person.slack_user
        if person.email is None or self.notifier is None:
            return None
        if self.known is not None:
            return self.known.find(person.email, self.notifier)
        found = self.notifier.lookup_user(person.email)
        return found if isinstance(found, str) else None
