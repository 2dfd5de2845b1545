"""The options that give a period, in whole hours or days of UTC."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import TypedDict

import click

from ops_platform.cli.filters import Command, moment
from ops_platform.domain.hours import DAY, HOUR, Hours, day_begins, hour_of
from ops_platform.domain.words import counted

# Batch began in 2016; and a time near the ends of the calendar has no neighbours to count to.
_YEARS = range(2016, 9000)
_MOST_SPANS = 5


def _time(text: str) -> datetime:
    found = moment(text)
    if found.year not in _YEARS:
        raise click.BadParameter(f"{text!r} is not from {_YEARS[0]} or later.")
    return found


_OPTIONS = (
    click.option(
        "--from",
        "since",
        type=_time,
        metavar="TIME",
        help="The first hour: a time within it, or 30m, 2h, 7d ago.  [default: the last 24 hours]",
    ),
    click.option(
        "--to",
        "until",
        type=_time,
        metavar="TIME",
        help="Until here, and then to the end of the hour.  [default: now]",
    ),
)


class Period(TypedDict):
    """What the options give."""

    since: datetime | None
    until: datetime | None


def period_options(command: Command) -> Command:
    """Give a command the options; it takes them as keyword arguments for the functions below."""
    return reduce(lambda given, option: option(given), reversed(_OPTIONS), command)


def hours_of(given: Period, now: datetime) -> Hours:
    """Return the hours that the options ask for, at most up to the one that runs.

    Raises:
        click.UsageError: There is none.
    """
    _refuse(given, now)
    end = _upwards(min(given["until"] or now, now), HOUR)
    return _checked(given["since"] or end - DAY, end, HOUR)


def days_of(given: Period, now: datetime) -> Hours:
    """Return the hours of the days that the options ask for, of those that are over.

    Without them it is the last week.

    Raises:
        click.UsageError: There is none.
    """
    _refuse(given, now)
    today = day_begins(now.astimezone(UTC).date())
    end = min(_upwards(min(given["until"] or now, now), DAY), today)
    return _checked(given["since"] or end - 7 * DAY, end, DAY)


def written(at: datetime | date) -> str:
    """Return an hour or a day as all output about metrics writes it."""
    if isinstance(at, datetime):
        return f"{at.astimezone(UTC):%Y-%m-%dT%H:00:00Z}"
    return f"{at:%Y-%m-%d}"


def say_missing(missing: Iterable[datetime], length: timedelta, asked: Hours) -> None:
    """Say on standard error what was not computed, and which command computes it."""
    spans = _spans(missing, length)
    if not spans:
        return
    number = sum((end - begin) // length for begin, end in spans)
    named = ", ".join(f"{written(begin)} to {written(end)}" for begin, end in spans[:_MOST_SPANS])
    more = ", and others" if len(spans) > _MOST_SPANS else ""
    what = counted(number, *(("day", "days") if length == DAY else ("hour", "hours")))
    there = "None" if number * length == asked.end - asked.begin else "Not all"
    click.echo(f"{there} of it is computed. {what} missing: {named}{more}.", err=True)
    begin, end = written(spans[0][0]), written(spans[-1][1])
    click.echo(f"Compute it: ops-platform metrics compute --from {begin} --to {end}", err=True)


def _refuse(given: Period, now: datetime) -> None:
    since, until = given["since"], given["until"]
    if since and until and until < since:
        raise click.UsageError("--to is before --from.")
    if since and since > now:
        raise click.UsageError(
            f"--from is still to come; it is {now.astimezone(UTC):%Y-%m-%dT%H:%MZ}."
        )


def _checked(begin: datetime, end: datetime, length: timedelta) -> Hours:
    first = _downwards(begin, length)
    if first >= end:
        what = "day that is over" if length == DAY else "hour that has begun"
        raise click.UsageError(f"There is no {what} from {written(first)} to {written(end)}.")
    return Hours(first, end)


def _downwards(at: datetime, length: timedelta) -> datetime:
    return hour_of(at) if length == HOUR else day_begins(at.astimezone(UTC).date())


def _upwards(at: datetime, length: timedelta) -> datetime:
    begun = _downwards(at, length)
    return begun if begun == at else begun + length


def _spans(begun: Iterable[datetime], length: timedelta) -> list[tuple[datetime, datetime]]:
    spans: list[tuple[datetime, datetime]] = []
    for at in sorted(begun):
        if spans and spans[-1][1] == at:
            spans[-1] = (spans[-1][0], at + length)
        else:
            spans.append((at, at + length))
    return spans
