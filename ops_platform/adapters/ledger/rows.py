"""Many rows at once: COPY into a table, and COPY with an upsert behind it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec
import sqlalchemy as sa

if TYPE_CHECKING:
    import psycopg

# The driver is imported where it is used: loading the code location must not pay for it.
# ruff: noqa: PLC0415

encode = msgspec.json.Encoder().encode


def as_json(value: object) -> str:
    """Return a value as the text of a JSON column."""
    return encode(value).decode()


def copy(
    tx: sa.Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Append rows to a table, as fast as Postgres takes them."""
    from psycopg import sql

    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with _driver(tx).cursor().copy(statement) as out:
        for row in rows:
            out.write_row(row)


def copied(tx: sa.Connection, query: str) -> Iterator[bytes]:
    """Yield the one column, a text or JSON, of a query of ours, as fast as Postgres gives it."""
    from psycopg import sql

    statement = sql.SQL("COPY ({}) TO STDOUT").format(sql.SQL(query))
    with _driver(tx).cursor().copy(statement) as out:
        for (value,) in out.rows():
            yield value.encode()


def upsert(
    tx: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Insert rows, or overwrite the given columns of those whose primary key exists."""
    from psycopg import sql

    incoming = f"incoming_{table.name}"
    names = {
        "table": sql.Identifier(table.name),
        "incoming": sql.Identifier(incoming),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "key": sql.SQL(", ").join(sql.Identifier(column.name) for column in table.primary_key),
        "assignments": sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in columns
        ),
    }
    connection = _driver(tx)
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE IF NOT EXISTS {incoming} ON COMMIT DELETE ROWS"
            " AS SELECT {columns} FROM {table} WITH NO DATA"
        ).format(**names)
    )
    copy(tx, incoming, columns, rows)
    connection.execute(
        sql.SQL(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM {incoming}"
            " ON CONFLICT ({key}) DO UPDATE SET {assignments}"
        ).format(**names)
    )


def lock(tx: sa.Connection, name: str) -> None:
    """Wait until no other transaction holds the lock of this name; commit releases it."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))


def _driver(tx: sa.Connection) -> "psycopg.Connection[Any]":
    return cast("psycopg.Connection[Any]", tx.connection.driver_connection)
