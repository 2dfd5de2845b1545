"""EventBridge's cron expressions: six fields, a minute at a time, in UTC.

The syntax is that of the "Cron expressions reference" of EventBridge's user guide; the times of an
expression are those at which EventBridge starts what the rule targets.
"""

import re
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

FIRST_YEAR, LAST_YEAR = 1970, 2199
SATURDAY, SUNDAY = 7, 1
_FIELDS = 6
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ITEM = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>[0-9]{1,4}))?")
_NUMBER = re.compile(r"[0-9]{1,4}")
_NEAREST = re.compile(r"(\w+)W")
_LAST_SUCH = re.compile(r"(\w+)L")
_NTH_SUCH = re.compile(r"(\w+)#([1-5])")


class CronSyntaxError(ValueError):
    """An expression is none that EventBridge takes; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class _Month:
    """A month; ``before_first`` weekdays of its first week belong to the month before."""

    before_first: int
    length: int

    @classmethod
    def of(cls, year: int, month: int) -> "_Month":
        monday_based, length = monthrange(year, month)
        return cls((monday_based + 1) % 7, length)

    def weekday(self, day: int) -> int:
        """Return the weekday of a day, from Sunday as 1 to Saturday as 7."""
        return (self.before_first + day - 1) % 7 + 1

    def such(self, weekday: int) -> range:
        """Return the days that are this weekday."""
        return range(1 + (weekday - self.weekday(1)) % 7, self.length + 1, 7)

    def nearest_workday(self, day: int) -> int:
        """Return the day from Monday to Friday that is nearest, within this month."""
        if self.weekday(day) == SATURDAY:
            return day - 1 if day > 1 else day + 2
        if self.weekday(day) == SUNDAY:
            return day + 1 if day < self.length else day - 2
        return day


_Days = Callable[[_Month], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Cron:
    """When something is due: the minutes of a day, and the days of the months of the years."""

    minutes: tuple[int, ...]
    days: tuple[_Days, ...]
    months: frozenset[int]
    years: frozenset[int]

    def last_due(self, before: datetime) -> datetime | None:
        """Return the last time up to this one, or None if there was none since 1970."""
        limit = before.astimezone(UTC)
        for day in self._days_back(limit.date()):
            end = limit.time() if day == limit.date() else time.max
            due = bisect_right(self.minutes, end.hour * 60 + end.minute)
            if due:
                midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
                return midnight + timedelta(minutes=self.minutes[due - 1])
        return None

    def _days_back(self, last: date) -> Iterator[date]:
        for year in sorted((year for year in self.years if year <= last.year), reverse=True):
            for month in sorted(self.months, reverse=True):
                if (year, month) > (last.year, last.month):
                    continue
                for day in sorted(self._days_of(_Month.of(year, month)), reverse=True):
                    if date(year, month, day) <= last:
                        yield date(year, month, day)

    def _days_of(self, month: _Month) -> set[int]:
        named = {day for days in self.days for day in days(month)}
        return {day for day in named if day <= month.length}


@dataclass(frozen=True, slots=True)
class _Field:
    """The values that one field can have, and their names in the order of the values."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def read(self, text: str) -> frozenset[int]:
        """Return the values that a list of numbers, ranges and steps stands for."""
        return frozenset(value for item in text.split(",") for value in self._item(item))

    def value(self, text: str) -> int:
        """Return the value of a number or a name."""
        if text in self.names:
            return self.low + self.names.index(text)
        if _NUMBER.fullmatch(text) and self.low <= int(text) <= self.high:
            return int(text)
        raise CronSyntaxError(f"{text!r} is no {self.name}")

    def _item(self, item: str) -> Iterator[int]:
        match = _ITEM.fullmatch(item)
        step = int(match["step"] or 1) if match else 0
        if match is None or step == 0:
            raise CronSyntaxError(f"{item!r} is no {self.name}")
        first = self.low if match["first"] == "*" else self.value(match["first"])
        if match["last"]:
            last = self.value(match["last"])
        else:
            last = self.high if match["first"] == "*" or match["step"] else first
        count = self.high - self.low + 1
        # FRI-MON goes on at the start of the week.
        for value in range(first, last + 1 + (count if last < first else 0), step):
            yield (value - self.low) % count + self.low


_MINUTE, _HOUR = _Field("minute", 0, 59), _Field("hour", 0, 23)
_DAY = _Field("day of the month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of the week", 1, 7, _WEEKDAYS)
_YEAR = _Field("year", FIRST_YEAR, LAST_YEAR)


def parse_cron(fields: str) -> Cron:
    """Read what stands within the brackets of ``cron(…)``.

    Raises:
        CronSyntaxError: EventBridge would not take it.
    """
    texts = fields.upper().split()
    if len(texts) != _FIELDS:
        raise CronSyntaxError(f"it has {len(texts)} fields, not {_FIELDS}")
    minute, hour, day, month, weekday, year = texts
    if (day == "?") == (weekday == "?"):
        raise CronSyntaxError("one of day of the month and day of the week has to be '?'")
    hours, minutes = _HOUR.read(hour), _MINUTE.read(minute)
    return Cron(
        minutes=tuple(sorted(at * 60 + past for at in hours for past in minutes)),
        days=tuple(
            _day(item) if weekday == "?" else _weekday(item)
            for item in (day if weekday == "?" else weekday).split(",")
        ),
        months=_MONTH.read(month),
        years=_YEAR.read(year),
    )


def _day(item: str) -> _Days:
    if item == "L":
        return lambda month: [month.length]
    if item == "LW":
        return lambda month: [month.nearest_workday(month.length)]
    if match := _NEAREST.fullmatch(item):
        return partial(_nearest_workday, _DAY.value(match[1]))
    days = _DAY.read(item)
    return lambda _: days


def _weekday(item: str) -> _Days:
    if item == "L":
        item = "SAT"  # the last day of the week
    if match := _NTH_SUCH.fullmatch(item):
        return partial(_nth_such, _WEEKDAY.value(match[1]), int(match[2]))
    if match := _LAST_SUCH.fullmatch(item):
        return partial(_nth_such, _WEEKDAY.value(match[1]), 0)
    weekdays = _WEEKDAY.read(item)
    return lambda month: [day for weekday in weekdays for day in month.such(weekday)]


def _nearest_workday(day: int, month: _Month) -> list[int]:
    return [month.nearest_workday(day)] if day <= month.length else []


def _nth_such(weekday: int, nth: int, month: _Month) -> list[int]:
    """Return the nth such day, or the last one for 0."""
    such = month.such(weekday)
    return [such[nth - 1]] if nth <= len(such) else []
