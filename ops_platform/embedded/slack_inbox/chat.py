"""Slack's ``chat.*`` methods."""

import json
from typing import Final

import msgspec

from ops_platform.embedded.slack_inbox import limits
from ops_platform.embedded.slack_inbox.errors import SlackError
from ops_platform.embedded.slack_inbox.mentions import pings
from ops_platform.embedded.slack_inbox.store import Channel, Message
from ops_platform.embedded.slack_inbox.surroundings import Surroundings
from ops_platform.embedded.slack_inbox.values import Arguments, Json, text_of
from ops_platform.embedded.slack_inbox.workspace import BOT_USER

Answer = dict[str, Json]

_CONTENT: Final = ("text", "blocks", "attachments")
_NOT_JSON: Final = {
    "blocks": "invalid_blocks_format",
    "attachments": "invalid_attachments",
    "metadata": "invalid_metadata_format",
}


def post_message(around: Surroundings, arguments: Arguments) -> Answer:
    """Store a new message (``chat.postMessage``)."""
    channel = around.workspace.channel_to_post(text_of(arguments, "channel"))
    around.limiter.take_post(channel.id)
    content, warnings = _content(arguments)
    thread_ts = _thread(around, channel, text_of(arguments, "thread_ts"))
    message = Message(
        channel=channel.id,
        ts=around.store.next_ts(channel.id, around.clock()),
        user=BOT_USER,
        thread_ts=thread_ts,
        client_msg_id=text_of(arguments, "client_msg_id"),
        pings=pings(
            content.get("text", ""), content.get("blocks", []), around.workspace.known_ids()
        ),
        **content,
    )
    around.store.put_message(message)
    answer = {"ok": True, "channel": channel.id, "ts": message.ts, "message": shown(message)}
    return answer | _warned(warnings)


def update(around: Surroundings, arguments: Arguments) -> Answer:
    """Store a new version of a message of ours (``chat.update``)."""
    channel = around.workspace.channel_to_read(text_of(arguments, "channel"))
    message = around.store.message(channel.id, text_of(arguments, "ts") or "")
    if message is None:
        raise SlackError("message_not_found")
    if message.user != BOT_USER:
        raise SlackError("cant_update_message")
    content, warnings = _content(arguments)
    if "text" in content and "blocks" not in content:
        content["blocks"] = []  # Slack drops the blocks that the text replaces
    edited = msgspec.structs.replace(
        message,
        revision=message.revision + 1,
        changed_at=f"{around.clock():.6f}",
        edited=message.edited or not content.get("blocks"),
        **content,
    )
    around.store.put_message(edited)
    answer = {"ok": True, "channel": channel.id, "ts": edited.ts, "text": edited.text}
    return answer | {"message": shown(edited)} | _warned(warnings)


def get_permalink(around: Surroundings, arguments: Arguments) -> Answer:
    """Return the address of a message (``chat.getPermalink``)."""
    channel = around.workspace.channel_to_read(text_of(arguments, "channel"))
    message = around.store.message(channel.id, text_of(arguments, "message_ts") or "")
    if message is None:
        raise SlackError("message_not_found")
    permalink = f"{around.url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"ok": True, "channel": channel.id, "permalink": permalink}


def shown(message: Message, *, metadata: bool = False) -> Answer:
    """Return a message as Slack's methods show it."""
    answer: Answer = {"type": "message", "user": message.user, "ts": message.ts}
    answer["text"] = message.text
    for name in ("blocks", "attachments", "thread_ts", "client_msg_id"):
        if value := getattr(message, name):
            answer[name] = value
    if message.edited:
        answer["edited"] = {"user": message.user, "ts": message.changed_at}
    if metadata and message.metadata:
        answer["metadata"] = message.metadata
    return answer


def _content(arguments: Arguments) -> tuple[dict[str, Json], list[str]]:
    content = {name: value for name in _CONTENT if (value := _decoded(arguments, name))}
    if "markdown_text" in arguments:
        content = _markdown(arguments, content)
    if not content:
        raise SlackError("no_text")
    if "blocks" in content:
        limits.check_blocks(content["blocks"])
    if "attachments" in content:
        limits.check_attachments(content["attachments"])
    if (metadata := _decoded(arguments, "metadata")) is not None:
        limits.check_metadata(metadata)
        content["metadata"] = metadata or None
    return _truncated(content)


def _decoded(arguments: Arguments, name: str) -> Json:
    """Return an argument; all but text may come as JSON inside a form or inside JSON."""
    if name == "text":
        return text_of(arguments, name)
    value = arguments.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise SlackError(_NOT_JSON[name]) from None


def _markdown(arguments: Arguments, content: dict[str, Json]) -> dict[str, Json]:
    markdown = text_of(arguments, "markdown_text") or ""
    if "text" in content or "blocks" in content:
        raise SlackError("markdown_text_conflict")
    if len(markdown) > limits.MARKDOWN_TEXT:
        raise SlackError("msg_too_long")
    return content | ({"text": markdown} if markdown else {})


def _truncated(content: dict[str, Json]) -> tuple[dict[str, Json], list[str]]:
    text = content.get("text", "")
    if len(text) <= limits.TEXT:
        return content, []
    return content | {"text": text[: limits.TEXT]}, ["message_truncated"]


def _thread(around: Surroundings, channel: Channel, thread_ts: str | None) -> str | None:
    if thread_ts is None:
        return None
    parent = around.store.message(channel.id, thread_ts)
    if parent is None:
        raise SlackError("thread_not_found")
    if parent.is_reply:
        raise SlackError("cannot_reply_to_message")
    return thread_ts


def _warned(warnings: list[str]) -> Answer:
    if not warnings:
        return {}
    return {"warning": ",".join(warnings), "response_metadata": {"warnings": warnings}}
