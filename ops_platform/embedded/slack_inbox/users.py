"""Slack's ``users.*`` and ``auth.*`` methods."""

from ops_platform.embedded.slack_inbox.chat import Answer
from ops_platform.embedded.slack_inbox.errors import SlackError
from ops_platform.embedded.slack_inbox.surroundings import Surroundings
from ops_platform.embedded.slack_inbox.values import Arguments, text_of
from ops_platform.embedded.slack_inbox.workspace import BOT_NAME, BOT_USER, TEAM, User


def lookup_by_email(around: Surroundings, arguments: Arguments) -> Answer:
    """Return the user with an e-mail address (``users.lookupByEmail``)."""
    email = (text_of(arguments, "email") or "").lower()
    for user in around.workspace.users:
        if user.email.lower() == email:
            return {"ok": True, "user": _shown(user)}
    raise SlackError("users_not_found")


def info(around: Surroundings, arguments: Arguments) -> Answer:
    """Return a user by id (``users.info``)."""
    for user in around.workspace.users:
        if user.id == text_of(arguments, "user"):
            return {"ok": True, "user": _shown(user)}
    raise SlackError("user_not_found")


def test(around: Surroundings, _arguments: Arguments) -> Answer:
    """Say whom the token belongs to (``auth.test``)."""
    who = {"user": BOT_NAME, "user_id": BOT_USER, "bot_id": "B0OPSBOT01"}
    return {"ok": True, "url": f"{around.url}/", "team": "Laptop", "team_id": TEAM} | who


def _shown(user: User) -> Answer:
    profile = {"real_name": user.name, "display_name": user.name, "email": user.email}
    return {
        "id": user.id,
        "team_id": TEAM,
        "name": user.name.lower(),
        "real_name": user.name,
        "deleted": user.deleted,
        "profile": profile,
    }
