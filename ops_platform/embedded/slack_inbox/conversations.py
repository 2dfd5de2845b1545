"""Slack's ``conversations.*`` methods: newest first in a channel, oldest first in a thread."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final, TypeVar

from ops_platform.embedded.slack_inbox.chat import Answer, shown
from ops_platform.embedded.slack_inbox.errors import SlackError
from ops_platform.embedded.slack_inbox.store import Channel, Message, micros_of
from ops_platform.embedded.slack_inbox.surroundings import Surroundings
from ops_platform.embedded.slack_inbox.values import Arguments, flag_of, number_of, text_of

_Item = TypeVar("_Item")

_MOST: Final = 999
_USUAL: Final = 100


def history(around: Surroundings, arguments: Arguments) -> Answer:
    """Return the messages of a channel without replies (``conversations.history``)."""
    channel = around.workspace.channel_to_read(text_of(arguments, "channel"))
    top = [message for message in around.store.messages(channel.id) if not message.is_reply]
    return _read(around, arguments, _within(arguments, top)[::-1])


def replies(around: Surroundings, arguments: Arguments) -> Answer:
    """Return a message and its replies (``conversations.replies``)."""
    channel = around.workspace.channel_to_read(text_of(arguments, "channel"))
    parent = around.store.message(channel.id, text_of(arguments, "ts") or "")
    if parent is None:
        raise SlackError("thread_not_found")
    thread = around.store.replies(channel.id, parent.ts)
    return _read(around, arguments, [parent, *_within(arguments, thread)])


def list_(around: Surroundings, arguments: Arguments) -> Answer:
    """Return the channels (``conversations.list``)."""
    found = around.store.channels()
    if flag_of(arguments, "exclude_archived"):
        found = [channel for channel in found if not channel.is_archived]
    page, cursor = _page(arguments, found)
    channels = [_shown_channel(channel) for channel in page]
    return {"ok": True, "channels": channels, "response_metadata": {"next_cursor": cursor}}


def info(around: Surroundings, arguments: Arguments) -> Answer:
    """Return one channel (``conversations.info``)."""
    asked = text_of(arguments, "channel")
    for channel in around.store.channels():
        if channel.id == asked:
            return {"ok": True, "channel": _shown_channel(channel)}
    raise SlackError("channel_not_found")


def _shown_channel(channel: Channel) -> Answer:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_archived": channel.is_archived,
        "is_member": channel.is_member,
    }


def _within(arguments: Arguments, messages: list[Message]) -> list[Message]:
    oldest = _bound(arguments, "oldest", 0)
    latest = _bound(arguments, "latest", 1 << 62)
    slack = 0 if flag_of(arguments, "inclusive") else 1
    return [one for one in messages if oldest + slack <= micros_of(one.ts) <= latest - slack]


def _bound(arguments: Arguments, name: str, default: int) -> int:
    given = text_of(arguments, name)
    if given is None:
        return default
    try:
        float(given)
    except ValueError:
        raise SlackError(f"invalid_ts_{name}") from None
    return micros_of(given)


def _read(around: Surroundings, arguments: Arguments, messages: list[Message]) -> Answer:
    page, cursor = _page(arguments, messages)
    metadata = flag_of(arguments, "include_all_metadata")
    answer: Answer = {"ok": True, "has_more": bool(cursor)}
    answer["messages"] = [_counted(around, one, metadata=metadata) for one in page]
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def _counted(around: Surroundings, message: Message, *, metadata: bool) -> Answer:
    answer = shown(message, metadata=metadata)
    if thread := around.store.replies(message.channel, message.ts):
        answer |= {"thread_ts": message.ts, "reply_count": len(thread)}
        answer["latest_reply"] = thread[-1].ts
    return answer


def _page(arguments: Arguments, items: Sequence[_Item]) -> tuple[Sequence[_Item], str]:
    limit = number_of(arguments, "limit", _USUAL)
    if not 1 <= limit <= _MOST + 1:
        raise SlackError("invalid_limit")
    start = _start(text_of(arguments, "cursor"))
    end = start + min(limit, _MOST)
    return items[start:end], _cursor(end) if end < len(items) else ""


def _cursor(start: int) -> str:
    return base64.b64encode(f"next:{start}".encode()).decode()


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return abs(int(base64.b64decode(cursor, validate=True).removeprefix(b"next:")))
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
