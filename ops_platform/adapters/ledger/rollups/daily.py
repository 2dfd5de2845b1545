"""The rows of whole days, made of those of their hours."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.schema import metrics_daily, rollups
from ops_platform.domain.hours import day_begins, of_day
from ops_platform.domain.metric import Age, Count, Level, Metric, Noun, Spread
from ops_platform.domain.rollups import stored

DAILY = "day"
_HOURS = "FROM metrics_hourly WHERE metric = '{}' AND hour >= :since AND hour < :until"
_LAST = "coalesce(max(last) FILTER (WHERE hour = :until - interval '1 hour'), 0) AS last"
_OFFSET = "extract(epoch FROM hour - :since)::integer * 1000"


def replace(tx: sa.Connection, noun: Noun, day: date, now: datetime) -> int:
    """Put together the rows of a noun for a day whose hours are complete; return how many."""
    names = [metric.name for metric in stored(noun)]
    hours = of_day(day)
    given = {"day": day, "since": hours.begin, "until": hours.end}
    mine = metrics_daily.c.metric.in_(names) & (metrics_daily.c.day == day)
    tx.execute(sa.delete(metrics_daily).where(mine))
    for metric in stored(noun):
        tx.execute(sa.text(_statement(metric)), given)
    row = {"grain": DAILY, "noun": noun.value, "began": day_begins(day)}
    told = {"computed_at": now, "partial": False}
    tx.execute(
        insert(rollups)
        .values(**row, **told)
        .on_conflict_do_update(index_elements=["grain", "noun", "began"], set_=told)
    )
    return tx.scalar(sa.select(sa.func.count()).where(mine)) or 0


def _statement(metric: Metric) -> str:
    of_hours = _HOURS.format(metric.name)
    match metric.how:
        case Count():
            columns, numbers = "count", "sum(count) AS count"
        case Spread():
            columns = "count, sum, min, max, values"
            numbers = "sum(count) AS count, sum(sum) AS sum, min(min) AS min, max(max) AS max"
        case Level():
            columns = "last, max, values, at_ms"
            numbers = f"{_LAST}, max(max) AS max"
        case Age():
            columns, numbers = "last, max", f"{_LAST}, max(max) AS max"
        case _:
            columns, numbers = "sum", "sum(sum ORDER BY hour) AS sum"
    rows = f"SELECT dimensions, {numbers} {of_hours} GROUP BY dimensions"
    return (
        f"INSERT INTO metrics_daily (metric, day, dimensions, {columns})"
        f" SELECT '{metric.name}', :day, dimensions, {columns} FROM ({rows}) AS summed"
        f"{_listed(metric, of_hours)}"
    )


def _listed(metric: Metric, of_hours: str) -> str:
    """Return the join that brings the lists of the hours together."""
    match metric.how:
        case Spread():
            lists = "unnest(values) AS change(value)"
            listed = _array("value", "value")
        case Level():
            lists = "unnest(values, at_ms) AS change(value, ms)"
            listed = (
                f"{_array('value', 'hour, ms')}, {_array(f'ms + {_OFFSET}', 'hour, ms', 'at_ms')}"
            )
        case _:
            return ""
    source = of_hours.replace("metrics_hourly", f"metrics_hourly LEFT JOIN {lists} ON true", 1)
    return (
        f" JOIN (SELECT dimensions, {listed} {source} GROUP BY dimensions) AS listed"
        " USING (dimensions)"
    )


def _array(each: str, order: str, name: str = "values") -> str:
    there = "FILTER (WHERE value IS NOT NULL)"
    return f"coalesce(array_agg({each} ORDER BY {order}) {there}, '{{}}') AS {name}"
