"""Work that may wait for others, but must not make others wait."""

import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from ops_platform.adapters.ledger.database import Ledger, LedgerError, Transaction

T = TypeVar("T")
# Whoever asks for a lock keeps those out that ask after him, for no longer than this. Shorter than
# the second after which Postgres looks for deadlocks: it is we who give way, never ingest.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '500ms'"
_GAVE_WAY = {"55P03", "40P01"}
_PAUSES = (0.1, 0.2, 0.5, 1.0, 1.0, 2.0)


class BusyError(LedgerError):
    """Others held what was needed for all the time we waited."""


def giving_way(
    ledger: Ledger, work: Callable[[Transaction], T], *, pause: Callable[[float], None] = time.sleep
) -> T:
    """Do work in a transaction that gives up its place when it would wait, and tries again.

    Raises:
        BusyError: There was no gap in which to do it.
    """
    for seconds in _PAUSES:
        try:
            with ledger.transaction() as tx:
                tx.exec_driver_sql(_LOCK_TIMEOUT)
                return work(tx)
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _GAVE_WAY:
                raise
        pause(seconds)
    raise BusyError("The ledger was in use by others all the time; try again later.")
