"""Numbers, lengths of time and days, as a sentence has them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

_UNITS: Final = (("day", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_SUFFIXES: Final = {1: "st", 2: "nd", 3: "rd"}
_TEENS: Final = range(10, 20)


def counted(number: int, one: str, many: str) -> str:
    """Return a number with the word for it."""
    return f"{number:,} {one if number == 1 else many}"


def listed(names: Sequence[str], *, most: int = 5) -> str:
    """Return names as a sentence has them: a, b and c, or the first few and how many more."""
    shown = list(names) if len(names) <= most else [*names[:most], f"{len(names) - most:,} more"]
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th."""
    teen = number % 100 in _TEENS
    return f"{number:,}{'th' if teen else _SUFFIXES.get(number % 10, 'th')}"


def duration(length: timedelta) -> str:
    """Return a length of time in its two largest units."""
    return " ".join(_in_units(length))


def roughly(length: timedelta) -> str:
    """Return a length of time in its largest unit."""
    return _in_units(length)[0]


def day(at: datetime, now: datetime) -> str:
    """Return a day, with its year if that is not the present one."""
    year = "" if at.year == now.year else f" {at.year}"
    return f"{at.day} {at:%b}{year}"


def _in_units(length: timedelta) -> list[str]:
    """Return the largest unit there is of it, and the next one if there is any of that."""
    left = max(0, int(length.total_seconds()))
    first = next((at for at, (_, size) in enumerate(_UNITS) if left >= size), len(_UNITS) - 1)
    shown: list[str] = []
    for name, size in _UNITS[first : first + 2]:
        number, left = divmod(left, size)
        plural = "s" if name == "day" and number != 1 else ""
        if number or not shown:
            shown.append(f"{number:,} {name}{plural}")
    return shown
