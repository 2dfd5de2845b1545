"""Compute a period's metrics: its hours, and then the days that have all of theirs."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.history import known_since
from ops_platform.adapters.ledger.rollups import due
from ops_platform.domain.hours import Hours, hour_of
from ops_platform.domain.metric import Noun
from ops_platform.domain.prices import Price
from ops_platform.operations.roll_up_metrics import (
    NOUNS,
    Rolled,
    Show,
    roll_up_days,
    roll_up_hours,
)


def compute_metrics(
    ledger: Ledger,
    hours: Hours,
    nouns: Collection[Noun] = NOUNS,
    *,
    prices: Sequence[Price],
    now: datetime,
    show: Show = lambda _: None,
) -> list[Rolled]:
    """Compute the hours anew, whether or not they were before, and the days that they complete.

    Raises:
        PlatformError: An hour is still to come, or its events were dropped.
    """
    done = roll_up_hours(ledger, hours, nouns, prices=prices, now=now, show=show)
    for noun in nouns:
        done += roll_up_days(ledger, _complete(ledger, noun, hours.days()), [noun], now=now)
    return done


def _complete(ledger: Ledger, noun: Noun, days: Collection[date]) -> list[date]:
    with ledger.transaction() as tx:
        return [day for day in days if not due.missing(tx, noun, day)]


def warning(ledger: Ledger, hours: Hours) -> str | None:
    """Return what the numbers of hours do not tell: that nothing was recorded then."""
    with ledger.transaction() as tx:
        since = known_since(tx)
    if since is None:
        return "No event is recorded: what was computed is zeros because of that alone."
    if hour_of(since) <= hours.begin:
        return None
    return (
        f"The first event is of {since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}: hours before it are"
        " zeros because nothing was recorded, not because nothing happened."
    )
