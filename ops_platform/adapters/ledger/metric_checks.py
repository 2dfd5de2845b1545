"""Questions that tell whether rollups can be right: each returns the rows that cannot.

Asked of hours that are complete and not marked, in one statement, so that what is ingested
meanwhile is no mistake. Of a day whose events were dropped nothing can be counted anew.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ops_platform.adapters.ledger.queries import Row, fetch
from ops_platform.domain.metric import Level, Noun, Spread
from ops_platform.domain.rollups import stored

MOST = 1000
# An event may tell a state anew that an earlier event told.
_BEFORE = timedelta(days=2)
_SETTLED = """
settled AS (
  SELECT began AS hour FROM rollups
  WHERE grain = 'hour' AND noun = :noun AND NOT partial AND began = ANY(:hours)
    AND NOT EXISTS (SELECT FROM marked_hours AS mark
      WHERE mark.noun = :noun AND mark.hour <= began AND mark.until > began)
    AND NOT EXISTS (SELECT FROM dropped_days WHERE day = (began AT TIME ZONE 'UTC')::date)
)
"""
_DIFFERING = """
, recounted AS (
  SELECT date_bin('1 hour', at, 'epoch') AS hour, account, what, count(*) AS number
  FROM told WHERE at >= :first GROUP BY 1, 2, 3
), kept AS (
  SELECT hour, dimensions->>'account' AS account, dimensions->>'{dimension}' AS what,
    sum(count) AS number
  FROM metrics_hourly WHERE metric = '{metric}' AND hour = ANY(:hours) GROUP BY 1, 2, 3
)
SELECT hour, account, what, coalesce(kept.number, 0)::bigint AS rolled,
  coalesce(recounted.number, 0) AS told
FROM kept FULL JOIN recounted USING (hour, account, what)
WHERE hour IN (SELECT hour FROM settled)
  AND coalesce(kept.number, 0) <> coalesce(recounted.number, 0)
ORDER BY hour, account, what LIMIT :most
"""
_JOBS = """
, told AS (
  SELECT account, status AS what,
    min(CASE WHEN status = 'RUNNING' THEN coalesce(started_at, time) ELSE time END) AS at
  FROM events
  WHERE kind = 'job' AND time >= :since AND array_size IS NULL
    AND status IN ('SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING')
    AND (status = 'RUNNING' OR NOT starts_with(event_id, 'api:'))
  GROUP BY account, job_id, status, CASE WHEN status IN ('SUBMITTED', 'PENDING') THEN 0
    ELSE jsonb_array_length(coalesce(attempts, '[]')) END
  UNION ALL
  SELECT account, status, at FROM (
    SELECT DISTINCT ON (account, job_id) account, status, coalesce(stopped_at, time) AS at
    FROM events
    WHERE kind = 'job' AND time >= :since AND array_size IS NULL
      AND status IN ('SUCCEEDED', 'FAILED')
    ORDER BY account, job_id, jsonb_array_length(coalesce(attempts, '[]')) DESC,
      status = 'FAILED' DESC, time DESC, event_id DESC
  ) AS ended
)
"""
_EXECUTIONS = """
, told AS (
  SELECT DISTINCT account, subject, moved.what, moved.at
  FROM events CROSS JOIN LATERAL (VALUES
    ('RUNNING', (detail->>'started_at')::timestamptz),
    ('RUNNING', (detail->>'redriven_at')::timestamptz),
    ('RUNNING', CASE WHEN status = 'RUNNING' AND detail->>'started_at' IS NULL
      AND detail->>'redriven_at' IS NULL THEN time END),
    (status, CASE WHEN status IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED')
      THEN coalesce((detail->>'stopped_at')::timestamptz, time) END)
  ) AS moved(what, at)
  WHERE kind = 'execution' AND time >= :since AND strpos(detail->>'machine_arn', '/') = 0
    AND moved.at IS NOT NULL
)
"""
_RECOUNTS = {
    Noun.JOBS: _JOBS + _DIFFERING.format(metric="job_transitions", dimension="state"),
    Noun.EXECUTIONS: _EXECUTIONS + _DIFFERING.format(metric="executions", dimension="status"),
}
_NEGATIVE = """
SELECT hour, metric, min(min) AS least FROM metrics_hourly
WHERE metric = ANY(:metrics) AND hour IN (SELECT hour FROM settled) AND min < 0
GROUP BY hour, metric ORDER BY hour, metric LIMIT :most
"""
_INCOMPLETE = """
SELECT hour, account, sum(ended)::bigint AS ended, sum(timed)::bigint AS timed FROM (
  SELECT hour, dimensions->>'account' AS account,
    CASE WHEN metric = :ends THEN count ELSE 0 END AS ended,
    CASE WHEN metric = :durations THEN count ELSE 0 END AS timed
  FROM metrics_hourly
  WHERE metric IN (:ends, :durations) AND hour IN (SELECT hour FROM settled)
    AND (metric <> :ends OR cardinality(CAST(:only AS text[])) = 0
      OR coalesce(dimensions->>'state', dimensions->>'status') = ANY(:only))
) AS each
GROUP BY hour, account HAVING sum(ended) <> sum(timed) ORDER BY hour, account LIMIT :most
"""
_GAPS = """
, levels AS (
  SELECT metric, dimensions, hour, last,
    last - coalesce((SELECT sum(delta) FROM unnest(values) AS delta), 0) AS opening
  FROM metrics_hourly WHERE metric = ANY(:metrics)
    AND hour >= CAST(:first AS timestamptz) - interval '1 hour' AND hour <= :last
), neighbours AS (
  SELECT later.began AS hour, earlier.began AS before
  FROM rollups AS later JOIN rollups AS earlier ON earlier.grain = 'hour' AND earlier.noun = :noun
    AND earlier.began = later.began - interval '1 hour' AND NOT earlier.partial
  WHERE later.grain = 'hour' AND later.noun = :noun AND later.began IN (SELECT hour FROM settled)
    AND NOT EXISTS (SELECT FROM marked_hours AS mark
      WHERE mark.noun = :noun AND mark.hour <= earlier.began AND mark.until > earlier.began)
), pairs AS (
  SELECT neighbours.hour, metric, dimensions, levels.last, 0 AS opening
  FROM neighbours JOIN levels ON levels.hour = neighbours.before
  UNION ALL
  SELECT neighbours.hour, metric, dimensions, 0, levels.opening
  FROM neighbours JOIN levels ON levels.hour = neighbours.hour
)
SELECT hour, metric, dimensions, sum(last) AS last, sum(opening) AS opening FROM pairs
GROUP BY hour, metric, dimensions HAVING abs(sum(last) - sum(opening)) > 0.001
ORDER BY hour, metric LIMIT :most
"""
_BEHIND = """
WITH known AS (
  SELECT began, partial FROM rollups WHERE grain = 'hour' AND noun = :noun
), expected AS (
  SELECT hour FROM generate_series((SELECT min(began) FROM known),
    date_bin('1 hour', CAST(:now AS timestamptz), 'epoch') - interval '1 hour', '1 hour') AS hour
  WHERE NOT EXISTS (SELECT FROM dropped_days WHERE day = (hour AT TIME ZONE 'UTC')::date)
)
SELECT hour AS began, 'never computed' AS why FROM expected
WHERE hour <= CAST(:late AS timestamptz) - interval '1 hour'
  AND hour NOT IN (SELECT began FROM known)
