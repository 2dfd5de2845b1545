"""The facts of executions, container instances and the platform itself.

Each relation names its dimensions: there are few enough of these to group by their texts.
"""

from ops_platform.adapters.ledger.rollups.job_facts import PLACE, between
from ops_platform.domain.metric import Facts, Noun

_RUN = "account, project, branch, flow, owner"
PREPARE = {
    Noun.EXECUTIONS: (
        f"""
CREATE TABLE moves AS
SELECT *, lag(status) OVER each AS before,
  min(moment) FILTER (WHERE status <> 'RUNNING') OVER (
    each ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_end,
  max(moment) FILTER (WHERE status = 'RUNNING') OVER (
    each ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS began
FROM (
  SELECT {_RUN}, execution_arn, lost, moved.status, epoch_ms(moved."at") AS moment
  FROM (
    SELECT account, execution_arn, coalesce(project, '') AS project, coalesce(branch, '') AS branch,
      coalesce(flow, '') AS flow, coalesce(owner, '') AS owner, epoch_ms(lost_at) AS lost,
      unnest(from_json(moves, '[{{"at": "TIMESTAMPTZ", "status": "VARCHAR"}}]')) AS moved
    FROM taken_executions
  ) AS listed
) AS told
WINDOW each AS (PARTITION BY account, execution_arn
  -- Nothing is redriven in the millisecond it ends in: of one moment the start comes first.
  ORDER BY moment, status <> 'RUNNING', status)
""",
    ),
    Noun.INSTANCES: (
        f"""
CREATE TABLE instances AS
SELECT account, {PLACE}, epoch_ms(registered_at) AS registered,
  epoch_ms(deregistered_at) AS deregistered, CAST(coalesce(cpu_units, 0) AS HUGEINT) AS units
FROM taken_instances
""",
    ),
}
_HOST = "account, instance_type, availability_zone, compute_environment"

RELATIONS = {
    Facts.EXECUTION_MOVES: f"SELECT {_RUN}, status, moment FROM moves",
    Facts.EXECUTION_ENDS: f"""
SELECT {_RUN}, status, moment, {between("began", "moment")} AS total_ms,
  status <> 'SUCCEEDED' AS failed
FROM moves WHERE status <> 'RUNNING'
""",
    # A second start without an end between them is a redrive whose failure nobody told.
    Facts.EXECUTIONS_RUNNING: f"""
SELECT {_RUN}, moment AS began, coalesce(next_end, lost) AS ended
FROM moves WHERE status = 'RUNNING' AND before IS DISTINCT FROM 'RUNNING'
""",
    Facts.REGISTRATIONS: f"SELECT {_HOST}, registered AS moment FROM instances",
    Facts.DEREGISTRATIONS: f"""
SELECT {_HOST}, deregistered AS moment, {between("registered", "deregistered")} AS lifetime_ms
FROM instances
""",
    Facts.INSTANCES_UP: f"""
SELECT {_HOST}, registered AS began, deregistered AS ended, units AS vcpus FROM instances
""",
    Facts.EVENTS: """
SELECT account, kind, moment, lag_ms FROM taken_events CROSS JOIN LATERAL range(times)
""",
    Facts.REJECTIONS: "SELECT epoch_ms(moment) AS moment FROM taken_rejections",
    Facts.ALERTS: """
SELECT account, coalesce(flow, '') AS flow, coalesce(owner, '') AS owner, kind, channel, sent,
  dead, epoch_ms(moment) AS moment
FROM taken_alerts
""",
    Facts.STALE_JOBS: """
SELECT account, queue, coalesce(flow, '') AS flow, coalesce(step, '') AS step,
  coalesce(owner, '') AS owner, verdict, outcome, epoch_ms(moment) AS moment
FROM taken_stale_jobs
""",
}
