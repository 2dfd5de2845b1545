"""Senders as processes of their own, each of which can be made to stop at any step of its work.

The process reads an order a line and forks a sender for it. Each prints its process id, then the
step at which it stopped, or ``END`` and what its round came to.
"""

import base64
import json
import os
import pickle
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.delivery import Delivery, LookupUnavailable, Sent
from ops_platform_tests.fakes import FakeClock
from ops_platform_tests.operations.delivery_world import client_of, sender, states

END = "end"


@dataclass(frozen=True, slots=True)
class Order:
    """What a sender works on, and after how many steps it stops; 0 lets it come to its end."""

    database_url: str
    slack_url: str
    now: datetime
    policy: AlertPolicy
    stop_at: int = 0
    fallback: str | None = None

    def encoded(self) -> bytes:
        """Return it as a line."""
        return base64.b64encode(pickle.dumps(self)) + b"\n"


class Steps:
    """Counts the steps of a sender, and stops it at one of them."""

    def __init__(self, stop_at: int) -> None:
        self._left = stop_at

    def reach(self, step: str) -> None:
        """Go on, or say where we are and wait for the end."""
        self._left -= 1
        if self._left == 0:
            say(step)
            signal.pause()


class SteppingLedger(Ledger):
    """A ledger, with a step before and after each commit."""

    def __init__(self, url: str, steps: Steps) -> None:
        super().__init__(url)
        self._steps = steps

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Yield a connection whose work is committed between two steps."""
        with super().transaction() as tx:
            yield tx
            self._steps.reach("before commit")
        self._steps.reach("after commit")


class SteppingNotifier(SlackNotifier):
    """Slack, with a step before and after each call."""

    def __init__(self, base_url: str, steps: Steps) -> None:
        super().__init__(client_of(base_url))
        self._steps = steps

    def post(
        self,
        *,
        channel: str,
        text: str,
        blocks: Sequence[dict[str, Any]],
        metadata_key: str,
        thread_ts: str | None = None,
    ) -> Delivery:
        """Post between two steps."""
        with self._step("post"):
            return super().post(
                channel=channel,
                text=text,
                blocks=blocks,
                metadata_key=metadata_key,
                thread_ts=thread_ts,
            )

    def update(
        self,
        *,
        channel: str,
        ts: str,
        text: str,
        blocks: Sequence[dict[str, Any]],
        metadata_key: str,
    ) -> Delivery:
        """Edit between two steps."""
        with self._step("edit"):
            return super().update(
                channel=channel, ts=ts, text=text, blocks=blocks, metadata_key=metadata_key
            )

    def find(
        self, *, channel: str, metadata_key: str, since: datetime, thread_ts: str | None = None
    ) -> Sent | LookupUnavailable | None:
        """Look up between two steps."""
        with self._step("look-up"):
            return super().find(
                channel=channel, metadata_key=metadata_key, since=since, thread_ts=thread_ts
            )

    def permalink(self, *, channel: str, ts: str) -> str | LookupUnavailable | None:
        """Ask between two steps."""
        with self._step("permalink"):
            return super().permalink(channel=channel, ts=ts)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self._steps.reach(f"before {name}")
        yield
        self._steps.reach(f"after {name}")


def deliver(order: Order) -> None:
    """Deliver once."""
    say(str(os.getpid()))
    steps = Steps(order.stop_at)
    ledger = SteppingLedger(order.database_url, steps)
    one = sender(
        ledger,
        SteppingNotifier(order.slack_url, steps),
        clock=FakeClock(order.now),
        holder=f"process {os.getpid()}",
        policy=order.policy,
        fallback=order.fallback,
    )
    told = states(one.deliver(seconds=30))
    ledger.close()
    say(f"{END} {json.dumps(told)}")


def say(words: str) -> None:
    """Print a line at once."""
    os.write(sys.stdout.fileno(), f"{words}\n".encode())


def main() -> None:
    """Fork a sender for each order, and wait for its end."""
    for line in sys.stdin.buffer:
        order = pickle.loads(base64.b64decode(line))
        child = os.fork()
        if child == 0:
            _deliver_and_leave(order)
        os.waitpid(child, 0)


def _deliver_and_leave(order: Order) -> NoReturn:
    """Leave without returning into the parent's loop."""
    code = 1
    try:
        deliver(order)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
