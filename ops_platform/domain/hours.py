"""Whole hours and days of UTC: what rollups are of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours from ``begin`` on until before ``end``, both whole hours of UTC."""

    begin: datetime
    end: datetime

    def __iter__(self) -> Iterator[datetime]:
        at = self.begin
        while at < self.end:
            yield at
            at += HOUR

    def __len__(self) -> int:
        return max(0, (self.end - self.begin) // HOUR)

    def days(self) -> list[date]:
        """Return the days that have any of the hours."""
        return sorted({at.date() for at in self})


def hour_of(at: datetime) -> datetime:
    """Return the hour that a moment is within, as the moment it begins at."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_begins(day: date) -> datetime:
    """Return the moment at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def of_day(day: date) -> Hours:
    """Return the hours of a day."""
    begin = day_begins(day)
    return Hours(begin, begin + DAY)


def within_days(hours: Iterable[datetime]) -> list[Hours]:
    """Return hours as runs of neighbours, none of which reaches into another day."""
    found: list[Hours] = []
    for at in sorted(set(hours)):
        last = found[-1] if found else None
        if last is not None and last.end == at and last.begin.date() == at.date():
            found[-1] = Hours(last.begin, at + HOUR)
        else:
            found.append(Hours(at, at + HOUR))
    return found
