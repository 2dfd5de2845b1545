"""Whom a message would notify: the test of every escape."""

import re
from collections.abc import Iterator
from typing import Final

from ops_platform.embedded.slack_inbox.values import Json

_EVERYBODY: Final = frozenset({"channel", "here", "everyone", "group"})
_MARKUP: Final = re.compile(r"<(?:@(?P<user>[^<>|]+)|!(?P<special>[^<>|]+))(?:\|[^<>]*)?>")
_BARE: Final = re.compile(r"(?<!\w)@(channel|here|everyone|group)\b")


def pings(text: str, blocks: list[Json], known: frozenset[str]) -> tuple[str, ...]:
    """Return ids of users and groups, and ``!channel`` and the like, in order, each once.

    The worst case is assumed: markup counts in the text and in every block, in code too, and
    a bare ``@channel`` counts in a text object that is not ``verbatim``.
    """
    found = [*_marked(text, known)]
    for value, verbatim in _mrkdwn(blocks):
        found += _marked(value, known)
        found += () if verbatim else (f"!{name}" for name in _BARE.findall(value))
    return tuple(dict.fromkeys(found))


def _marked(text: str, known: frozenset[str]) -> Iterator[str]:
    for match in _MARKUP.finditer(text):
        if (user := match["user"]) and user in known:
            yield user
        special = match["special"] or ""
        if special in _EVERYBODY:
            yield f"!{special}"
        if special.startswith("subteam^"):
            yield special.removeprefix("subteam^")


def _mrkdwn(value: Json) -> Iterator[tuple[str, bool]]:
    if isinstance(value, dict):
        if value.get("type") in ("mrkdwn", "markdown") and isinstance(value.get("text"), str):
            yield value["text"], value.get("verbatim") is True
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _mrkdwn(part)
