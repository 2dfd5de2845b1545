"""Slack: post, edit, and find out whether a post of unknown outcome landed. Never sleeps."""

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from slack_sdk import WebClient

from ops_platform.adapters.slack_outcomes import FAILURES, NotDelivered, outcome_of
from ops_platform.domain.delivery import (
    Ambiguous,
    Delivery,
    LookupUnavailable,
    RateLimited,
    Refused,
    Sent,
)

Block = dict[str, Any]

EVENT_TYPE: Final = "ops_alert"
_KEYS: Final = uuid.UUID("6d1f2a3e-64f1-5d0c-9a54-3f0b8c1f7c55")
_CHANNEL_ID: Final = re.compile(r"[CDG][A-Z0-9]{8,}\Z")
# A post may carry a time of Slack's clock that is earlier than ours was when we sent it.
_CLOCK_SKEW: Final = timedelta(minutes=5)
_PAGE_SIZE: Final = 200
_MOST_PAGES: Final = 10


class SlackNotifier:
    """Tells people through one Slack workspace, and says exactly what became of each message.

    ``client`` must have no retry handlers: the ones it has by default post twice when a
    connection is lost after Slack took the message.
    """

    def __init__(self, client: WebClient) -> None:
        if client.retry_handlers:
            raise ValueError("The Slack client must be built with retry_handlers=[].")
        self._client = client
        self._channel_ids: dict[str, str] = {}

    def post(
        self,
        *,
        channel: str,
        text: str,
        blocks: Sequence[Block],
        metadata_key: str,
        thread_ts: str | None = None,
    ) -> Delivery:
        """Post a message that ``find`` will know again by its key."""
        return _attempt(
            lambda: self._client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=list(blocks) or None,
                thread_ts=thread_ts,
                metadata=_metadata(metadata_key),
                unfurl_links=False,
                unfurl_media=False,
                # Slack promises nothing for it; it is harmless, and may one day help.
                client_msg_id=str(uuid.uuid5(_KEYS, metadata_key)),
            )
        )

    def update(
        self, *, channel: str, ts: str, text: str, blocks: Sequence[Block], metadata_key: str
    ) -> Delivery:
        """Replace a message in place; ``channel`` is the id that ``post`` returned."""
        return _attempt(
            lambda: self._client.chat_update(
                channel=channel,
                ts=ts,
                text=text,
                blocks=list(blocks) or None,
                metadata=_metadata(metadata_key),
                parse="none",  # an edit would turn a bare @channel into a mention
            )
        )

    def find(
        self, *, channel: str, metadata_key: str, since: datetime, thread_ts: str | None = None
    ) -> Sent | LookupUnavailable | None:
        """Return where the message with this key stands, None if there is none yet.

        None shortly after an attempt does not prove that the attempt failed: Slack may still
        be at work on it.
        """
        try:
            return self._find(channel, metadata_key, since - _CLOCK_SKEW, thread_ts)
        except FAILURES as error:
            return _unavailable(error)

    def lookup_user(self, email: str) -> str | LookupUnavailable | None:
        """Return the id of the user with this address, None if nobody active has it."""
        try:
            user = self._client.users_lookupByEmail(email=email)["user"]
            return None if user.get("deleted") else str(user["id"])
        except FAILURES as error:
            unavailable = _unavailable(error)
            return None if unavailable.error == "users_not_found" else unavailable

    def permalink(self, *, channel: str, ts: str) -> str | LookupUnavailable | None:
        """Return the address of a message, None if Slack has none."""
        try:
            where = self._channel_id(channel) or channel
            found = self._client.chat_getPermalink(channel=where, message_ts=ts)["permalink"]
        except FAILURES as error:
            return _unavailable(error)
        return str(found) if found else None

    def _find(
        self, channel: str, key: str, oldest: datetime, thread_ts: str | None
    ) -> Sent | LookupUnavailable | None:
        where = self._channel_id(channel)
        if where is None:
            return LookupUnavailable(f"no channel {channel} among those Slack lists")
        for message in self._messages(where, oldest, thread_ts):
            if message is None:
                return LookupUnavailable("too many messages since")
            if _key_of(message) == key:
                return Sent(channel=where, ts=str(message["ts"]))
        return None

    def _messages(
        self, channel: str, oldest: datetime, thread_ts: str | None
    ) -> Iterator[dict[str, Any] | None]:
        """Yield messages page by page, and None at last if there are more than we read."""
        arguments = {
            "channel": channel,
            "oldest": f"{oldest.timestamp():.6f}",
            "limit": _PAGE_SIZE,
            "include_all_metadata": True,
        }
        if thread_ts:
            pages = _pages(self._client.conversations_replies, arguments | {"ts": thread_ts})
        else:
            pages = _pages(self._client.conversations_history, arguments)
        for page in pages:
            yield from page["messages"] if page else (None,)

    def _channel_id(self, channel: str) -> str | None:
        """Return the id of a channel: reading wants it where posting takes a name."""
        if _CHANNEL_ID.match(channel):
            return channel
        name = channel.removeprefix("#")
        if name not in self._channel_ids:
            self._learn_channels()
        return self._channel_ids.get(name)

    def _learn_channels(self) -> None:
        arguments = {"types": "public_channel,private_channel", "limit": 999}
        for page in _pages(self._client.conversations_list, arguments):
            if page:
                self._channel_ids |= {one["name"]: one["id"] for one in page["channels"]}


def _attempt(call: Callable[[], Any]) -> Delivery:
    try:
        answer = call()
        if not answer.get("ts"):
            return Ambiguous("an answer without a ts")
        return Sent(channel=str(answer["channel"]), ts=str(answer["ts"]))
    except FAILURES as error:
        return outcome_of(error)


def _pages(method: Callable[..., Any], arguments: dict[str, Any]) -> Iterator[Any]:
    """Yield the pages of an answer, and None at last if there are more than we read."""
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = method(**arguments, cursor=cursor)
        yield page
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return
    yield None


def _metadata(key: str) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key}}


def _key_of(message: dict[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    key = (metadata.get("event_payload") or {}).get("key")
    return key if isinstance(key, str) else None


def _unavailable(error: Exception) -> LookupUnavailable:
    outcome: NotDelivered = outcome_of(error)
    if isinstance(outcome, RateLimited):
        return LookupUnavailable("ratelimited", outcome.retry_after_seconds, passing=True)
    never = isinstance(outcome, Refused) and outcome.permanent
    return LookupUnavailable(outcome.error, passing=not never)
