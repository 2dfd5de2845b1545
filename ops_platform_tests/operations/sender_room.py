"""A world in which senders are processes, to be killed at any step of their work."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ops_platform.embedded.slack_inbox.store import Message
from ops_platform_tests.operations.delivery_process import END, Order
from ops_platform_tests.operations.delivery_world import LEASE, World

_PATIENCE_SECONDS = 60


class Nursery:
    """The process that forks the senders, since to start each anew takes seconds."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def start(self, order: Order) -> int:
        """Start a sender; return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(order.encoded())
        self._process.stdin.flush()
        return int(self.line())

    def line(self) -> str:
        """Return what is said next."""
        out = self._process.stdout
        assert out is not None
        assert select.select([out], [], [], _PATIENCE_SECONDS)[0], "it says nothing"
        return out.readline().decode().strip()


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Run the process that forks senders; it ends with the block, and they with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ops_platform_tests.operations.delivery_process"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    with process:
        try:
            yield Nursery(process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


class Room:
    """A world in which senders are processes."""

    def __init__(self, world: World, url: str, forks: Nursery) -> None:
        self.world = world
        self._url = url
        self._forks = forks

    def dies_at(self, step: int) -> str | None:
        """Run a sender and kill it at a step; return which it was, None if it had none left."""
        pid = self._started(step)
        reached = self._forks.line()
        if reached.startswith(END):
            return None
        os.kill(pid, signal.SIGKILL)
        self.world.wait(seconds=LEASE.total_seconds())
        return reached

    def dies_during_its_post(self) -> None:
        """Run a sender, and kill it while Slack is at work on its first post."""
        before = len(self.world.inbox.messages())
        pid = self._started(0)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while len(self.world.inbox.messages()) == before:
            assert time.monotonic() < deadline, "it posts nothing"
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        self.world.wait(seconds=LEASE.total_seconds())

    def delivers(self) -> list[str] | None:
        """Run a sender that lives; return what its round came to."""
        self._started(0)
        told: list[str] | None = json.loads(self._forks.line().removeprefix(f"{END} "))
        return told

    def _started(self, stop_at: int) -> int:
        return self._forks.start(
            Order(
                database_url=self._url,
                slack_url=self.world.inbox.api_url,
                now=self.world.clock(),
                policy=self.world.policy,
                stop_at=stop_at,
                fallback=self.world.fallback,
            )
        )


def stands(world: World) -> list[tuple[str, str, str]]:
    """Return what Slack's store holds: of each message its key, whose thread it is in, its words.

    Sorted, and of each copy one.
    """
    messages = world.inbox.messages()
    keys = {(message.channel, message.ts): key_of(message) for message in messages}
    return sorted(
        (key_of(one), keys.get((one.channel, one.thread_ts or ""), ""), _words(one))
        for one in messages
    )


def key_of(message: Message) -> str:
    """Return the key by which the sender knows a message."""
    assert isinstance(message.metadata, dict)
    return str(message.metadata["event_payload"]["key"])


def _words(message: Message) -> str:
    words: Any = [message.text, message.blocks]
    return json.dumps(words)


def difference(
    one: list[tuple[str, str, str]], other: list[tuple[str, str, str]]
) -> list[tuple[str, str, str]]:
    """Return what stands in one and not, or not as often, in the other."""
    left, right = Counter(one), Counter(other)
    return sorted(((left - right) + (right - left)).elements())
