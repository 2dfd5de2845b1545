"""What the Slack inbox of an edition keeps: each message with every version of it."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ops_platform.embedded.slack_inbox.store import FILE, Channel, Message


@dataclass(frozen=True, slots=True)
class Post:
    """A message in a channel, as it was posted and after each edit, and its thread."""

    versions: tuple[Message, ...]
    thread: tuple["Post", ...] = ()

    @property
    def now(self) -> Message:
        """The message as it stands."""
        return self.versions[-1]

    @property
    def words(self) -> str:
        """All that the message shows now."""
        return words_of(self.now)

    @property
    def pings(self) -> list[str]:
        """Whom the message and its thread have notified."""
        told = [*self.versions[0].pings]
        return told + [name for reply in self.thread for name in reply.pings]


def words_of(message: Message) -> str:
    """Return all that a message shows."""
    return message.text + msgspec.json.encode(message.blocks).decode()


def posts(slack: Path, channel: str) -> list[Post]:
    """Return what was posted into a channel, apart from threads, by time."""
    written = (slack / FILE).read_bytes().splitlines() if (slack / FILE).exists() else []
    # A line that is being written is not whole yet.
    entries = [msgspec.json.decode(each, type=Message | Channel) for each in written if _ends(each)]
    named = {each.id for each in entries if isinstance(each, Channel) and each.name == channel}
    versions: dict[str, list[Message]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry, Message) and entry.channel in named:
            versions[entry.ts].append(entry)
    threads: dict[str, list[Post]] = defaultdict(list)
    for _, found in sorted(versions.items()):
        if found[0].is_reply:
            threads[str(found[0].thread_ts)].append(Post(tuple(found)))
    return [
        Post(tuple(found), tuple(threads[ts]))
        for ts, found in sorted(versions.items())
        if not found[0].is_reply
    ]


def _ends(line: bytes) -> bool:
    return line.endswith(b"}")
