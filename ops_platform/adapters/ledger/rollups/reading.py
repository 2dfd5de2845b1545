"""Rollups as they are read: summed over all dimensions but those that are asked for.

Rows hold what any grouping can be made of exactly: all values of a spread, all changes of a level.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ops_platform.adapters.ledger.queries import Row, fetch
from ops_platform.adapters.ledger.schema import rollups
from ops_platform.domain.metric import Age, Count, Level, Metric, Spread

_WHERE = Mapping[str, Sequence[str]]
_PERCENTILES = {"p50": 1, "p90": 2, "p99": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows are read: of hours or days from ``begin`` until before ``end``.

    ``by`` are the dimensions that are told apart; ``where`` gives the values that some have.
    """

    begin: datetime
    end: datetime
    by: Sequence[str] = ()
    where: Mapping[str, Sequence[str]] | None = None
    daily: bool = False

    @property
    def column(self) -> str:
        """The column of time."""
        return "day" if self.daily else "hour"


def read(tx: sa.Connection, metric: Metric, wanted: Wanted) -> list[Row]:
    """Return what is stored of a metric: the time, the dimensions asked for, and its numbers.

    Where nothing happened there is no row, or one of zeros.
    """
    query, given = _source(metric, wanted)
    keys = "".join(f", d{number}" for number in range(len(wanted.by)))
    rows = fetch(tx, sa.text(_summed(metric, query, keys)).bindparams(**given))
    names = {f"d{number}": name for number, name in enumerate(wanted.by)}
    return [{names.get(key, key): value for key, value in row.items()} for row in rows]


def computed(
    tx: sa.Connection, *, begin: datetime, end: datetime, grain: str, noun: str | None = None
) -> list[Row]:
    """Return which hours or days were computed, of which nouns and when; in order."""
    c = rollups.c
    query = sa.select(c.noun, c.began, c.computed_at, c.partial).where(
        c.grain == grain, c.began >= begin, c.began < end
    )
    if noun is not None:
        query = query.where(c.noun == noun)
    return fetch(tx, query.order_by(c.began, c.noun))


def _source(metric: Metric, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    table = "metrics_daily" if wanted.daily else "metrics_hourly"
    keys = "".join(
        f", coalesce(dimensions->>'{name}', '') AS d{n}" for n, name in enumerate(wanted.by)
    )
    given: dict[str, Any] = {"metric": metric.name}
    given |= {
        "begin": wanted.begin.date() if wanted.daily else wanted.begin,
        "end": wanted.end.date() if wanted.daily else wanted.end,
    }
    conditions = ""
    for number, (name, values) in enumerate((wanted.where or {}).items()):
        conditions += f" AND coalesce(dimensions->>'{name}', '') = ANY(:only{number})"
        given[f"only{number}"] = list(values)
    told = {"account", *(name for name, _ in metric.closed)}
    if not told.issuperset(wanted.by):
        # A row that says that there was nothing, of no flow and no queue.
        conditions += " AND coalesce(nullif(count, 0), nullif(sum, 0), nullif(max, 0)) IS NOT NULL"
    c = wanted.column
    query = (
        f"SELECT {c} AS began{keys}, count, sum, min, max, last, values, at_ms FROM {table}"
        f" WHERE metric = :metric AND {c} >= :begin AND {c} < :end{conditions}"
    )
    return query, given


def _summed(metric: Metric, query: str, keys: str) -> str:
    by = f"began{keys}"
    match metric.how:
        case Count():
            numbers = "sum(count)::bigint AS count"
        case Spread():
            return _spread(query, by)
        case Level():
            return _level(query, by)
        case Age():
            numbers = "max(last) AS last, max(max) AS max"
        case _:
            numbers = "sum(sum ORDER BY sum) AS sum"
    return f"SELECT {by}, {numbers} FROM ({query}) AS found GROUP BY {by}"


def _spread(query: str, by: str) -> str:
    shares = ", ".join(f"shares[{index}] AS {name}" for name, index in _PERCENTILES.items())
    return f"""
SELECT {by}, count, sum, min, max, {shares} FROM (
  SELECT {by}, count(value) AS count, coalesce(sum(value), 0) AS sum, min(value) AS min,
    max(value) AS max,
    percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY value) AS shares
  FROM (SELECT {by}, value FROM ({query}) AS found LEFT JOIN LATERAL unnest(values) AS value
    ON true) AS each
  GROUP BY {by}
) AS spread
"""


def _level(query: str, by: str) -> str:
    """Walk the changes of all rows of a group together: the most of a sum is not a sum of mosts."""
    return f"""
WITH found AS MATERIALIZED ({query}), opened AS (
  SELECT {by}, sum(last) AS last,
    sum(last - coalesce((SELECT sum(delta) FROM unnest(values) AS delta), 0)) AS level
  FROM found GROUP BY {by}
), changes AS (
  SELECT {by}, ms, sum(delta) AS delta
  FROM found CROSS JOIN LATERAL unnest(values, at_ms) AS change(delta, ms) GROUP BY {by}, ms
), walked AS (
  SELECT {by}, sum(delta) OVER (PARTITION BY {by} ORDER BY ms) AS moved FROM changes
), highest AS (
  SELECT {by}, max(moved) AS moved FROM walked GROUP BY {by}
)
SELECT {by}, last, level + greatest(moved, 0) AS max
FROM opened LEFT JOIN highest USING ({by})
"""
