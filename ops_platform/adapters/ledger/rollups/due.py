"""Which hours and days are not as the ledger is."""

from datetime import date, datetime

import sqlalchemy as sa

from ops_platform.adapters.ledger.rollups.daily import DAILY
from ops_platform.adapters.ledger.rollups.hourly import HOURLY
from ops_platform.adapters.ledger.rollups.marks import marked
from ops_platform.adapters.ledger.schema import rollups
from ops_platform.domain.hours import Hours, hour_of, of_day
from ops_platform.domain.metric import Noun


def hours(tx: sa.Connection, noun: Noun, now: datetime) -> set[datetime]:
    """Return the hours to compute: marked, computed before they were over, or new; and this one.

    Of a day of which any hour was computed or marked, those before it are new too, so that the day
    can be put together.
    """
    this, changed = hour_of(now), marked(tx, noun)
    c = rollups.c
    query = sa.select(c.began, c.partial).where(c.grain == HOURLY, c.noun == noun.value)
    is_partial = {began: partial for began, partial in tx.execute(query) if began <= this}
    complete = {began for began, partial in is_partial.items() if not partial}
    new = Hours(max(is_partial), this) if is_partial else Hours(this, this)
    begun = {hour.date() for hour in (*is_partial, *changed, *new, this)}
    of_days = {hour for day in begun for hour in of_day(day)}
    return {hour for hour in (of_days - complete) | changed if hour <= this}


def days(tx: sa.Connection, noun: Noun, now: datetime) -> set[date]:
    """Return the days to put together: over, of complete hours, and older than one of these."""
    c, day = rollups.c, rollups.alias("day")
    began = sa.func.date_trunc("day", c.began)
    complete = (
        sa.select(began.label("began"), sa.func.max(c.computed_at).label("computed_at"))
        .where(c.grain == HOURLY, c.noun == noun.value, ~c.partial, c.began < now)
        .group_by(began)
        .having(sa.func.count() == len(of_day(now.date())))
        .subquery()
    )
    same = (day.c.grain == DAILY) & (day.c.noun == noun.value) & (day.c.began == complete.c.began)
    older = day.c.computed_at.is_(None) | (day.c.computed_at < complete.c.computed_at)
    query = sa.select(complete.c.began).select_from(complete.outerjoin(day, same)).where(older)
    return {moment.date() for moment in tx.scalars(query)}


def missing(tx: sa.Connection, noun: Noun, day: date) -> list[datetime]:
    """Return the hours of a day that were not computed whole."""
    wanted, c = of_day(day), rollups.c
    query = sa.select(c.began).where(
        c.grain == HOURLY,
        c.noun == noun.value,
        ~c.partial,
        c.began >= wanted.begin,
        c.began < wanted.end,
    )
    known = set(tx.scalars(query))
    return [hour for hour in wanted if hour not in known]
