"""The workspace around the messages: who is in it, and which tokens open it."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ops_platform.embedded.slack_inbox.errors import SlackError
from ops_platform.embedded.slack_inbox.store import Channel, Store

BOT_USER: Final = "U0OPSBOT01"
BOT_NAME: Final = "ops-platform"
TEAM: Final = "T0LAPTOP01"

_BOT_TOKEN: Final = "xoxb-"  # noqa: S105 - how every token of a bot begins
_CHANNEL_NAME: Final = re.compile(r"[^\s#@<>&|A-Z]{1,80}\Z")
_CHANNEL_ID: Final = re.compile(r"[CDG][A-Z0-9]{8,}\Z")


@dataclass(frozen=True, slots=True)
class User:
    """A member of the workspace."""

    id: str
    name: str
    email: str
    deleted: bool = False


def channel_id(name: str) -> str:
    """Return the id of a channel by its name, the same in every run."""
    return f"C{hashlib.sha256(name.encode()).hexdigest()[:10].upper()}"


def channel(name: str, *, is_archived: bool = False, is_member: bool = True) -> Channel:
    """Return a channel of that name."""
    return Channel(id=channel_id(name), name=name, is_archived=is_archived, is_member=is_member)


USERS: Final = (
    User("U0ADA00001", "Ada", "ada@example.com"),
    User("U0GRACE001", "Grace", "grace@example.com"),
    User("U0ALAN0001", "Alan", "alan@example.com", deleted=True),
)
CHANNELS: Final = (channel("general"), channel("ops-alerts"))


class Workspace:
    """Channels, users and tokens; channels may come to be on first use."""

    def __init__(self, store: Store, users: Iterable[User], *, create_channels: bool) -> None:
        self.store = store
        self.users: Sequence[User] = tuple(users)
        self._create_channels = create_channels
        self._revoked: set[str] = set()

    def revoke(self, token: str) -> None:
        """Let a token open nothing any more."""
        self._revoked.add(token)

    def authenticate(self, token: str | None) -> None:
        """Refuse a call whose token opens nothing."""
        if not token:
            raise SlackError("not_authed")
        if not token.removeprefix(_BOT_TOKEN) or not token.startswith(_BOT_TOKEN):
            raise SlackError("invalid_auth")
        if token in self._revoked:
            raise SlackError("token_revoked")

    def channel_to_post(self, asked: str | None) -> Channel:
        """Return the channel by id or name, or refuse to post there."""
        found = self._find(asked or "")
        if found is None:
            raise SlackError("channel_not_found")
        if found.is_archived:
            raise SlackError("is_archived")
        if not found.is_member:
            raise SlackError("not_in_channel")
        return found

    def id_of(self, asked: str | None) -> str | None:
        """Return the id of a channel that is named by it or by its name, else what was given."""
        name = (asked or "").removeprefix("#")
        known = (one.id for one in self.store.channels() if name in (one.id, one.name))
        return next(known, asked)

    def channel_to_read(self, asked: str | None) -> Channel:
        """Return the channel by its id alone, as all methods but posting want it."""
        for one in self.store.channels():
            if one.id == asked:
                if one.is_member:
                    return one
                raise SlackError("not_in_channel")
        raise SlackError("channel_not_found")

    def known_ids(self) -> frozenset[str]:
        """Return the ids of users whom a mention would notify."""
        return frozenset(user.id for user in self.users if not user.deleted)

    def _find(self, asked: str) -> Channel | None:
        name = asked.removeprefix("#")
        for one in self.store.channels():
            if asked == one.id or name == one.name:
                return one
        if not self._create_channels or _CHANNEL_ID.match(asked) or not _CHANNEL_NAME.match(name):
            return None
        created = channel(name)
        self.store.put_channel(created)
        return created
