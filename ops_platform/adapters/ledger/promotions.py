"""The record of promotions: what was asked, and each thing that was done, written once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.promotion_tables import promotion_entries, promotions
from ops_platform.adapters.ledger.queries import Filter, fetch
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.promotions import ENDS, Entry, Request, Status, status_of


class EndedError(PlatformError):
    """A promotion that has ended goes on no more."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A promotion with all its entries, in their order."""

    request: Request
    entries: tuple[Entry, ...]

    @property
    def status(self) -> Status:
        """Where it stands."""
        return status_of(self.entries)


def ask(tx: sa.Connection, request: Request) -> Recorded:
    """Record a request, unless it is on record already; return it with what was done so far."""
    values = msgspec.to_builtins(request, builtin_types=(datetime,))
    tx.execute(insert(promotions).values(values).on_conflict_do_nothing())
    recorded = get(tx, request.id)
    if recorded is None:
        raise PlatformError(f"The promotion {request.id} could not be recorded.")
    return recorded


def add(tx: sa.Connection, promotion_id: str, entry: Entry) -> None:
    """Record a thing that was done.

    Raises:
        EndedError: The promotion has ended, by whoever did it at the same time.
    """
    locked = sa.select(promotions.c.id).where(promotions.c.id == promotion_id)
    tx.execute(locked.with_for_update())
    before = _entries(tx, [promotion_id]).get(promotion_id, [])
    if before and before[-1].what in ENDS:
        raise EndedError(f"{promotion_id} has ended: {before[-1].message}")
    tx.execute(
        insert(promotion_entries).values(
            promotion_id=promotion_id,
            seq=len(before) + 1,
            what=entry.what,
            at=entry.at,
            message=entry.message,
            detail=entry.detail,
        )
    )


def get(tx: sa.Connection, promotion_id: str) -> Recorded | None:
    """Return a promotion, None if there is none of that id."""
    found = _recorded(tx, sa.select(promotions).where(promotions.c.id == promotion_id))
    return found[0] if found else None


def newest(tx: sa.Connection, wanted: Filter, *, machine: str | None = None) -> list[Recorded]:
    """Return promotions, the last first; the status is looked at once they are read."""
    query = sa.select(promotions).order_by(promotions.c.requested_at.desc(), promotions.c.id)
    pairs = (
        (promotions.c.account, wanted.account),
        (promotions.c.flow, wanted.flow),
        (promotions.c.machine, machine),
    )
    for column, value in pairs:
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(promotions.c.requested_at >= wanted.since)
    found = _recorded(tx, query)
    return [each for each in found if wanted.status in {None, each.status}][: wanted.limit]


def _recorded(tx: sa.Connection, query: sa.Select[tuple[object, ...]]) -> list[Recorded]:
    requests = [msgspec.convert(row, Request) for row in fetch(tx, query)]
    entries = _entries(tx, [each.id for each in requests])
    return [Recorded(each, tuple(entries.get(each.id, ()))) for each in requests]


def _entries(tx: sa.Connection, ids: Sequence[str]) -> dict[str, list[Entry]]:
    query = (
        sa.select(promotion_entries)
        .where(promotion_entries.c.promotion_id == sa.any_(sa.cast(list(ids), sa.ARRAY(sa.Text))))
        .order_by(promotion_entries.c.promotion_id, promotion_entries.c.seq)
    )
    found: dict[str, list[Entry]] = {}
    for row in fetch(tx, query):
        found.setdefault(row["promotion_id"], []).append(msgspec.convert(row, Entry))
    return found
