"""Hours that have to be computed anew, because something is known of them that was not before.

A mark is of hours that follow each other. Marks are only ever added and taken away, never changed:
whoever takes in events waits for nobody.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa

from ops_platform.adapters.ledger import rows
from ops_platform.adapters.ledger.schema import marked_hours
from ops_platform.domain.hours import Hours
from ops_platform.domain.metric import Noun

_COLUMNS = ("noun", "hour", "until", "marked_at")
_RUNS = sa.text("""
INSERT INTO marked_hours (noun, hour, until, marked_at)
SELECT DISTINCT :noun, date_bin('1 hour', coalesce(started_at, changed_at), 'epoch'),
  date_bin('1 hour', coalesce(stopped_at, :now), 'epoch') + interval '1 hour',
  CAST(:now AS timestamptz)
FROM unnest(CAST(:accounts AS text[]), CAST(:run_ids AS text[])) AS noted(account, run_id)
JOIN executions USING (account, run_id)
""")


def mark(tx: sa.Connection, marks: Iterable[tuple[Noun, Hours]], now: datetime) -> None:
    """Mark hours, whoever has marked them before."""
    rows.copy(
        tx,
        "marked_hours",
        _COLUMNS,
        ((noun.value, hours.begin, hours.end, now) for noun, hours in marks),
    )


def mark_runs(tx: sa.Connection, noted: Collection[tuple[str, str]], now: datetime) -> None:
    """Mark the hours of runs, by account and id, whose flow or owner is another than before."""
    if noted:
        accounts, run_ids = map(list, zip(*noted, strict=True))
        given = {"noun": Noun.EXECUTIONS.value, "accounts": accounts, "run_ids": run_ids}
        tx.execute(_RUNS, {**given, "now": now})


def marked(tx: sa.Connection, noun: Noun) -> set[datetime]:
    """Return the hours that were marked since they were last computed."""
    query = sa.select(marked_hours.c.hour, marked_hours.c.until).distinct()
    found = tx.execute(query.where(marked_hours.c.noun == noun.value))
    return {hour for begin, end in found for hour in Hours(begin, end)}


def unmark(tx: sa.Connection, noun: Noun, hours: Hours) -> None:
    """Take the marks of hours away, those that this transaction can see."""
    c = marked_hours.c
    touching = (c.noun == noun.value) & (c.hour < hours.end) & (c.until > hours.begin)
    taken = sa.delete(marked_hours).where(touching).returning(c.hour, c.until, c.marked_at)
    left = {
        (noun.value, begin, end, at)
        for first, last, at in tx.execute(taken)
        for begin, end in ((first, hours.begin), (hours.end, last))
        if begin < end
    }
    rows.copy(tx, "marked_hours", _COLUMNS, sorted(left))
