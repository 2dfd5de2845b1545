"""Compute the metrics of hours and days from what the ledger knows, each replaced as a whole.

An hour of a noun is computed in one transaction that sees the ledger as it was at its start, so the
same events make the same rows, whoever computes them and however often.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.adapters.ledger.history import dropped_days_among
from ops_platform.adapters.ledger.rollups import daily, due, hourly
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.hours import HOUR, Hours, day_begins, hour_of, within_days
from ops_platform.domain.metric import Noun
from ops_platform.domain.prices import Price
from ops_platform.domain.words import counted

NOUNS = tuple(Noun)


@dataclass(frozen=True, slots=True)
class Rolled:
    """An hour or a day of a noun that was computed; ``partial`` while the hour still runs."""

    grain: Literal["hour", "day"]
    noun: Noun
    began: datetime
    rows: int
    partial: bool = False


Show = Callable[[int], None]


def roll_up_hours(
    ledger: Ledger,
    hours: Iterable[datetime],
    nouns: Collection[Noun] = NOUNS,
    *,
    prices: Sequence[Price],
    now: datetime,
    show: Show = lambda _: None,
) -> list[Rolled]:
    """Compute hours anew, a day of them at a time.

    Args:
        ledger: What is known, and where the rows are kept.
        hours: The hours, each by the moment it begins; neighbours or not.
        nouns: Of which metrics.
        prices: What reserved resources are worth.
        now: An hour that still runs is computed as far as it is.
        show: Told how many hours are done so far.

    Raises:
        PlatformError: An hour is still to come, or its events were dropped.
    """
    spans = within_days(hours)
    _refuse_future(spans, now)
    with ledger.transaction() as tx:
        _refuse_dropped(dropped_days_among(tx, {span.begin.date() for span in spans}))
    done: list[Rolled] = []
    for span in spans:
        for noun in nouns:
            done += _hours_of(ledger, noun, span, prices=prices, now=now)
        show(len(done) // max(1, len(nouns)))
    return done


def roll_up_days(
    ledger: Ledger,
    days: Iterable[date],
    nouns: Collection[Noun] = NOUNS,
    *,
    now: datetime,
    show: Show = lambda _: None,
) -> list[Rolled]:
    """Put days together from their hours.

    Raises:
        PlatformError: An hour of a day was not computed whole.
    """
    done: list[Rolled] = []
    for day in sorted(set(days)):
        for noun in nouns:
            with ledger.snapshot(alone=f"rollup of {noun}", beside="history") as tx:
                _refuse_incomplete(due.missing(tx, noun, day), day)
                made = daily.replace(tx, noun, day, now)
            done.append(Rolled("day", noun, day_begins(day), made))
        show(len(done) // max(1, len(nouns)))
    return done


def refresh(
    ledger: Ledger,
    *,
    prices: Sequence[Price],
    now: datetime,
    show: Show = lambda _: None,
) -> list[Rolled]:
    """Compute what is not as the ledger is: hours that were marked, are new or still run, and days.

    A day follows when all its hours are complete.
    """
    done: list[Rolled] = []
    for noun in NOUNS:
        with ledger.transaction() as tx:
            hours = due.hours(tx, noun, now)
            hours -= _of_dropped_days(tx, hours)
        for span in within_days(hours):
            done += _hours_of(ledger, noun, span, prices=prices, now=now)
            show(len(done))
        with ledger.transaction() as tx:
            days = due.days(tx, noun, now)
            days = days.difference(dropped_days_among(tx, days))
        done += roll_up_days(ledger, days, [noun], now=now)
        show(len(done))
    return done


def _hours_of(
    ledger: Ledger, noun: Noun, span: Hours, *, prices: Sequence[Price], now: datetime
) -> list[Rolled]:
    with ledger.snapshot(alone=f"rollup of {noun}", beside="history") as tx:
        _refuse_dropped(dropped_days_among(tx, span.days()))
        made = hourly.replace(tx, noun, span, prices=prices, now=now)
    return [
        Rolled("hour", noun, hour, number, partial=now < hour + HOUR)
        for hour, number in made.items()
    ]


def _of_dropped_days(tx: Transaction, hours: Collection[datetime]) -> set[datetime]:
    dropped = set(dropped_days_among(tx, {hour.date() for hour in hours}))
    return {hour for hour in hours if hour.date() in dropped}


def _refuse_future(spans: Sequence[Hours], now: datetime) -> None:
    if spans and spans[-1].end > hour_of(now) + HOUR:
        last = spans[-1].end - HOUR
        raise PlatformError(f"The hour {last:%Y-%m-%dT%H:00Z} is still to come.")


def _refuse_dropped(dropped: Sequence[date]) -> None:
    if dropped:
        raise PlatformError(
            f"The events of {counted(len(dropped), 'day', 'days')}, the first of them {dropped[0]},"
            " were dropped, so that nothing can be computed of them. Their rollups stay as they"
            " are; `ops-platform events import` brings events back from an export."
        )


def _refuse_incomplete(missing: Sequence[datetime], day: date) -> None:
    if missing:
        raise PlatformError(
            f"The day {day} cannot be put together: its hour {missing[0]:%H:00} was not computed"
            f" whole. Compute it with `ops-platform metrics compute --from {day}`."
        )
