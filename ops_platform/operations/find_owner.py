"""Who is mentioned for a flow's owner, by the table of owners, by e-mail, or by default."""

from dataclasses import dataclass

from ops_platform.domain.mrkdwn import mention
from ops_platform.domain.ports import Notifier
from ops_platform.settings.slack import Person, SlackSettings


@dataclass(frozen=True, slots=True)
class OwnerFinder:
    """Finds the Slack mention of an owner; without a notifier, nobody is looked up by e-mail."""

    slack: SlackSettings
    notifier: Notifier | None = None

    def mention(self, owner: str | None) -> str | None:
        """Return the markup that mentions the owner, else the team's default, else None."""
        person = self.slack.owners.get(owner) if owner else None
        for candidate in (person, self.slack.default_mention):
            user = self._user(candidate)
            if user is not None:
                return mention(user)
        return None

    def _user(self, person: Person | None) -> str | None:
        if person is None:
            return None
        if person.slack_user is not None:
            return person.slack_user
        if person.email is None or self.notifier is None:
            return None
        found = self.notifier.lookup_user(person.email)
        return found if isinstance(found, str) else None  # a mention is not worth a late alert
