"""Droppers and importers as processes of their own, each of which can be made to stop at any step.

The process reads an order a line and forks a child for it. Each prints its process id, then the
step at which it stopped, or ``END``.
"""

import base64
import os
import pickle
import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

from ops_platform.adapters.ledger import pruning
from ops_platform.operations import import_events
from ops_platform.operations.keep_history import keep_history
from ops_platform_tests.build import ACCOUNTS
from ops_platform_tests.operations.delivery_process import END, SteppingLedger, Steps, say
from ops_platform_tests.operations.history_world import REPLAYED

# So few rows at a time that there are steps between them.
_FEW = 7


@dataclass(frozen=True, slots=True)
class Order:
    """Days to be dropped, or files to be imported, and after how many steps to stop."""

    database_url: str
    now: datetime
    kept_from: date | None = None
    files: tuple[Path, ...] = ()
    stop_at: int = 0

    def encoded(self) -> bytes:
        """Return it as a line."""
        return base64.b64encode(pickle.dumps(self)) + b"\n"


def carry_out(order: Order) -> None:
    """Do what the order says, once."""
    say(str(os.getpid()))
    pruning.BATCH = import_events._BATCH = _FEW
    ledger = SteppingLedger(order.database_url, Steps(order.stop_at))
    if order.kept_from is not None:
        keep_history(ledger, kept_from=order.kept_from, now=order.now)
    else:
        importer = import_events.Importer(ledger, ACCOUNTS, REPLAYED, order.now)
        list(importer.import_files(order.files))
    ledger.close()
    say(END)


def main() -> None:
    """Fork a child for each order, and wait for its end."""
    for line in sys.stdin.buffer:
        order = pickle.loads(base64.b64decode(line))
        child = os.fork()
        if child == 0:
            _carry_out_and_leave(order)
        os.waitpid(child, 0)


def _carry_out_and_leave(order: Order) -> NoReturn:
    """Leave without returning into the parent's loop."""
    code = 1
    try:
        carry_out(order)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
