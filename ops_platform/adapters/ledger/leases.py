"""Who may do what only one may do at a time, and until when."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.schema import leases

# Nobody takes a lease for so many times as long as others do.
_NONSENSE = 10


def take(tx: sa.Connection, name: str, *, holder: str, now: datetime, length: timedelta) -> bool:
    """Take or renew the lease; return False while somebody else holds it.

    One that lasts absurdly long is left over from before the clock was put back, and free.
    """
    statement = insert(leases).values(name=name, holder=holder, until=now + length)
    ended = (leases.c.until <= now) | (leases.c.until > now + length * _NONSENSE)
    free = sa.or_(ended, leases.c.holder == holder)
    taken = statement.on_conflict_do_update(
        index_elements=["name"], set_={"holder": holder, "until": now + length}, where=free
    ).returning(leases.c.name)
    return tx.scalar(taken) is not None


def give_back(tx: sa.Connection, name: str, *, holder: str) -> None:
    """End a lease before its time."""
    tx.execute(sa.delete(leases).where(leases.c.name == name, leases.c.holder == holder))


def held(tx: sa.Connection, prefix: str, now: datetime) -> set[str]:
    """Return which leases of that prefix are held, by the rest of their names."""
    mine = leases.c.name.startswith(prefix, autoescape=True)
    names = tx.scalars(sa.select(leases.c.name).where(mine, leases.c.until > now))
    return {name.removeprefix(prefix) for name in names}
