"""DuckDB, which computes what was taken out of Postgres, in memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from ops_platform.adapters.ledger.rollups.taken import Taken

if TYPE_CHECKING:
    import duckdb
    import psycopg

# Beyond it the engine goes on in files; an hour of a million events takes about a third.
_MEMORY = "1GB"
_CHUNK = 1 << 20


class Engine:
    """An engine of one computation, and the folder in which rows pass in and out."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection", folder: Path) -> None:
        self._connection = connection
        self._folder = folder

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Execute a statement."""
        self._connection.execute(statement, values)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self._connection.execute(query).fetchall()

    def take(self, tx: sa.Connection, taken: Taken, given: dict[str, Any]) -> None:
        """Make a table of what a query finds in Postgres."""
        path = self._folder / taken.table
        copied = f"COPY ({taken.query}) TO STDOUT (FORMAT csv)"
        with _driver(tx).cursor().copy(copied, given) as rows, path.open("wb") as file:
            for each in rows:
                file.write(each)
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in taken.columns)
        self.run(
            f"CREATE TABLE {taken.table} AS SELECT * FROM read_csv(?, header = false,"
            " auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '',"
            f" allow_quoted_nulls = false, columns = {{{types}}})",
            [str(path)],
        )
        path.unlink()

    def give(self, tx: sa.Connection, query: str, table: str, columns: Sequence[str]) -> None:
        """Append what a query finds to a table of Postgres."""
        path = self._folder / table
        self.run(f"COPY ({query}) TO '{path}' (FORMAT csv, HEADER false)")
        copied = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
        with _driver(tx).cursor().copy(copied) as rows, path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                rows.write(chunk)
        path.unlink()


@contextmanager
def running() -> Iterator[Engine]:
    """Run an engine."""
    # Imported where it is used: loading the code location must not pay for it.
    import duckdb  # noqa: PLC0415

    with TemporaryDirectory(prefix="rollups-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "temp_directory": folder,
            "autoinstall_known_extensions": "false",
        }
        with duckdb.connect(":memory:", config=config) as connection:
            yield Engine(connection, Path(folder))


def _driver(tx: sa.Connection) -> "psycopg.Connection[Any]":
    return cast("psycopg.Connection[Any]", tx.connection.driver_connection)
