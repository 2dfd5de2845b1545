"""The silences, and the messages that wait for their end."""

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.queries import fetch
from ops_platform.adapters.ledger.schema import alerts, silences
from ops_platform.domain.silences import Silence

_PATTERNS = ("account", "project", "flow", "owner")


def add(
    tx: sa.Connection,
    *,
    author: str,
    reason: str,
    now: datetime,
    ends_at: datetime,
    **patterns: str | None,
) -> Silence:
    """Store a silence; ``patterns`` are those of account, project, flow and owner."""
    values = {name: patterns.get(name) for name in _PATTERNS}
    statement = insert(silences).values(
        author=author, reason=reason, created_at=now, ends_at=ends_at, **values
    )
    (row,) = fetch(tx, statement.returning(silences))
    return msgspec.convert(row, Silence)


def active(tx: sa.Connection, now: datetime) -> list[Silence]:
    """Return the silences that hold now, the first made first."""
    return _found(tx, silences.c.ends_at > now)


def recent(tx: sa.Connection, since: datetime) -> list[Silence]:
    """Return the silences that held at some time since then."""
    return _found(tx, silences.c.ends_at > since)


def expire(tx: sa.Connection, silence_id: int, *, by: str, now: datetime) -> Silence | None:
    """End a silence now, and have what it held back told; None if it does not hold."""
    ended = (
        sa.update(silences)
        .where(silences.c.id == silence_id, silences.c.ends_at > now)
        .values(ends_at=now, expired_by=by)
        .returning(silences)
    )
    row = next(iter(fetch(tx, ended)), None)
    if row is None:
        return None
    waiting = (alerts.c.silence_id == silence_id) & (alerts.c.state == "pending")
    tx.execute(sa.update(alerts).where(waiting).values(due_at=now))
    return msgspec.convert(row, Silence)


def _found(tx: sa.Connection, wanted: sa.ColumnElement[bool]) -> list[Silence]:
    query = sa.select(silences).where(wanted).order_by(silences.c.id)
    return [msgspec.convert(row, Silence) for row in fetch(tx, query)]
