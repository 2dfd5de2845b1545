"""A ledger opened, emptied, and what is in it, to compare."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotion_tables import WRITTEN_ONCE
from ops_platform.domain.alerts import AlertPolicy
from ops_platform_tests.build import ROUTING

POLICY = AlertPolicy(settle=timedelta(seconds=45), max_age=timedelta(hours=24), routing=ROUTING)
STATE = (
    schema.jobs,
    schema.executions,
    schema.container_instances,
    schema.runs,
    schema.incidents,
)
# What legitimately differs: when and in which order the ledger got to know of something.
_OURS = {"received_at", "seq", "first_seen_at", "last_seen_at", "times"}
Contents = dict[str, list[dict[str, Any]]]


@contextmanager
def open_ledger(url: str) -> Iterator[Ledger]:
    """Open the ledger at an address, and close its connections in the end."""
    ledger = Ledger(url)
    try:
        yield ledger
    finally:
        ledger.close()


def contents(ledger: Ledger) -> Contents:
    """Return every row of events, rejected messages and state, but for what only tells when."""
    tables = (schema.events, schema.rejected_messages, *STATE)
    with ledger.transaction() as tx:
        return {table.name: _rows(tx, table) for table in tables}


def alerts(ledger: Ledger) -> list[dict[str, Any]]:
    """Return the alerts, oldest first."""
    with ledger.transaction() as tx:
        found = tx.execute(sa.select(schema.alerts).order_by(schema.alerts.c.id))
        return [dict(row) for row in found.mappings()]


def empty(ledger: Ledger) -> None:
    """Forget everything, quicker than with a new database."""
    with ledger.transaction() as tx:
        _empty_the_record(tx)
        for table in reversed(schema.metadata.sorted_tables):
            if table not in WRITTEN_ONCE:
                tx.execute(sa.delete(table))


def _empty_the_record(tx: sa.Connection) -> None:
    """Forget what Postgres lets nobody delete; rarely there, since it is slow."""
    if any(tx.execute(sa.select(sa.exists(sa.select(each)))).scalar() for each in WRITTEN_ONCE):
        names = ", ".join(each.name for each in WRITTEN_ONCE)
        tx.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))


def _rows(tx: sa.Connection, table: sa.Table) -> list[dict[str, Any]]:
    shown = [column for column in table.columns if column.name not in _OURS]
    ordered = sa.select(*shown).order_by(*table.primary_key.columns)
    return [dict(row) for row in tx.execute(ordered).mappings()]
