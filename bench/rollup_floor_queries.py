"""The metrics as plain SQL of DuckDB, each with ``times``, ``total`` and ``most`` of each group.

Written on its own, from what the metrics say they are, for what the load of the benchmark has.
``since`` and ``until`` are the hour; ``vcpu_hour`` and ``gib_hour`` the one price that is needed.
"""

_SINCE, _UNTIL = "getvariable('since')", "getvariable('until')"
_JOB = "account, queue, definition, flow, step, owner"
_PLACE = "instance_type, availability_zone, compute_environment"
_COUNTED = "count(*) AS times, 0 AS total, 0 AS most"
_ENDED = "is_last AND status IN ('SUCCEEDED', 'FAILED')"
_OUTCOME = "is_last AND status = 'SUCCEEDED' AS outcome"

TRIED = f"""
CREATE OR REPLACE TABLE tried AS
SELECT {_JOB}, {_PLACE}, job_id, status, number, number = tries AS is_last, created_at, vcpus,
  memory_mib, stopped_at AS ended, runnables[number] AS runnable, startings[number] AS starting,
  runnings[number] AS told, coalesce(attempts[number].started_at, runnings[number]) AS running,
  coalesce(attempts[number].stopped_at, stopped_at) AS stopped
FROM (SELECT *, greatest(len(runnables), len(attempts)) AS tries, unnest(range(1, tries + 1))
  AS number FROM jobs)
LEFT JOIN hosts ON instance_arn = coalesce(attempts[number].container_instance,
  CASE WHEN number = tries THEN container_instance END)
"""


def _within(moment: str, where: str = "true") -> str:
    return f"WHERE {moment} >= {_SINCE} AND {moment} < {_UNTIL} AND {where}"


def _ms(begin: str, end: str) -> str:
    return f"greatest(epoch_ms({end}) - epoch_ms({begin}), 0)"


def _spread(value: str) -> str:
    return (
        f"count({value}) AS times, sum({value}) AS total, min({value}) AS least,"
        f" max({value}) AS most, quantile_cont({value}, [0.5, 0.9, 0.99]) AS shares"
    )


def _durations(value: str, moment: str, where: str, by: str) -> str:
    return f"SELECT {by}, {_spread(value)} FROM tried {_within(moment, where)} GROUP BY ALL"


def _counted(by: str, moment: str, where: str = "true", source: str = "tried") -> str:
    return f"SELECT {by}, {_COUNTED} FROM {source} {_within(moment, where)} GROUP BY ALL"


def _level(by: str, amount: str, spans: str, source: str = "tried") -> str:
    """Return the query of how much there was at the end, and at most; ``spans`` are its parts."""
    return f"""
WITH spans AS (SELECT {by}, {amount} AS amount, unnest({spans}) AS span FROM {source}),
lasted AS (SELECT * FROM spans WHERE span.began < {_UNTIL}
  AND (span.ended > span.began OR span.ended IS NULL))
SELECT {by}, state, 0 AS times, sum(delta) AS total, max(level) AS most FROM (
  SELECT *, sum(delta) OVER (PARTITION BY {by}, state ORDER BY moment) AS level FROM (
    SELECT {by}, span.state, span.began AS moment, amount AS delta FROM lasted
    UNION ALL SELECT {by}, span.state, span.ended, -amount FROM lasted WHERE span.ended < {_UNTIL})
) GROUP BY {by}, state"""


def _used(amount: str, where: str = "starting < getvariable('until')", end: str = _UNTIL) -> str:
    return f"""
SELECT {_JOB}, {_PLACE}, sum({amount} * {_ms("starting", f"least(stopped, {end})")}) / 3600000
  AS total, total AS most, 0 AS times FROM tried WHERE {where} GROUP BY ALL"""


_USD = "(vcpus * getvariable('vcpu_hour') + memory_mib / 1024 * getvariable('gib_hour'))"
_FAILED = f"NOT (is_last AND status = 'SUCCEEDED') AND stopped >= {_SINCE} AND stopped < {_UNTIL}"
_MOVED = f"""(
  SELECT *, 'RUNNABLE' AS state, runnable AS moment FROM tried
  UNION ALL SELECT *, 'STARTING', starting FROM tried
  UNION ALL SELECT *, 'RUNNING', told FROM tried
  UNION ALL SELECT *, status, ended FROM tried WHERE {_ENDED})"""
