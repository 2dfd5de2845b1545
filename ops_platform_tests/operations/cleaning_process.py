"""Cleaners as processes of their own, each of which can be made to stop at any step of its work.

The process reads an order a line and forks a cleaner for it. Each prints its process id, then the
step at which it stopped, or ``END``. Batch and Step Functions are those of the test's process, at
the other end of a socket.
"""

import base64
import os
import pickle
import sys
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Client, Connection
from typing import TYPE_CHECKING, Any, NoReturn, cast

from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.stale_policy import Policies
from ops_platform.operations.clean_queues import Cleaner
from ops_platform_tests.build import ACCOUNT
from ops_platform_tests.fake_queues import FakeInstanceTypes
from ops_platform_tests.fakes import FakeClock
from ops_platform_tests.operations.delivery_process import END, SteppingLedger, Steps, say

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient


@dataclass(frozen=True, slots=True)
class Order:
    """What a cleaner works on, and after how many steps it stops; 0 lets it come to its end."""

    database_url: str
    aws: str
    now: datetime
    policies: Policies
    stop_at: int = 0

    def encoded(self) -> bytes:
        """Return it as a line."""
        return base64.b64encode(pickle.dumps(self)) + b"\n"


class RemoteAws:
    """What answers at the other end of a socket, with a step before and after each call."""

    def __init__(self, connection: "Connection[Any, Any]", steps: Steps, of: str) -> None:
        self._connection = connection
        self._steps = steps
        self._of = of

    def __getattr__(self, action: str) -> Any:
        """Return the action of that name."""

        def call(*values: Any, **named: Any) -> Any:
            self._steps.reach(f"before {action}")
            self._connection.send((self._of, action, values, named))
            answer = self._connection.recv()
            self._steps.reach(f"after {action}")
            return answer

        return call


def clean(order: Order) -> None:
    """Clean once."""
    say(str(os.getpid()))
    steps = Steps(order.stop_at)
    ledger = SteppingLedger(order.database_url, steps)
    with Client(order.aws) as connection:
        batch = RemoteAws(connection, steps, "batch")
        types = FakeInstanceTypes()
        cleaner = Cleaner(
            ledger=ledger,
            api=AwsBatchQueues(
                cast("BatchClient", batch),
                account=ACCOUNT,
                types=types,
                pacer=Pacer(sleep=lambda _: None),
            ),
            types=types,
            runs=cast("Any", RemoteAws(connection, steps, "runs")),
            account=ACCOUNT,
            policies=order.policies,
            clock=FakeClock(order.now),
            asked_by="the schedule",
            sleep=lambda _: None,
        )
        cleaner.clean(enforce=True)
    ledger.close()
    say(END)


def main() -> None:
    """Fork a cleaner for each order, and wait for its end."""
    for line in sys.stdin.buffer:
        order = pickle.loads(base64.b64decode(line))
        child = os.fork()
        if child == 0:
            _clean_and_leave(order)
        os.waitpid(child, 0)


def _clean_and_leave(order: Order) -> NoReturn:
    """Leave without returning into the parent's loop."""
    code = 1
    try:
        clean(order)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
