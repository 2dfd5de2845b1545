"""The values of a spread by hour and group, as CloudWatch takes them: each once, with how often."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from ops_platform.adapters.ledger.queries import Row, fetch

EXACT = 10_000
"""An hour of more values tells them to three digits, else it would be too much to send."""


def values(
    tx: sa.Connection, metric: str, by: Sequence[str], *, begin: datetime, end: datetime
) -> list[Row]:
    """Return rows of ``hour``, the dimensions of ``by``, ``value`` and ``times``, in order."""
    keys = "".join(f", d{number}" for number in range(len(by)))
    given = {"metric": metric, "begin": begin, "end": end, "exact": EXACT}
    found = fetch(tx, sa.text(_query(by, keys)).bindparams(**given))
    names = {f"d{number}": name for number, name in enumerate(by)}
    return [{names.get(key, key): value for key, value in row.items()} for row in found]


def _query(by: Sequence[str], keys: str) -> str:
    told = "".join(
        f", coalesce(dimensions->>'{name}', '') AS d{number}" for number, name in enumerate(by)
    )
    return f"""
WITH found AS (
  SELECT hour{told}, values, sum(cardinality(values)) OVER (PARTITION BY hour) AS total
  FROM metrics_hourly WHERE metric = :metric AND hour >= :begin AND hour < :end
), each AS (
  SELECT hour{keys}, CASE WHEN total > :exact AND value >= 1000
    THEN round(value::numeric, 2 - floor(log(value))::int)::double precision
    ELSE value END AS value
  FROM found CROSS JOIN LATERAL unnest(values) AS value
)
SELECT hour{keys}, value, count(*) AS times FROM each
GROUP BY hour{keys}, value ORDER BY hour{keys}, value
"""
