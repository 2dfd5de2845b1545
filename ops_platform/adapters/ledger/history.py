"""Which days the ledger no longer holds whole, which are held back, and how a day is dropped.

Whoever needs the days that he reads to stay whole asks ``dropped_days_among`` in the transaction
that reads them: until it ends, none is dropped.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.leases import held as held_leases
from ops_platform.adapters.ledger.schema import dropped_days, events, leases
from ops_platform.domain.hours import day_begins, of_day

NAME = "history"
"""The lock that those share who rely on days to stay whole."""
_LOCK = sa.func.hashtextextended(NAME, 0)
_HELD = "history of "
_PARTITIONS = """
SELECT day, pg_total_relation_size(oid) AS bytes
FROM pg_class, LATERAL (SELECT to_date(substr(relname, 8), 'YYYYMMDD') AS day) AS named
WHERE relname ~ '^events_[0-9]{8}$'
  AND oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'events'::regclass)
  AND (CAST(:before AS date) IS NULL OR day < :before)
ORDER BY day
"""
_OTHER_DAYS = "SELECT DISTINCT (time AT TIME ZONE 'UTC')::date FROM events_other WHERE time < :at"


@dataclass(frozen=True, slots=True)
class DayOfEvents:
    """A day's events as they lie in the database."""

    day: date
    bytes: int = 0


def dropped_days_among(tx: sa.Connection, days: Collection[date]) -> list[date]:
    """Return which of the days were dropped, in order; until the transaction ends, no more are."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK)))
    wanted = dropped_days.c.day == sa.any_(sa.cast(sorted(days), sa.ARRAY(sa.Date)))
    found = sa.select(dropped_days.c.day).where(wanted)
    return list(tx.scalars(found.order_by(dropped_days.c.day)))


def change(tx: sa.Connection) -> None:
    """Wait until nobody relies on days to stay whole; nobody begins to until the end."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def mark(tx: sa.Connection, days: Iterable[date], *, now: datetime) -> None:
    """Record that these days are no longer whole."""
    if rows := [{"day": day, "dropped_at": now} for day in days]:
        tx.execute(insert(dropped_days).on_conflict_do_nothing(), rows)


def unmark(tx: sa.Connection, days: Collection[date]) -> None:
    """Record that these days are whole again."""
    tx.execute(sa.delete(dropped_days).where(dropped_days.c.day.in_(days)))


def hold(tx: sa.Connection, days: Iterable[date], *, until: datetime) -> None:
    """Keep the days from being dropped for a while, however old they are."""
    for day in sorted(days):
        held = insert(leases).values(name=f"{_HELD}{day}", holder="import", until=until)
        tx.execute(held.on_conflict_do_update(index_elements=["name"], set_={"until": until}))


def held(tx: sa.Connection, *, now: datetime) -> set[date]:
    """Return the days that are not to be dropped yet."""
    return set(map(date.fromisoformat, held_leases(tx, _HELD, now)))


def forget_holds(tx: sa.Connection, *, now: datetime) -> None:
    """Forget for which days the while is over."""
    ours = leases.c.name.startswith(_HELD, autoescape=True)
    tx.execute(sa.delete(leases).where(ours, leases.c.until <= now))


def days_of_events(tx: sa.Connection, *, before: date | None = None) -> list[DayOfEvents]:
    """Return the days that have a partition of their own, the oldest first."""
    found = tx.execute(sa.text(_PARTITIONS), {"before": before})
    return [DayOfEvents(row.day, row.bytes) for row in found]


def far_days(tx: sa.Connection, *, before: date) -> list[date]:
    """Return the days whose events share the partition of those far from now, in order."""
    return sorted(tx.scalars(sa.text(_OTHER_DAYS), {"at": day_begins(before)}))


def number_of_events(tx: sa.Connection, day: date) -> int:
    """Return how many events a day has."""
    hours = of_day(day)
    query = sa.select(sa.func.count()).select_from(events)
    return tx.scalar(query.where(events.c.time >= hours.begin, events.c.time < hours.end)) or 0


def drop_day(tx: sa.Connection, day: date) -> None:
    """Drop a day's events, wherever they lie.

    The table of all events is locked meanwhile, which takes no longer than a file does to vanish.
    """
    hours = of_day(day)
    in_other = "DELETE FROM events_other WHERE time >= :begin AND time < :end"
    tx.execute(sa.text(in_other), {"begin": hours.begin, "end": hours.end})
    tx.exec_driver_sql(f"DROP TABLE IF EXISTS events_{day:%Y%m%d}")


def known_since(tx: sa.Connection) -> datetime | None:
    """Return the time of the first event there is, None if there is none."""
    found: datetime | None = tx.scalar(sa.select(sa.func.min(events.c.time)))
    return found
