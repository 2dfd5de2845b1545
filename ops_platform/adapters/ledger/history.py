"""Which days the ledger no longer holds whole, and how such days are kept from going or made to.

Whoever needs the days that he reads to stay whole asks ``dropped_days_among`` in the transaction
that reads them: until it ends, none is dropped.
"""

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa

from ops_platform.adapters.ledger.schema import dropped_days

_LOCK = sa.func.hashtextextended("history", 0)


def dropped_days_among(tx: sa.Connection, days: Collection[date]) -> list[date]:
    """Return which of the days were dropped, in order; until the transaction ends, no more are."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK)))
    wanted = dropped_days.c.day == sa.any_(sa.cast(sorted(days), sa.ARRAY(sa.Date)))
    found = sa.select(dropped_days.c.day).where(wanted)
    return list(tx.scalars(found.order_by(dropped_days.c.day)))
