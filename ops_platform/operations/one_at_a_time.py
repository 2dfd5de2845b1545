"""Each machine of production changed by one at a time, and each request carried out once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ops_platform.adapters.ledger import promotions
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.domain.promotions import Request, Status


@dataclass(frozen=True, slots=True)
class Turn:
    """A request on record whose machine nobody else changes.

    ``keep`` raises ``LedgerError`` if somebody else may be at it by now.
    """

    recorded: Recorded
    keep: Callable[[], None]


@contextmanager
def sole(ledger: Ledger, request: Request) -> Iterator[Turn]:
    """Put a request on record, and keep everybody else from its machine while the block lasts.

    Raises:
        PlatformError: Somebody else changes it right now, or the ledger does not answer.
    """
    with ledger.alone(f"the promotion of {request.machine} in {request.account}") as keep:
        with ledger.transaction() as tx:
            recorded = promotions.ask(tx, request)
        yield Turn(recorded, keep)


def once(ledger: Ledger, request: Request, change: Callable[[Turn], None]) -> Recorded:
    """Make a change that was asked for, unless it has ended already; return its record.

    Nobody else changes the same machine meanwhile.

    Raises:
        PlatformError: Somebody else does so right now, or the ledger does not answer.
    """
    with sole(ledger, request) as turn:
        if turn.recorded.status is Status.RUNNING:
            change(turn)
        with ledger.transaction() as tx:
            return promotions.ask(tx, request)
