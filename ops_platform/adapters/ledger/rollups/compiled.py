"""From the declaration of a metric to the statement that computes it.

Sums are of exact numbers, so that the same facts make the same rows in whatever order they lie.
"""

from ops_platform.adapters.ledger.rollups.jobs_sql import RELATIONS as OF_JOBS
from ops_platform.adapters.ledger.rollups.other_sql import RELATIONS as OF_OTHERS
from ops_platform.domain.job_rollups import OF_ATTEMPT
from ops_platform.domain.metric import (
    Age,
    Count,
    Facts,
    Level,
    Metric,
    Ratio,
    Spread,
    Total,
    Usage,
)

_IN_HOURS = "at >= :since AND at < :until"
_HOUR = "date_bin('1 hour', at, :since)"
# What lasted no time counts for nothing: its moments are of different exactness.
_LASTED = "began < :until AND (ended IS NULL OR (ended >= :since AND ended > began))"


def statement(metric: Metric) -> str:
    """Return the statement that writes the rows of a metric for the hours from since to until."""
    match metric.how:
        case Count(facts, where):
            rows = _happened(metric, facts, where, "count(*) AS count", "")
            columns = "count"
        case Spread(facts, value, where):
            numbers = (
                f"count(*) AS count, sum({value}) AS sum, min({value}) AS min,"
                f" max({value}) AS max, array_agg({value}::double precision ORDER BY {value})"
                " AS values"
            )
            rows = _happened(metric, facts, where, numbers, f" AND {value} IS NOT NULL")
            columns = "count, sum, min, max, values"
        case Total(facts, value, where):
            rows, columns = _happened(metric, facts, where, f"sum({value}) AS sum", ""), "sum"
        case Level(facts, amount):
            rows, columns = _level(metric, facts, amount or "1"), "last, max, values, at_ms"
        case Age(facts):
            rows, columns = _age(metric, facts), "last, max"
        case Usage(facts, amount):
            rows, columns = _usage(metric, facts, amount), "sum"
        case Ratio():
            raise TypeError(f"{metric.name} is made when it is read.")
    return (
        f"INSERT INTO metrics_hourly (metric, hour, dimensions, {columns})"
        f" SELECT '{metric.name}', hour, {_dimensions(metric)}, {columns} FROM ({rows}) AS rolled"
        f"{_named(metric)}"
    )


def relation(facts: Facts) -> str:
    """Return the query of facts."""
    return OF_JOBS[facts] if facts in OF_JOBS else OF_OTHERS[facts]


def _grouped(metric: Metric) -> tuple[str, ...]:
    """Return the columns that tell the rows of a metric apart."""
    if not _is_numbered(metric):
        return metric.dimensions
    return ("dim", *(name for name in metric.dimensions if name not in OF_ATTEMPT))


def _is_numbered(metric: Metric) -> bool:
    return not isinstance(metric.how, Ratio) and metric.how.facts in OF_JOBS


def _dimensions(metric: Metric) -> str:
    own = [name for name in _grouped(metric) if name != "dim"]
    pairs = ", ".join(f"'{name}', nullif({name}, '')" for name in own)
    built = f"jsonb_strip_nulls(jsonb_build_object({pairs}))"
    if not _is_numbered(metric):
        return built
    return f"dims.dimensions || {built}" if own else "dims.dimensions"


def _named(metric: Metric) -> str:
    return " JOIN rolled_dims AS dims USING (dim)" if _is_numbered(metric) else ""


def _by(metric: Metric, *more: str) -> str:
    return ", ".join((*_grouped(metric), *more))


def _happened(metric: Metric, facts: Facts, where: str | None, numbers: str, known: str) -> str:
    condition = f" AND {where}" if where else ""
    by = _by(metric, "hour")
    return (
        f"SELECT {_by(metric, f'{_HOUR} AS hour')}, {numbers} FROM ({relation(facts)}) AS facts"
        f" WHERE {_IN_HOURS}{known}{condition} GROUP BY {by}"
    )


def _level(metric: Metric, facts: Facts, amount: str) -> str:
    """Walk the changes of each group: at the begin of each hour stands a mark that changes nothing.

    What began before the first hour is there when it opens.
    """
    by = _by(metric)
    return f"""
WITH lasted AS MATERIALIZED (
  SELECT {_by(metric, "began", "ended")}, {amount}::numeric AS amount
  FROM ({relation(facts)}) AS facts WHERE {_LASTED}
), changes AS (
  SELECT {by}, greatest(began, :since) AS at, CASE WHEN began < :since THEN 0 ELSE 2 END AS mark,
    amount AS delta FROM lasted
  UNION ALL SELECT {by}, ended, 2, -amount FROM lasted WHERE ended < :until
  UNION ALL SELECT {by}, hour, 1, 0 FROM (SELECT DISTINCT {by} FROM lasted) AS every
    CROSS JOIN generate_series(CAST(:since AS timestamptz), :until - interval '1 hour', '1 hour')
      AS hour
), summed AS (
  SELECT {by}, at, mark, sum(delta) AS delta FROM changes GROUP BY {by}, at, mark
), walked AS (
  SELECT {by}, at, mark, delta, sum(delta) OVER (PARTITION BY {by} ORDER BY at, mark) AS level
  FROM summed
)
SELECT {_by(metric, f"{_HOUR} AS hour")}, max(level) AS max,
  (array_agg(level ORDER BY at DESC, mark DESC))[1] AS last,
  coalesce(array_agg(delta::double precision ORDER BY at) FILTER (WHERE mark = 2 AND delta <> 0),
    '{{}}') AS values,
  coalesce(array_agg((extract(epoch FROM at - {_HOUR}) * 1000)::integer ORDER BY at)
    FILTER (WHERE mark = 2 AND delta <> 0), '{{}}') AS at_ms
FROM walked WHERE mark > 0 GROUP BY {_by(metric, "hour")}
HAVING max(level) <> 0 OR bool_or(mark = 2 AND delta <> 0)
"""


def _each_hour(facts: Facts) -> str:
    return f"""({relation(facts)}) AS facts
JOIN generate_series(CAST(:since AS timestamptz), :until - interval '1 hour', '1 hour') AS hour
  ON began < hour + interval '1 hour' AND (ended IS NULL OR (ended >= hour AND ended > began))
CROSS JOIN LATERAL (SELECT least(hour + interval '1 hour', :now) AS until) AS span
"""


def _age(metric: Metric, facts: Facts) -> str:
    still = "ended IS NULL OR ended >= hour + interval '1 hour'"
    return f"""
SELECT {_by(metric, "hour")},
  coalesce(max(floor(extract(epoch FROM span.until - began) * 1000)) FILTER (WHERE {still}), 0)
    AS last,
  max(floor(extract(epoch FROM least(ended, span.until) - began) * 1000)) AS max
FROM {_each_hour(facts)} WHERE {_LASTED} AND span.until > began GROUP BY {_by(metric, "hour")}
"""


def _usage(metric: Metric, facts: Facts, amount: str) -> str:
    return f"""
SELECT {_by(metric, "hour")}, sum({amount}::numeric
  * extract(epoch FROM least(ended, span.until) - greatest(began, hour)) / 3600) AS sum
FROM {_each_hour(facts)} WHERE {_LASTED} AND least(ended, span.until) > greatest(began, hour)
GROUP BY {_by(metric, "hour")}
"""
