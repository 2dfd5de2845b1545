"""Drop the days that are too old to keep: their events, and the state of what ended within them.

Rollups stay, and so does what would be wrong without the rest (see ``adapters.ledger.pruning``). A
day is recorded as dropped before anything of it goes, so whoever is killed in between leaves
nothing that would be computed as if nothing had happened. Each day and each batch of rows is a
transaction that rather waits itself than makes ingest wait; what was left the next run drops.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ops_platform.adapters.ledger import history, pruning
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.adapters.ledger.patience import BusyError, change_history
from ops_platform.domain.hours import DAY, day_begins

# AWS Batch began on that day: what is told to be older is told wrong.
_FIRST_DAY = date(2016, 12, 1)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one run dropped, or would have, and what it left.

    ``kept_from`` is the first day that is kept; ``held`` are older days that were imported lately,
    ``busy`` those whose events others used all the time; ``rows`` are counted by table.
    """

    kept_from: date
    dropped: tuple[date, ...] = ()
    held: tuple[date, ...] = ()
    busy: tuple[date, ...] = ()
    rows: Counter[str] = field(default_factory=Counter)
    bytes_freed: int = 0
    days: int = 0
    bytes_kept: int = 0
    oldest: date | None = None


@dataclass(slots=True)
class _Keeper:
    """One run at it."""

    ledger: Ledger
    kept_from: date
    now: datetime
    dry_run: bool
    show: Callable[[int], None]
    pause: Callable[[float], None]
    rows: Counter[str] = field(default_factory=Counter)
    marked_since: date = date.max

    def marked(self) -> tuple[list[history.DayOfEvents], set[date]]:
        """Record the days that go, and return them, and those that are held."""
        return change_history(self.ledger, self._mark, pause=self.pause)

    def dropped(self, day: history.DayOfEvents) -> bool:
        """Drop the events of a day; return whether there was a gap in which to do it."""
        with self.ledger.transaction() as tx:
            number = history.number_of_events(tx, day.day)
        if not self.dry_run:
            try:
                change_history(self.ledger, lambda tx: self._drop(tx, day.day), pause=self.pause)
            except BusyError:
                return False
        self.rows["events"] += number
        self._show()
        return True

    def prune(self, table: str, kept_from: date) -> None:
        """Delete the old rows of a table, a batch after the other."""
        place: pruning.Place | None = pruning.Place()
        while place is not None:
            place = change_history(
                self.ledger, self._batch(table, place, day_begins(kept_from)), pause=self.pause
            )
            self._show()

    def _mark(self, tx: Transaction) -> tuple[list[history.DayOfEvents], set[date]]:
        history.forget_holds(tx, now=self.now)
        held = history.held(tx, now=self.now)
        near = history.days_of_events(tx, before=self.kept_from)
        far = history.far_days(tx, before=self.kept_from)
        days = [*map(history.DayOfEvents, far), *near]
        going = [each for each in days if each.day not in held]
        if not self.dry_run:
            history.mark(tx, {each.day for each in going}, now=self.now)
            self._mark_since(tx, min((each.day for each in going), default=self.kept_from))
        return going, held

    def _mark_since(self, tx: Transaction, first: date) -> None:
        """Record all days since then: a job may have run through one of which no event tells."""
        first = max(first, _FIRST_DAY)
        if first < self.marked_since:
            held = history.held(tx, now=self.now)
            days = (day for day in _days(first, self.kept_from) if day not in held)
            history.mark(tx, days, now=self.now)
            self.marked_since = first

    def _drop(self, tx: Transaction, day: date) -> None:
        if day not in history.held(tx, now=self.now):  # imported meanwhile
            history.drop_day(tx, day)

    def _batch(
        self, table: str, after: pruning.Place, kept: datetime
    ) -> Callable[[Transaction], pruning.Place | None]:
        def work(tx: Transaction) -> pruning.Place | None:
            # What was imported meanwhile ended after it: days before the first that is held go.
            first = min(map(day_begins, history.held(tx, now=self.now)), default=kept)
            found = pruning.find(tx, table, after, min(first, kept))
            if not self.dry_run:
                if found.began is not None:
                    self._mark_since(tx, found.began.date())
                pruning.delete(tx, found)
            self.rows[table] += len(found)
            return found.last

        return work

    def _show(self) -> None:
        self.show(self.rows.total())


def kept_since(now: datetime, *, days: int) -> date:
    """Return the first day that is kept, of so many days before today."""
    return (now - timedelta(days=days)).date()


def keep_history(
    ledger: Ledger,
    *,
    kept_from: date,
    now: datetime,
    dry_run: bool = False,
    show: Callable[[int], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Kept:
    """Drop what was before a day of UTC; today is always kept."""
    kept_from = min(kept_from, now.date())
    keeper = _Keeper(ledger, kept_from, now, dry_run, show, pause)
    going, held = keeper.marked()
    busy = [day.day for day in going if not keeper.dropped(day)]
    for table in pruning.TABLES:
        keeper.prune(table, kept_from)
    with ledger.transaction() as tx:
        left = history.days_of_events(tx)
    gone = [day for day in going if day.day not in busy]
    return Kept(
        kept_from=kept_from,
        dropped=tuple(sorted({day.day for day in gone})),
        held=tuple(sorted(day for day in held if day < kept_from)),
        busy=tuple(busy),
        rows=+keeper.rows,
        bytes_freed=sum(day.bytes for day in gone),
        days=len(left),
        bytes_kept=sum(day.bytes for day in left),
        oldest=min((day.day for day in left), default=None),
    )


def _days(first: date, end: date) -> Iterator[date]:
    while first < end:
        yield first
        first += DAY
