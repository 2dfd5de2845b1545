"""What the lists of jobs, executions, flows and incidents have in common: how they are narrowed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows a list shows; None leaves a column as it is. Newest first, at most ``limit``."""

    account: str | None = None
    status: str | None = None
    flow: str | None = None
    since: datetime | None = None
    limit: int | None = None


def narrowed(
    query: sa.Select[Any],
    wanted: Filter,
    *,
    account: sa.ColumnElement[str],
    flow: sa.ColumnElement[str],
    status: sa.ColumnElement[str],
    at: sa.ColumnElement[datetime],
) -> sa.Select[Any]:
    """Return the query with the filter applied to the columns given."""
    pairs = ((account, wanted.account), (flow, wanted.flow), (status, wanted.status))
    for column, value in pairs:
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(at >= wanted.since)
    return query.order_by(at.desc()).limit(wanted.limit)


def one_of(column: sa.ColumnElement[str], values: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a column holds one of many values, sent as one array."""
    return column == sa.any_(sa.cast(list(values), sa.ARRAY(sa.Text)))


def fetch(tx: sa.Connection, query: sa.Executable) -> list[Row]:
    """Return the rows of a query, or of a change, each by the names of its columns."""
    found = tx.execute(query)
    names = list(map(str, found.keys()))  # plain text: SQLAlchemy has a type of its own for names
    return [dict(zip(names, row, strict=True)) for row in found]
