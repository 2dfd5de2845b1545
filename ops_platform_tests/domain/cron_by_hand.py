"""EventBridge's cron expressions as plainly as can be: does this minute fit each field?"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_DAY = timedelta(days=1)


def last_due_by_hand(fields: str, before: datetime, *, days: int) -> datetime | None:
    """Walk back minute by minute, for so many days, to the last one that fits."""
    at = before.replace(second=0, microsecond=0)
    while at > before - timedelta(days=days):
        if not _day_fits(fields, at.date()):
            at = at.replace(hour=0, minute=0) - timedelta(minutes=1)
        elif _minute_fits(fields, at):
            return at
        else:
            at -= timedelta(minutes=1)
    return None


def _minute_fits(fields: str, at: datetime) -> bool:
    minute, hour, *_ = fields.split()
    return _fits(minute, at.minute, 59, []) and _fits(hour, at.hour, 23, [])


def _day_fits(fields: str, day: date) -> bool:
    _, _, of_month, month, of_week, year = fields.split()
    if not (_fits(month, day.month, 12, ["", *_MONTHS]) and _fits(year, day.year, 2199, [])):
        return False
    if of_week == "?":
        return any(_day_of_month_fits(item, day) for item in of_month.split(","))
    return any(_day_of_week_fits(item, day) for item in of_week.split(","))


def _day_of_month_fits(item: str, day: date) -> bool:
    last = (day + _DAY).month != day.month
    if item == "L":
        return last
    if item.endswith("W"):
        return day == _nearest_workday(item, day)
    return _fits(item, day.day, 31, [])


def _nearest_workday(item: str, day: date) -> date | None:
    """Return the workday nearest to the one that is meant, in the month of ``day``."""
    month = [each for each in _days_around(day) if each.month == day.month]
    if item == "LW":
        meant = max(month)
    else:
        found = [each for each in month if each.day == int(item.removesuffix("W"))]
        if not found:
            return None
        meant = found[0]
    workdays = [each for each in month if each.isoweekday() <= 5]
    return min(workdays, key=lambda each: abs(each - meant))


def _days_around(day: date) -> Iterator[date]:
    for away in range(-31, 32):
        yield day + away * _DAY


def _day_of_week_fits(item: str, day: date) -> bool:
    weekday = day.isoweekday() % 7 + 1
    names = ["", *_WEEKDAYS]
    if item == "L":
        return weekday == 7
    if item.endswith("L"):
        is_last = (day + 7 * _DAY).month != day.month
        return is_last and _fits(item.removesuffix("L"), weekday, 7, names)
    if "#" in item:
        such, nth = item.split("#")
        return (day.day + 6) // 7 == int(nth) and _fits(such, weekday, 7, names)
    return _fits(item, weekday, 7, names)


def _fits(text: str, value: int, high: int, names: list[str]) -> bool:
    return any(_item_fits(item, value, high, names) for item in text.split(","))


def _item_fits(item: str, value: int, high: int, names: list[str]) -> bool:
    item, _, step = item.partition("/")
    first, _, last = item.partition("-")
    low = 1 if high in {12, 7, 31} else 1970 if high == 2199 else 0
    start = low if first == "*" else _number(first, names)
    end = _number(last, names) if last else high if step or first == "*" else start
    if end < start and value < start:  # around the end of the week, the day, the year
        value += high - low + 1
    reach = end if end >= start else end + high - low + 1
    return start <= value <= reach and (value - start) % int(step or 1) == 0


def _number(text: str, names: list[str]) -> int:
    return names.index(text) if text in names else int(text)
