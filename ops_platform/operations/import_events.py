"""Bring days back that were exported, or feed in envelopes that somebody else kept.

A day's own file restores its rows as they were: no alert, no incident and no news come of it. Such
files are all read through before anything is written, and a day counts as whole only when all of
it is there; whoever is killed in between starts again, and what was there already is no harm.

Envelopes go the way of all events, as ``events replay`` takes them: parsed, redacted, never
alerted. Only who imports them can know whether they are all there were of a day.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

from ops_platform.adapters import day_files, event_dumps
from ops_platform.adapters.ledger import day_restoring, history
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.adapters.ledger.patience import change_history
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.errors import PlatformError
from ops_platform.operations.ingest_events import Recorded, record

# As long as somebody needs who brings a day back to look at it.
HELD_FOR = timedelta(days=7)
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held, and how many of its rows, by table, were new; ``day`` if it is a day's."""

    file: Path
    day: date | None
    read: int
    new: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Importer:
    """What an import is done with; ``show`` is told how many rows and envelopes were read."""

    ledger: Ledger
    accounts: Mapping[str, str]
    policy: AlertPolicy
    now: datetime
    show: Callable[[int], None] = lambda _: None

    def import_files(
        self, files: Sequence[Path], *, whole: Collection[date] = ()
    ) -> Iterator[Imported]:
        """Import files and yield what came of each; ``whole`` are days that the envelopes complete.

        Raises:
            PlatformError: A file cannot be read or is damaged; of days' files then none is
                imported.
        """
        if not self.policy.replayed:
            raise ValueError("What is imported must not be alerted.")
        if open_days := [day for day in whole if day >= self.now.date()]:
            raise PlatformError(f"{open_days[0]} is not over yet, so nothing can be all of it.")
        headings = [(path, day_files.heading_of(path)) for path in files]
        for path, heading in headings:
            if heading is not None:
                day_files.verify(path, heading)
        days = {heading.day for _, heading in headings if heading is not None}
        self._hold(days | set(whole))
        read = 0
        for path, heading in headings:
            done = self._dump(path, read) if heading is None else self._day(path, heading, read)
            read += done.read
            yield done
        self._complete(whole)

    def _day(self, path: Path, heading: day_files.Heading, before: int) -> Imported:
        read, new = 0, Counter[str]()
        for table, lines in _batches(day_files.lines_of(path)):
            with self.ledger.transaction() as tx:
                new[table] += day_restoring.restore(tx, table, lines, day=heading.day, now=self.now)
            read += len(lines)
            self.show(before + read)
        self._complete([heading.day])
        return Imported(path, heading.day, read, +new, duplicates=read - new.total())

    def _dump(self, path: Path, before: int) -> Imported:
        done = Recorded()
        bodies = event_dumps.envelopes(path)
        while batch := list(islice(bodies, _BATCH)):
            done += record(
                self.ledger, batch, accounts=self.accounts, policy=self.policy, now=self.now
            )
            self.show(before + done.read)
        new = +Counter({"events": done.new})
        return Imported(path, None, done.read, new, done.duplicates, done.rejected)

    def _hold(self, days: Collection[date]) -> None:
        """Keep the days from being dropped while they are imported, and for a while after."""

        def work(tx: Transaction) -> None:
            history.hold(tx, days, until=self.now + HELD_FOR)

        if days:
            change_history(self.ledger, work)

    def _complete(self, days: Collection[date]) -> None:
        with self.ledger.transaction() as tx:
            history.unmark(tx, days)


def _batches(rows: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, list[bytes]]]:
    for table, group in groupby(rows, itemgetter(0)):
        lines = (line for _, line in group)
        while batch := list(islice(lines, _BATCH)):
            yield table, batch
