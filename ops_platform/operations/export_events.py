"""Write days of the ledger into files, from which ``import_events`` can bring them back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from ops_platform.adapters import day_files
from ops_platform.adapters.ledger import day_rows, history
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.hours import DAY


@dataclass(frozen=True, slots=True)
class Exported:
    """A day's file; ``rows`` are counted by table."""

    day: date
    file: Path
    rows: dict[str, int]
    bytes: int


def days_between(first: date, last: date) -> list[date]:
    """Return the days from the first to the last, both included."""
    return [first + DAY * number for number in range((last - first).days + 1)]


def export_events(
    ledger: Ledger,
    days: Sequence[date],
    directory: Path,
    *,
    now: datetime,
    force: bool = False,
    show: Callable[[int], None] = lambda _: None,
) -> Iterator[Exported]:
    """Write a file for each day, and yield what was written.

    Raises:
        PlatformError: A day is not over, or was dropped, or has a file that is not to be replaced;
            then nothing is written.
    """
    _check(ledger, days, directory, now=now, force=force)
    shown = 0

    def counted(rows: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        nonlocal shown
        for row in rows:
            yield row
            shown += 1
            show(shown)

    for day in days:
        path = directory / day_files.name_of(day)
        with ledger.snapshot(alone=f"export of {day}", beside=history.NAME) as tx:
            _refuse_dropped(tx, [day])
            heading = day_files.write(path, day, counted(day_rows.read(tx, day)))
        yield Exported(day, path, heading.rows, path.stat().st_size)


def _check(
    ledger: Ledger, days: Sequence[date], directory: Path, *, now: datetime, force: bool
) -> None:
    unfinished = [day for day in days if day >= now.date()]
    if unfinished:
        raise PlatformError(f"{unfinished[0]} is not over yet; export it tomorrow.")
    with ledger.transaction() as tx:
        _refuse_dropped(tx, days)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PlatformError(f"{directory} is no folder to write to: {error.strerror}.") from error
    there = [path for day in days if (path := directory / day_files.name_of(day)).exists()]
    if there and not force:
        raise PlatformError(f"{there[0]} exists; --force replaces it.")


def _refuse_dropped(tx: Transaction, days: Sequence[date]) -> None:
    if dropped := history.dropped_days_among(tx, days):
        raise PlatformError(
            f"The events of {dropped[0]} were dropped, so there is nothing whole to export."
        )
