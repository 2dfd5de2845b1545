"""What a person sees: channels, messages, threads and edits as Slack shows them."""

import html
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from string import Template
from typing import Final

from ops_platform.embedded.slack_inbox import blocks_html
from ops_platform.embedded.slack_inbox.markup import mrkdwn
from ops_platform.embedded.slack_inbox.store import Channel, Message, Store, micros_of
from ops_platform.embedded.slack_inbox.workspace import BOT_NAME, BOT_USER, Workspace

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Even if markup of a message slipped through, nothing of it would run or be fetched."""

ASSETS: Final = {"page.css": "text/css", "page.js": "text/javascript"}
_SHOWN: Final = 300


@cache
def asset(name: str) -> str:
    """Return a file that the page is made of."""
    return files("ops_platform.embedded.slack_inbox").joinpath(name).read_text("utf-8")


class Page:
    """Renders the store."""

    def __init__(self, workspace: Workspace) -> None:
        self._store: Store = workspace.store
        self._users = {user.id: user.name for user in workspace.users} | {BOT_USER: BOT_NAME}

    def html(self, asked: str | None) -> str:
        """Return the whole page, open at a channel by its id or name."""
        return Template(asset("page.html")).substitute(main=self.main(asked))

    def main(self, asked: str | None) -> str:
        """Return what changes when messages come: the list of channels and the open one."""
        channels = self._store.channels()
        chosen = self._chosen(channels, asked)
        links = "".join(self._channel_link(one, chosen) for one in channels)
        return (
            f'<nav><div class="team">Slack inbox</div>'
            f'<div class="heading">Channels</div>{links}</nav>'
            f"{self._channel(chosen) if chosen else ''}"
        )

    def _chosen(self, channels: Sequence[Channel], asked: str | None) -> Channel | None:
        for channel in channels:
            if asked in (channel.id, channel.name):
                return channel
        latest = self._store.messages()[-1:]
        busiest = [one for one in channels if latest and one.id == latest[0].channel]
        return next(iter([*busiest, *channels]), None)

    def _channel_link(self, channel: Channel, chosen: Channel | None) -> str:
        count = len(self._store.messages(channel.id))
        css = ' class="open"' if channel == chosen else ""
        badge = f'<span class="count">{count}</span>' if count else ""
        name = html.escape(channel.name)
        return f'<a{css} href="/?channel={channel.id}"><i>#</i>{name}{badge}</a>'

    def _channel(self, channel: Channel) -> str:
        messages = self._store.messages(channel.id)
        top = [one for one in messages if not one.is_reply]
        names = self._users | {one.id: one.name for one in self._store.channels()}
        shown, day = [], ""
        for message in top[-_SHOWN:]:
            if (its_day := f"{_time(message.ts):%A, %d %B %Y}") != day:
                day = its_day
                shown.append(f'<div class="day"><span>{day}</span></div>')
            shown.append(self._with_thread(message, names))
        older = len(top) - _SHOWN
        note = f'<p class="empty">{older} older messages are not shown.</p>' if older > 0 else ""
        body = note + "".join(shown) or '<p class="empty">No messages yet.</p>'
        name = html.escape(channel.name)
        return f'<section data-channel="{channel.id}"><h1># {name}</h1><div>{body}</div></section>'

    def _with_thread(self, message: Message, names: dict[str, str]) -> str:
        replies = self._store.replies(message.channel, message.ts)
        thread = ""
        if replies:
            count = f"{len(replies)} {'reply' if len(replies) == 1 else 'replies'}"
            inner = "".join(self._message(one, names) for one in replies)
            thread = (
                f'<details class="thread" id="t{message.ts}"><summary>{count}</summary>'
                f"{inner}</details>"
            )
        return self._message(message, names, thread)

    def _message(self, message: Message, names: dict[str, str], thread: str = "") -> str:
        author = html.escape(names.get(message.user, message.user))
        bot = '<span class="app">APP</span>' if message.user == BOT_USER else ""
        at = _time(message.ts)
        when = f'<time title="{at:%Y-%m-%d %H:%M:%S} UTC">{at:%H:%M}</time>'
        pinged = f'<span class="pinged">{self._pinged(message, names)}</span>'
        anchor = f"{message.channel}-{message.ts}"
        return (
            f'<article class="message" id="{anchor}"><div class="avatar{" bot" if bot else ""}">'
            f'{author[:1].upper()}</div><div class="body">'
            f'<div class="by"><b>{author}</b>{bot}{when}{pinged}</div>'
            f"{self._content(message, names)}{self._earlier(message, names)}{thread}"
            "</div></article>"
        )

    def _pinged(self, message: Message, names: dict[str, str]) -> str:
        whom = (f"@{names.get(one.lstrip('!'), one.lstrip('!'))}" for one in message.pings)
        return html.escape(f"notified {', '.join(whom)}") if message.pings else ""

    def _content(self, message: Message, names: dict[str, str]) -> str:
        shown = blocks_html.blocks(message.blocks, names)
        mark = ' <span class="edited">(edited)</span>' if message.edited else ""
        body = shown + mark if shown else f"<div>{mrkdwn(message.text, names)}{mark}</div>"
        return f"{body}{blocks_html.attachments(message.attachments, names)}"

    def _earlier(self, message: Message, names: dict[str, str]) -> str:
        """Return the versions before the last edit, which Slack itself would not show."""
        if not message.revision:
            return ""
        versions = self._store.versions(message.channel, message.ts)[:-1]
        inner = "".join(f"<li>{self._content(one, names)}</li>" for one in versions)
        count = f"{len(versions)} earlier version{'' if len(versions) == 1 else 's'}"
        return (
            f'<details class="earlier" id="e{message.ts}"><summary>{count}</summary>'
            f"<ol>{inner}</ol></details>"
        )


def _time(ts: str) -> datetime:
    return datetime.fromtimestamp(micros_of(ts) / 1_000_000, tz=UTC)