UNION ALL
SELECT began, 'computed only in part' FROM known
WHERE partial AND began <= CAST(:late AS timestamptz) - interval '1 hour'
UNION ALL
SELECT DISTINCT expected.hour, 'marked and not computed since' FROM marked_hours AS mark
JOIN expected ON expected.hour >= mark.hour AND expected.hour < mark.until
WHERE mark.noun = :noun AND mark.marked_at <= :late
UNION ALL
SELECT day, 'its hours are complete, the day is not put together' FROM (
  SELECT date_trunc('day', began) AS day, max(computed_at) AS computed_at FROM rollups
  WHERE grain = 'hour' AND noun = :noun AND NOT partial GROUP BY 1 HAVING count(*) = 24
) AS whole
WHERE computed_at <= :late AND NOT EXISTS (SELECT FROM rollups AS made WHERE made.grain = 'day'
  AND made.noun = :noun AND made.began = day AND made.computed_at >= whole.computed_at)
ORDER BY began, why LIMIT :most
"""


def miscounted(tx: sa.Connection, noun: Noun, hours: Sequence[datetime]) -> list[Row]:
    """Return where transitions differ from those that raw events tell: rolled, told."""
    given = {"since": min(hours) - _BEFORE, "first": min(hours)}
    return _asked(tx, _RECOUNTS[noun], noun, hours, given)


def negative(tx: sa.Connection, noun: Noun, hours: Sequence[datetime]) -> list[Row]:
    """Return the durations below zero."""
    names = [metric.name for metric in stored(noun) if isinstance(metric.how, Spread)]
    return _asked(tx, _NEGATIVE, noun, hours, {"metrics": names})


def incomplete(
    tx: sa.Connection,
    noun: Noun,
    hours: Sequence[datetime],
    *,
    ends: tuple[str, Sequence[str]],
    durations: str,
) -> list[Row]:
    """Return where not as many durations are kept as there were ends; these by their states."""
    metric, only = ends
    given = {"ends": metric, "only": list(only), "durations": durations}
    return _asked(tx, _INCOMPLETE, noun, hours, given)


def gaps(tx: sa.Connection, noun: Noun, hours: Sequence[datetime]) -> list[Row]:
    """Return the levels that do not open at what they were when the hour before ended."""
    names = [metric.name for metric in stored(noun) if isinstance(metric.how, Level)]
    return _asked(
        tx, _GAPS, noun, hours, {"metrics": names, "first": min(hours), "last": max(hours)}
    )


def behind(tx: sa.Connection, noun: Noun, *, now: datetime, late: datetime) -> list[Row]:
    """Return hours and days that should have been computed by ``late``, and why each is behind."""
    given = {"noun": noun.value, "now": now, "late": late, "most": MOST}
    return fetch(tx, sa.text(_BEHIND).bindparams(**given))


def _asked(
    tx: sa.Connection, query: str, noun: Noun, hours: Sequence[datetime], given: Mapping[str, Any]
) -> list[Row]:
    bound = {"noun": noun.value, "hours": list(hours), "most": MOST, **given}
    return fetch(tx, sa.text(f"WITH {_SETTLED}{query}").bindparams(**bound))
