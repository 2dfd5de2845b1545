"""Changes to history, which may wait for others, but must not make ingest wait."""

import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from ops_platform.adapters.ledger import history
from ops_platform.adapters.ledger.database import Ledger, LedgerError, Transaction

T = TypeVar("T")
# For those who rely on days to stay whole. Ingest is none of them.
_FOR_READERS = "20s"
# Whoever asks for the lock of a table keeps those out that ask after him, for no longer than this.
# Shorter than the second after which Postgres looks for deadlocks: it is we who give way.
_FOR_TABLES = "500ms"
_GAVE_WAY = {"55P03", "40P01"}
_PAUSES = (0.1, 0.2, 0.5, 1.0, 1.0, 2.0)


class BusyError(LedgerError):
    """Others held what was needed for all the time we waited."""


def change_history(
    ledger: Ledger, work: Callable[[Transaction], T], *, pause: Callable[[float], None] = time.sleep
) -> T:
    """Do work in a transaction beside which nobody relies on days to stay whole.

    It gives up its place when it would have to wait for a table, and tries again.

    Raises:
        BusyError: There was no gap in which to do it.
    """
    for seconds in _PAUSES:
        try:
            with ledger.transaction() as tx:
                tx.exec_driver_sql(f"SET LOCAL lock_timeout = '{_FOR_READERS}'")
                history.change(tx)
                tx.exec_driver_sql(f"SET LOCAL lock_timeout = '{_FOR_TABLES}'")
                return work(tx)
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _GAVE_WAY:
                raise
        pause(seconds)
    raise BusyError("The ledger was in use by others all the time; try again later.")
