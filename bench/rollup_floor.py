"""The floor of the rollups: the same numbers by DuckDB alone, which has the rows already.

Its queries are written apart from ours and must find what the ledger was given. They keep no values
to group anew by, write nothing, and know none of the rare cases.
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from bench.rollup_floor_queries import QUERIES, TRIED
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.hours import Hours
from ops_platform.domain.prices import Price

if TYPE_CHECKING:
    import duckdb
    import psycopg

_SOURCES = {
    "events": "SELECT account, kind, time, received_at FROM events",
    "hosts": """
SELECT instance_arn, instance_type, availability_zone,
  split_part(cluster, '_Batch', 1) AS compute_environment
FROM container_instances""",
    "runs": "SELECT account, project, branch, flow, status, started_at, stopped_at FROM executions",
    "listed": """
SELECT account, queue, definition, flow, step, owner, job_id, status, created_at, stopped_at,
  vcpus, memory_mib, container_instance, to_json(runnable_ats) AS runnables,
  to_json(starting_ats) AS startings, to_json(running_ats) AS runnings, attempts
FROM jobs""",
}
_JOBS = """
CREATE TABLE jobs AS SELECT * REPLACE (
  from_json(runnables, '["TIMESTAMPTZ"]') AS runnables,
  from_json(startings, '["TIMESTAMPTZ"]') AS startings,
  from_json(runnings, '["TIMESTAMPTZ"]') AS runnings,
  from_json(attempts, '[{"started_at": "TIMESTAMPTZ", "stopped_at": "TIMESTAMPTZ",
    "container_instance": "VARCHAR"}]') AS attempts)
FROM listed
"""
# Rows of nothing, which say that an hour was computed, are no groups.
_KEPT = """
SELECT metric, count(*), sum(coalesce(count, 0)), sum(coalesce(sum, last, 0)) FROM metrics_hourly
WHERE coalesce(nullif(count, 0), nullif(sum, 0), nullif(max, 0)) IS NOT NULL GROUP BY metric
"""


class Floor:
    """DuckDB with the rows of a ledger, and what it finds in an hour of them."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        self._connection = connection

    def seconds(self) -> float:
        """Return how long it takes to compute everything once."""
        started = time.perf_counter()
        self._connection.execute(TRIED)
        for name, query in QUERIES.items():
            self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS {query}")
        return time.perf_counter() - started

    def differing(self, ledger: Ledger) -> list[str]:
        """Return the metrics of which the ledger has other totals, or another number of groups."""
        with ledger.transaction() as tx:
            kept = {name: numbers for name, *numbers in tx.execute(sa.text(_KEPT))}
        return [name for name in QUERIES if not _near(self._totals(name), kept.get(name, ()))]

    def _totals(self, name: str) -> Sequence[float | None]:
        query = f"SELECT count(*), sum(times), sum(total) FROM {name} WHERE times > 0 OR most > 0"
        (row,) = self._connection.execute(query).fetchall()
        return row


@contextmanager
def loaded(ledger: Ledger, hours: Hours, price: Price) -> Iterator[Floor]:
    """Take the rows of a ledger, which is no part of what is measured."""
    # Imported where it is used: other benchmarks must not pay for it.
    import duckdb  # noqa: PLC0415

    with TemporaryDirectory() as folder, duckdb.connect(":memory:") as connection:
        with ledger.transaction() as tx:
            for table, query in _SOURCES.items():
                path = Path(folder) / table
                _copy(tx, query, path)
                read = f"read_csv('{path}', sample_size = -1)"
                connection.execute(f"CREATE TABLE {table} AS SELECT * FROM {read}")
        connection.execute(_JOBS)
        given = {"vcpu_hour": price.vcpu_hour, "gib_hour": price.gib_hour}
        moments = (("since", hours.begin), ("until", hours.end))
        for name, value in (*moments, *given.items()):
            connection.execute(f"SET VARIABLE {name} = ?", [value])
        yield Floor(connection)


def _near(mine: Sequence[float | None], theirs: Sequence[float | None]) -> bool:
    return len(mine) == len(theirs) and all(
        math.isclose(one or 0, other or 0, rel_tol=1e-9)
        for one, other in zip(mine, theirs, strict=True)
    )


def _copy(tx: sa.Connection, query: str, path: Path) -> None:
    connection = cast("psycopg.Connection[Any]", tx.connection.driver_connection)
    copied = connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)")
    with copied as rows, path.open("wb") as file:
        for each in rows:
            file.write(each)
