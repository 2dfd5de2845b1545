"""A sender as a process of its own, which can be made to stop and wait at a point of its work.

Printed: the point once it is reached, or the states that the round came to, as JSON.
"""

import json
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.delivery import Delivery, LookupUnavailable
from ops_platform_tests.fakes import FakeClock
from ops_platform_tests.operations.delivery_world import client_of, sender, states

NOWHERE = "nowhere"
POINTS = ("claimed", "posted", "recorded", "found")


class StoppingNotifier(SlackNotifier):
    """Slack, but for a stop before or after one of its calls."""

    def __init__(self, base_url: str, *, stop_at: str, skip: int) -> None:
        super().__init__(client_of(base_url))
        self._stop_at = stop_at
        self._skip = skip

    def post(
        self,
        *,
        channel: str,
        text: str,
        blocks: Sequence[dict[str, Any]],
        metadata_key: str,
        thread_ts: str | None = None,
    ) -> Delivery:
        """Post between two points."""
        self._reach("claimed")
        outcome = super().post(
            channel=channel,
            text=text,
            blocks=blocks,
            metadata_key=metadata_key,
            thread_ts=thread_ts,
        )
        self._reach("posted")
        return outcome

    def find(
        self, *, channel: str, metadata_key: str, since: datetime, thread_ts: str | None = None
    ) -> str | LookupUnavailable | None:
        """Find before a point."""
        found = super().find(
            channel=channel, metadata_key=metadata_key, since=since, thread_ts=thread_ts
        )
        self._reach("found")
        return found

    def permalink(self, *, channel: str, ts: str) -> str | None:
        """Ask after a point: the message is in the ledger by now."""
        self._reach("recorded")
        return super().permalink(channel=channel, ts=ts)

    def _reach(self, point: str) -> None:
        if point != self._stop_at:
            return
        if self._skip == 0:
            sys.stdout.write(f"{point}\n")
            sys.stdout.flush()
            signal.pause()
        self._skip -= 1


def main(database_url: str, base_url: str, now: str, stop_at: str, skip: str) -> None:
    """Deliver once, at that time, and stop at that point unless it is nowhere."""
    ledger = Ledger(database_url)
    notifier = StoppingNotifier(base_url, stop_at=stop_at, skip=int(skip))
    clock = FakeClock(datetime.fromisoformat(now))
    one = sender(ledger, notifier, clock=clock, holder=f"process {stop_at} {skip} {now}")
    sys.stdout.write(json.dumps(states(one.deliver(seconds=30))) + "\n")
    ledger.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
