"""The rows of whole hours, computed from what the ledger knows and put in place of those before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.rollups import marks
from ops_platform.adapters.ledger.rollups.compiled import statement
from ops_platform.adapters.ledger.rollups.jobs_sql import ENDS, PREPARE
from ops_platform.adapters.ledger.rollups.other_sql import EXECUTIONS
from ops_platform.adapters.ledger.schema import metrics_hourly, rollups
from ops_platform.domain.hours import HOUR, Hours
from ops_platform.domain.metric import Age, Count, Level, Metric, Noun, Spread, Total, Usage
from ops_platform.domain.prices import Price
from ops_platform.domain.reasons import STALE_MARK
from ops_platform.domain.rollups import stored

HOURLY = "hour"


# What is prepared has no statistics, without which a planner may compare each row with each other.
_PLANNING = ("enable_nestloop = off", "jit = off", "work_mem = '64MB'")


def replace(
    tx: sa.Connection, noun: Noun, hours: Hours, *, prices: Sequence[Price], now: datetime
) -> dict[datetime, int]:
    """Compute the rows of a noun for hours of one day; return how many each hour has.

    The marks of the hours are taken away with it. Those of events that come meanwhile stay: the
    transaction does not see them, nor the events, since it sees the ledger as it was at its start.
    """
    names = [metric.name for metric in stored(noun)]
    span = {"since": hours.begin, "until": hours.end, "now": now}
    for each in _PLANNING:
        tx.execute(sa.text(f"SET LOCAL {each}"))
    marks.unmark(tx, noun, hours)
    mine = metrics_hourly.c.metric.in_(names)
    within = (metrics_hourly.c.hour >= hours.begin) & (metrics_hourly.c.hour < hours.end)
    tx.execute(sa.delete(metrics_hourly).where(mine, within))
    _prepare(tx, noun, span, prices)
    for metric in stored(noun):
        tx.execute(sa.text(statement(metric)), span)
    for metric in stored(noun):
        tx.execute(sa.text(_zeros(metric)), span)
    _note(tx, noun, hours, now)
    counted = (
        sa.select(metrics_hourly.c.hour, sa.func.count())
        .where(mine, within)
        .group_by(metrics_hourly.c.hour)
    )
    return dict.fromkeys(hours, 0) | {row[0]: row[1] for row in tx.execute(counted)}


def _note(tx: sa.Connection, noun: Noun, hours: Hours, now: datetime) -> None:
    values = [
        {
            "grain": HOURLY,
            "noun": noun.value,
            "began": hour,
            "computed_at": now,
            "partial": now < hour + HOUR,
        }
        for hour in hours
    ]
    statement = insert(rollups).values(values)
    told = {name: statement.excluded[name] for name in ("computed_at", "partial")}
    tx.execute(
        statement.on_conflict_do_update(index_elements=["grain", "noun", "began"], set_=told)
    )


def _prepare(tx: sa.Connection, noun: Noun, span: dict[str, Any], prices: Sequence[Price]) -> None:
    if noun is Noun.JOBS:
        for each in PREPARE:
            tx.execute(
                sa.text(each), {**span, "stale_mark": STALE_MARK} if ":since" in each else {}
            )
        _price(tx, prices)
        tx.execute(sa.text(ENDS))
    if noun is Noun.EXECUTIONS:
        tx.execute(sa.text(EXECUTIONS), span)


def _price(tx: sa.Connection, prices: Sequence[Price]) -> None:
    """Give each place its price: that of the longest pattern which its type matches."""
    rows = ", ".join(
        f"(:type{n}, CAST(:vcpu{n} AS numeric), CAST(:gib{n} AS numeric))"
        for n in range(len(prices))
    )
    given = {
        f"{name}{n}": value
        for n, price in enumerate(prices)
        for name, value in (
            ("type", price.instance_type),
            ("vcpu", str(price.vcpu_hour)),
            ("gib", str(price.gib_hour)),
        )
    }
    tx.execute(
        sa.text(f"""
CREATE TEMP TABLE rolled_prices ON COMMIT DROP AS
SELECT DISTINCT ON (place) place, vcpu_hour, gib_hour
FROM (
  SELECT place, instance_type FROM rolled_places UNION SELECT 0, ''
) AS places
JOIN (VALUES {rows}) AS prices(pattern, vcpu_hour, gib_hour)
  ON pattern = instance_type OR (right(pattern, 1) = '*'
    AND starts_with(instance_type, left(pattern, -1)))
ORDER BY place, right(pattern, 1) = '*', length(pattern) DESC
"""),
        given,
    )


_NOTHING = {
    Count: "count) SELECT {}, 0",
    Spread: "count, sum, values) SELECT {}, 0, 0, '{{}}'",
    Total: "sum) SELECT {}, 0",
    Usage: "sum) SELECT {}, 0",
    Level: "last, max, values, at_ms) SELECT {}, 0, 0, '{{}}', '{{}}'",
    Age: "last, max) SELECT {}, 0, 0",
}


def _zeros(metric: Metric) -> str:
    """Return the statement that writes a row of nothing where an hour has none at all."""
    tells = [name for name in ("account",) if name in metric.dimensions]
    tells += [name for name, _ in metric.closed]
    built = ", ".join(f"'{name}', {name}" for name in tells)
    row = f"'{metric.name}', hour, jsonb_build_object({built})"
    closed = "".join(
        f" CROSS JOIN unnest(ARRAY{list(values)}) AS {name}s({name})"
        for name, values in metric.closed
    )
    accounts = " CROSS JOIN LATERAL (" + _ACCOUNTS + ") AS accounts" if "account" in tells else ""
    same = "".join(f" AND dimensions->>'{name}' = {name}" for name in tells)
    columns = _NOTHING[type(metric.how)].format(row)
    return f"""
INSERT INTO metrics_hourly (metric, hour, dimensions, {columns}
FROM generate_series(CAST(:since AS timestamptz), :until - interval '1 hour', '1 hour') AS hour
{accounts}{closed}
WHERE NOT EXISTS (
  SELECT FROM metrics_hourly AS there
  WHERE there.metric = '{metric.name}' AND there.hour = hour.hour{same}
)
"""


# Those that were watched then, and those of which that hour has anything.
_ACCOUNTS = """
SELECT account FROM watched WHERE since < hour + interval '1 hour'
UNION
SELECT DISTINCT there.dimensions->>'account' FROM metrics_hourly AS there
WHERE there.hour = hour.hour AND there.dimensions ? 'account'
"""
