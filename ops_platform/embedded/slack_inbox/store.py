"""The messages, in memory and as JSON lines in a folder."""

import fcntl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

from ops_platform.embedded.slack_inbox.values import Json

FILE: Final = "messages.jsonl"


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True):
    """A message as it stands after its last edit."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = []
    attachments: list[Json] = []
    metadata: dict[str, Json] | None = None
    thread_ts: str | None = None
    client_msg_id: str | None = None
    revision: int = 0
    """How often it was edited."""
    changed_at: str | None = None
    """When it was last edited."""
    edited: bool = False
    """Whether Slack marks it as edited: not if the edit brought blocks."""
    pings: tuple[str, ...] = ()
    """Whom the post notified; an edit notifies nobody."""

    @property
    def is_reply(self) -> bool:
        """Whether it stands in a thread rather than in the channel."""
        return self.thread_ts is not None and self.thread_ts != self.ts


class Channel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True):
    """A channel as the bot sees it."""

    id: str
    name: str
    is_archived: bool = False
    is_member: bool = True


class FolderInUseError(Exception):
    """Another inbox keeps its messages in the same folder."""


class Store:
    """Channels and messages; every change is one line, and reading the lines gives it all back."""

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.RLock()
        self._channels: dict[str, Channel] = {}
        self._versions: dict[str, dict[str, list[Message]]] = {}
        self._replies: dict[tuple[str, str], list[str]] = {}
        self._last_ts: dict[str, int] = {}
        self.changes = 0
        self._file = _open(folder / FILE) if folder else None
        if self._file:
            for entry in _entries(self._file):
                self._keep(entry)

    def close(self) -> None:
        """Close the file; the messages stay readable."""
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None

    def channels(self) -> list[Channel]:
        """Return the channels in the order in which they came to be."""
        with self._lock:
            return list(self._channels.values())

    def put_channel(self, channel: Channel) -> None:
        """Add a channel, or replace the one of the same id."""
        with self._lock:
            if self._channels.get(channel.id) != channel:
                self._write(channel)

    def next_ts(self, channel: str, now: float) -> str:
        """Return a ts that is later than every other of the channel."""
        with self._lock:
            micros = max(int(now * 1_000_000), self._last_ts.get(channel, 0) + 1)
            self._last_ts[channel] = micros
            return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def put_message(self, message: Message) -> None:
        """Add a message, or a new version of it."""
        with self._lock:
            self._write(message)

    def message(self, channel: str, ts: str) -> Message | None:
        """Return a message as it stands now."""
        versions = self.versions(channel, ts)
        return versions[-1] if versions else None

    def versions(self, channel: str, ts: str) -> list[Message]:
        """Return a message as it was posted and after each edit."""
        with self._lock:
            return list(self._versions.get(channel, {}).get(ts, ()))

    def messages(self, channel: str | None = None) -> list[Message]:
        """Return messages as they stand now, by time, of one channel or of all."""
        with self._lock:
            chosen = list(self._versions) if channel is None else [channel]
            latest = [
                versions[-1] for one in chosen for versions in self._versions.get(one, {}).values()
            ]
        return sorted(latest, key=lambda message: (micros_of(message.ts), message.channel))

    def replies(self, channel: str, ts: str) -> list[Message]:
        """Return the replies in a thread, by time."""
        with self._lock:
            stamps = sorted(self._replies.get((channel, ts), ()), key=micros_of)
            return [self._versions[channel][one][-1] for one in stamps]

    def _write(self, entry: Message | Channel) -> None:
        if self._file:
            # One write of the whole line: a kill leaves at most one torn line, the last.
            self._file.write(msgspec.json.encode(entry) + b"\n")
            self._file.flush()
        self._keep(entry)

    def _keep(self, entry: Message | Channel) -> None:
        self.changes += 1
        if isinstance(entry, Channel):
            self._channels[entry.id] = entry
            return
        versions = self._versions.setdefault(entry.channel, {}).setdefault(entry.ts, [])
        if entry.is_reply and entry.thread_ts and not versions:
            self._replies.setdefault((entry.channel, entry.thread_ts), []).append(entry.ts)
        versions.append(entry)
        last = max(self._last_ts.get(entry.channel, 0), micros_of(entry.ts))
        self._last_ts[entry.channel] = last


def micros_of(ts: str) -> int:
    """Return a ts as a number that sorts; a malformed one is 0."""
    seconds, _, micros = ts.partition(".")
    digits = f"{seconds}{micros[:6].ljust(6, '0')}"
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _open(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise FolderInUseError(
            f"Another Slack inbox already keeps its messages in {path.parent}; "
            "stop it or choose another folder."
        ) from None
    return file


def _entries(file: IO[bytes]) -> Iterator[Message | Channel]:
    decoder = msgspec.json.Decoder(Message | Channel)
    file.seek(0)
    line = b"\n"
    for line in file:
        try:
            yield decoder.decode(line)
        except msgspec.MsgspecError:
            continue  # torn by a kill in the middle of writing
    if not line.endswith(b"\n"):
        file.write(b"\n")