_STATES = """[
  {'state': 'RUNNABLE', 'began': runnable, 'ended': coalesce(starting, stopped)},
  {'state': 'STARTING', 'began': starting, 'ended': coalesce(told, stopped)},
  {'state': 'RUNNING', 'began': told, 'ended': stopped}]"""
_RESERVED = "[{'state': '', 'began': starting, 'ended': stopped}]"
_OF_RUN = "account, project, branch, flow"

QUERIES = {
    # Before a host is known there is none to group by.
    "job_transitions": _counted(
        f"{_JOB}, CASE WHEN state <> 'RUNNABLE' THEN ({_PLACE}) END AS place, state",
        "moment",
        source=_MOVED,
    ),
    "jobs_submitted": _counted(_JOB, "created_at", "number = 1"),
    "job_retries": _counted(_JOB, "runnable", "number > 1"),
    "jobs_failed": _counted(f"{_JOB}, {_PLACE}", "ended", "is_last AND status = 'FAILED'"),
    "job_submitted_to_runnable_ms": _durations(
        _ms("created_at", "runnable"), "runnable", "number = 1", _JOB
    ),
    "job_submitted_to_starting_ms": _durations(
        _ms("created_at", "starting"), "starting", "number = 1", f"{_JOB}, {_PLACE}"
    ),
    "attempt_runnable_to_starting_ms": _durations(
        _ms("runnable", "starting"), "starting", "true", f"{_JOB}, {_PLACE}"
    ),
    "attempt_starting_to_running_ms": _durations(
        _ms("starting", "told"), "told", "true", f"{_JOB}, {_PLACE}"
    ),
    "attempt_running_ms": _durations(
        _ms("running", "stopped"), "stopped", "true", f"{_JOB}, {_PLACE}, {_OUTCOME}"
    ),
    "attempt_ms": _durations(
        _ms("starting", "stopped"), "stopped", "true", f"{_JOB}, {_PLACE}, {_OUTCOME}"
    ),
    "job_running_ms": _durations(
        _ms("running", "stopped"), "ended", _ENDED, f"{_JOB}, {_PLACE}, status"
    ),
    "job_ms": _durations(_ms("created_at", "ended"), "ended", _ENDED, f"{_JOB}, {_PLACE}, status"),
    "job_waiting_ms": f"""
SELECT {_JOB}, place, status, {_spread("waited")} FROM (
  SELECT {_JOB}, status, arg_max(({_PLACE}), number) AS place,
    {_ms("created_at", "ended")} - sum({_ms("running", "stopped")}) AS waited
  FROM tried {_within("ended", "status IN ('SUCCEEDED', 'FAILED')")}
  GROUP BY {_JOB}, status, job_id, created_at, ended
) GROUP BY ALL""",
    "jobs_in_state": _level(_JOB, "1", _STATES),
    "oldest_runnable_ms": f"""
SELECT {_JOB}, max({_ms("runnable", _UNTIL)}) FILTER (coalesce(starting >= {_UNTIL}, true))
  AS total, max({_ms("runnable", f"least(starting, {_UNTIL})")}) AS most, 0 AS times
FROM tried WHERE runnable < {_UNTIL} GROUP BY ALL""",
    "vcpus_reserved": _level(f"{_JOB}, {_PLACE}", "vcpus", _RESERVED),
    "memory_reserved_mib": _level(f"{_JOB}, {_PLACE}", "memory_mib", _RESERVED),
    "vcpu_hours": _used("vcpus"),
    "gib_hours": _used("memory_mib / 1024"),
    "cost_usd": _used(_USD),
    "wasted_cost_usd": _used(_USD, _FAILED, "stopped"),
    "executions": _counted(
        f"{_OF_RUN}, state",
        "moment",
        source="(SELECT *, 'RUNNING' AS state, started_at AS moment FROM runs"
        " UNION ALL SELECT *, status, stopped_at FROM runs)",
    ),
    "executions_running": _level(
        _OF_RUN, "1", "[{'state': '', 'began': started_at, 'ended': stopped_at}]", "runs"
    ),
    "execution_ms": f"""
SELECT {_OF_RUN}, status, {_spread(_ms("started_at", "stopped_at"))} FROM runs
{_within("stopped_at")} GROUP BY ALL""",
    "events_ingested": _counted("account, kind", "time", source="events"),
    "event_lag_ms": f"""
SELECT account, kind, {_spread(_ms("time", "received_at"))} FROM events
{_within("time")} GROUP BY ALL""",
}
