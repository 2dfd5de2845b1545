"""A process that ingests, and can stop at a named point to be killed there.

``python -m ops_platform_tests.operations.ingester ENDPOINT QUEUE_URL LEDGER_URL [POINT NUMBER]``
prints ``ready`` once it begins. When it comes to the point for the given time it prints the
point's name and waits for ever. The points lie in wrappers around the queue and the ledger.
"""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.sqs import SqsEventQueue
from ops_platform.clock import now
from ops_platform.domain.ports import Message
from ops_platform.operations.ingest_events import ingest
from ops_platform.settings.accounts import Account
from ops_platform_tests.build import ACCOUNTS
from ops_platform_tests.ledger_world import POLICY

BATCH = 20
# Beginnings of statements: the point lies before the first of each transaction.
STATEMENTS = {
    "nothing stored": "SELECT pg_advisory_xact_lock",
    "events stored": "SELECT jobs.account",
    "state stored": "SELECT executions.account, executions.event_id",
    "incident opened": "INSERT INTO alerts",
}
POINTS = (
    "received",
    *STATEMENTS,
    "before commit",
    "committed",
    "half deleted",
    "deleted",
)


class Points:
    """Stops at the one point that was asked for."""

    def __init__(self, wanted: str | None, number: int) -> None:
        self._wanted = wanted
        self._left = number

    def reach(self, point: str) -> None:
        """Say so and wait to be killed, if it is this point's turn."""
        self._left -= point == self._wanted
        if point == self._wanted and self._left == 0:
            print(point, flush=True)
            signal.pause()


class StoppingQueue(SqsEventQueue):
    """A queue that stops after it received, and in the midst of deleting."""

    points: Points

    def receive(self, *, limit: int, seconds: float) -> list[Message]:
        """Receive, and stop before anybody knows of it."""
        taken = super().receive(limit=limit, seconds=seconds)
        if taken:
            self.points.reach("received")
        return taken

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Delete one half, stop, delete the other."""
        half = len(messages) // 2
        kept = super().delete(messages[:half])
        self.points.reach("half deleted")
        kept += super().delete(messages[half:])
        self.points.reach("deleted")
        return kept


class StoppingLedger(Ledger):
    """A ledger that stops between the statements of a transaction, and around its end."""

    points: Points

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Yield a connection whose statements are watched."""
        with super().transaction() as tx:
            self._watch(tx)
            yield tx
            self.points.reach("before commit")
        self.points.reach("committed")

    def _watch(self, tx: sa.Connection) -> None:
        passed: set[str] = set()

        def before(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
            for point, beginning in STATEMENTS.items():
                if statement.startswith(beginning) and point not in passed:
                    passed.add(point)
                    self.points.reach(point)

        sa.event.listen(tx, "before_cursor_execute", before)


def main(endpoint: str, queue_url: str, ledger_url: str, *point: str) -> None:
    """Ingest until the queue is empty."""
    account = Account(
        name="production",
        aws_account_id="222222222222",
        region="eu-west-1",
        endpoint_url=endpoint,
        event_queue_url=queue_url,
    )
    points = Points(point[0], int(point[1])) if point else Points(None, 0)
    queue = StoppingQueue(AccountClients(account).sqs, queue_url)
    ledger = StoppingLedger(ledger_url)
    queue.points = ledger.points = points
    print("ready", flush=True)
    ingest(queue, ledger, accounts=ACCOUNTS, policy=POLICY, clock=now, seconds=30, batch=BATCH)
    ledger.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
