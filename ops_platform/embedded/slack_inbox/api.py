"""From the name of a method and its arguments to Slack's answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from ops_platform.embedded.slack_inbox import chat, conversations, users
from ops_platform.embedded.slack_inbox.chat import Answer
from ops_platform.embedded.slack_inbox.errors import RateLimitedError, SlackError
from ops_platform.embedded.slack_inbox.surroundings import Surroundings
from ops_platform.embedded.slack_inbox.values import Arguments, Json, text_of

METHODS: Final[Mapping[str, Callable[[Surroundings, Arguments], Answer]]] = {
    "auth.test": users.test,
    "chat.getPermalink": chat.get_permalink,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "conversations.history": conversations.history,
    "conversations.info": conversations.info,
    "conversations.list": conversations.list_,
    "conversations.replies": conversations.replies,
    "users.info": users.info,
    "users.lookupByEmail": users.lookup_by_email,
}


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it came over HTTP."""

    method: str
    token: str | None
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it goes over HTTP."""

    status: int
    body: bytes
    outcome: str
    """What the log of calls says of it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


def answer(around: Surroundings, request: Request) -> Reply:
    """Carry a call out and say what came of it."""
    try:
        around.workspace.authenticate(request.token)
        around.limiter.take_call(request.method)
        method = METHODS.get(request.method, _unknown)
        return json_reply(method(around, request.arguments))
    except RateLimitedError as limited:
        return rate_limited(limited.retry_after)
    except SlackError as refusal:
        return json_reply(refusal.body())


def rate_limited(retry_after: int) -> Reply:
    """Return Slack's answer to too many calls."""
    body = json.dumps({"ok": False, "error": "ratelimited"}).encode()
    return Reply(
        HTTPStatus.TOO_MANY_REQUESTS, body, "ratelimited", {"Retry-After": str(retry_after)}
    )


def json_reply(body: Mapping[str, Json], status: int = HTTPStatus.OK) -> Reply:
    """Return a JSON object as an answer."""
    return Reply(status, json.dumps(body).encode(), str(body.get("error", "ok")))


def read_arguments(content_type: str, query: str, body: bytes) -> Arguments:
    """Return the arguments of a call, from its query and a form or JSON body."""
    arguments: dict[str, Json] = dict(parse_qsl(query, keep_blank_values=True))
    if not body:
        return arguments
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return arguments | _json_object(body)
    if kind == "application/x-www-form-urlencoded":
        form = body.decode("utf-8", errors="replace")
        return arguments | dict(parse_qsl(form, keep_blank_values=True))
    raise SlackError("invalid_post_type")


def token_of(authorization: str | None, arguments: Arguments) -> str | None:
    """Return the token, from the header or among the arguments."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return text_of(arguments, "token")


def _unknown(_around: Surroundings, _arguments: Arguments) -> Answer:
    raise SlackError("unknown_method")


def _json_object(body: bytes) -> dict[str, Json]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return value
