"""From the declaration of a metric to the statement that computes it, over facts in milliseconds.

The variables ``since``, ``until`` and ``now`` say which hours, and how far the last one is.
"""

from ops_platform.adapters.ledger.rollups import job_facts, other_facts
from ops_platform.adapters.ledger.rollups.job_facts import HOUR_MS
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

RELATIONS = job_facts.RELATIONS | other_facts.RELATIONS
_USD = 1000 * 1024 * 10**9
# By how much the integers of a fact are larger than what they stand for.
_SCALES = {
    (Facts.RESERVATIONS, "vcpus"): 1000,
    (Facts.RESERVATIONS, "memory_gib"): 1024,
    (Facts.RESERVATIONS, "usd_an_hour"): _USD,
    (Facts.INSTANCES_UP, "vcpus"): 1024,
    (Facts.ATTEMPT_ENDS, "cost_usd"): _USD * HOUR_MS,
}
COLUMNS = ("count", "sum", "min", "max", "last", "values", "at_ms")
_SINCE, _UNTIL, _NOW = (f"getvariable('{name}')" for name in ("since", "until", "now"))
_HOUR = f"moment - (moment - {_SINCE}) % {HOUR_MS}"
_HOURS = f"(SELECT unnest(range({_SINCE}, {_UNTIL}, {HOUR_MS})) AS hour)"
# What lasted no time counts for nothing: its moments are of different exactness.
_LASTED = f"began < {_UNTIL} AND (ended IS NULL OR (ended >= {_SINCE} AND ended > began))"


def statement(metric: Metric) -> str:
    """Return the statement that adds the rows of a metric to the table ``rolled``."""
    rows, columns = _computed(metric)
    listed = ", ".join(columns)
    account = "account" if "account" in metric.dimensions else "''"
    return (
        f"INSERT INTO rolled BY NAME SELECT '{metric.name}' AS metric, hour, {account} AS account,"
        f" {_json(metric.dimensions)} AS dimensions, {listed} FROM ({rows}) AS computed"
        f"{' JOIN dims USING (dim)' if _is_numbered(metric) else ''}"
    )


def _computed(metric: Metric) -> tuple[str, tuple[str, ...]]:
    match metric.how:
        case Count(facts, where):
            return _happened(metric, facts, where, "count(*) AS count"), ("count",)
        case Spread(facts, value, where):
            numbers = (
                f"count(*) AS count, sum({value}) AS sum, min({value}) AS min,"
                f" max({value}) AS max, {_list(value, value)} AS values"
            )
            known = f"{value} IS NOT NULL" + (f" AND {where}" if where else "")
            columns = ("count", "sum", "min", "max", "values")
            return _happened(metric, facts, known, numbers), columns
        case Total(facts, value, where):
            sum_of = f"sum({value}) / {_SCALES.get((facts, value), 1)} AS sum"
            return _happened(metric, facts, where, sum_of), ("sum",)
        case Level(facts, amount):
            return _level(metric, facts, amount), ("last", "max", "values", "at_ms")
        case Age(facts):
            return _age(metric, facts), ("last", "max")
        case Usage(facts, amount):
            return _usage(metric, facts, amount), ("sum",)
        case Ratio():
            raise TypeError(f"{metric.name} is made when it is read.")


def zeros(metric: Metric) -> str:
    """Return the statement that adds a row of nothing where an hour has none at all."""
    tells = [name for name in ("account",) if name in metric.dimensions]
    tells += [name for name, _ in metric.closed]
    nothing = ", ".join(_nothing(metric))
    closed = "".join(
        f" CROSS JOIN (SELECT unnest({list(values)}) AS {name})" for name, values in metric.closed
    )
    source = "seen" if "account" in tells else f"(SELECT hour, '' AS account FROM {_HOURS})"
    json = _json(tuple(tells))
    same = " AND ".join(
        ["there.hour = every.hour", "there.account = every.account"]
        + [f"there.dimensions->>'{name}' = {name}" for name, _ in metric.closed]
    )
    return (
        f"INSERT INTO rolled BY NAME SELECT '{metric.name}' AS metric, hour, account,"
        f" {json} AS dimensions, {nothing} FROM (SELECT * FROM {source}{closed}) AS every"
        f" WHERE NOT EXISTS (SELECT 1 FROM rolled AS there"
        f" WHERE there.metric = '{metric.name}' AND {same})"
    )


def _nothing(metric: Metric) -> tuple[str, ...]:
    match metric.how:
        case Count():
            return ("0 AS count",)
        case Spread():
            return ("0 AS count", "0 AS sum", "'{}' AS values")
        case Level():
            return ("0 AS last", "0 AS max", "'{}' AS values", "'{}' AS at_ms")
        case Age():
            return ("0 AS last", "0 AS max")
        case _:
            return ("0 AS sum",)


def _is_numbered(metric: Metric) -> bool:
    facts = None if isinstance(metric.how, Ratio) else metric.how.facts
    return facts in job_facts.RELATIONS and facts is not Facts.QUEUE_BLOCKS


def _by(metric: Metric, *more: str) -> str:
    """Return the columns that tell the rows of a metric apart."""
    if not _is_numbered(metric):
        return ", ".join((*metric.dimensions, *more))
    return ", ".join(("dim", *(n for n in metric.dimensions if n not in OF_ATTEMPT), *more))


def _json(names: tuple[str, ...]) -> str:
    """Return the object of those dimensions that are known."""
    pairs = ", ".join(f"CASE WHEN {n} <> '' THEN '\"{n}\": ' || to_json({n}) END" for n in names)
    return f"'{{' || concat_ws(', ', {pairs}) || '}}'" if names else "'{}'"


def _list(value: str, order: str, where: str = "") -> str:
    """Return a list as Postgres writes it."""
    listed = f"list({value} ORDER BY {order}){where}"
    return f"'{{' || coalesce(array_to_string({listed}, ','), '') || '}}'"


def _happened(metric: Metric, facts: Facts, where: str | None, numbers: str) -> str:
    condition = f" AND {where}" if where else ""
    return (
        f"SELECT {_by(metric, f'{_HOUR} AS hour')}, {numbers} FROM ({RELATIONS[facts]}) AS facts"
        f" WHERE moment >= {_SINCE} AND moment < {_UNTIL}{condition} GROUP BY {_by(metric, 'hour')}"
    )


def _level(metric: Metric, facts: Facts, amount: str | None) -> str:
    """Walk the changes of each group; at the begin of each hour stands a mark, no change.

    What began before the first hour is there when it opens.
    """
    by, scale = _by(metric), _SCALES.get((facts, str(amount)), 1)
    changed = " FILTER (WHERE mark = 2 AND delta <> 0)"
    return f"""
WITH lasted AS MATERIALIZED (
  SELECT {by}, began, ended, {amount or 1} AS amount FROM ({RELATIONS[facts]}) AS facts
  WHERE {_LASTED}
), changes AS (
  SELECT {by}, greatest(began, {_SINCE}) AS moment, CASE WHEN began < {_SINCE} THEN 0 ELSE 2 END
    AS mark, amount AS delta FROM lasted
  UNION ALL SELECT {by}, ended, 2, -amount FROM lasted WHERE ended < {_UNTIL}
  UNION ALL SELECT {by}, hour, 1, 0 FROM (SELECT DISTINCT {by} FROM lasted) CROSS JOIN {_HOURS}
), summed AS (
  SELECT {by}, moment, mark, sum(delta) AS delta FROM changes GROUP BY ALL
), walked AS (
  SELECT *, sum(delta) OVER (PARTITION BY {by} ORDER BY moment, mark) AS level FROM summed
)
SELECT {_by(metric, f"{_HOUR} AS hour")}, max(level) / {scale} AS max,
  (max(level) FILTER (WHERE mark = 1) + coalesce(sum(delta) FILTER (WHERE mark = 2), 0)) / {scale}
    AS last,
  {_list("delta" if scale == 1 else f"delta / {scale}", "moment", changed)} AS values,
  {_list(f"moment - ({_HOUR})", "moment", changed)} AS at_ms
FROM walked WHERE mark > 0 GROUP BY {_by(metric, "hour")}
HAVING max(level) <> 0 OR bool_or(mark = 2 AND delta <> 0)
"""


def _each_hour(facts: Facts) -> str:
    end = f"hour + {HOUR_MS}"
    return f"""(
  SELECT *, least({end}, {_NOW}) AS until, ended IS NULL OR ended >= {end} AS still
  FROM ({RELATIONS[facts]}) AS facts JOIN {_HOURS} AS hours
    ON began < {end} AND (ended IS NULL OR (ended >= hour AND ended > began))
) AS facts WHERE {_LASTED}"""


def _age(metric: Metric, facts: Facts) -> str:
    return f"""
SELECT {_by(metric, "hour")}, coalesce(max(until - began) FILTER (WHERE still), 0) AS last,
  max(least(ended, until) - began) AS max
FROM {_each_hour(facts)} AND until > began GROUP BY {_by(metric, "hour")}
"""


def _usage(metric: Metric, facts: Facts, amount: str) -> str:
    scale = _SCALES.get((facts, amount), 1) * HOUR_MS
    return f"""
SELECT {_by(metric, "hour")},
  sum({amount} * (least(ended, until) - greatest(began, hour))) / {scale} AS sum
FROM {_each_hour(facts)} AND least(ended, until) > greatest(began, hour)
GROUP BY {_by(metric, "hour")}
"""
