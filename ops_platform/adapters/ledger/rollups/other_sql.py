"""The facts of executions, container instances and the platform itself.

Each relation names its dimensions; there are few enough of these to group by their texts.
"""

from ops_platform.adapters.ledger.rollups.jobs_sql import millis
from ops_platform.domain.metric import Facts

# A child execution of a Distributed Map is a part of a run, and no run.
EXECUTIONS = """
CREATE TEMP TABLE rolled_moves ON COMMIT DROP AS
SELECT known.account, known.execution_arn, coalesce(known.project, '') AS project,
  coalesce(known.branch, '') AS branch,
  coalesce(runs.flow, runs.machine_flow, known.flow, '') AS flow,
  coalesce(runs.owner, runs.machine_owner, '') AS owner,
  CASE WHEN known.status = 'LOST' THEN known.changed_at END AS lost_at,
  (moved->>'at')::timestamptz AS at, moved->>'status' AS status,
  lag(moved->>'status') OVER each AS before, lead((moved->>'at')::timestamptz) OVER each AS next_at,
  max((moved->>'at')::timestamptz) FILTER (WHERE moved->>'status' = 'RUNNING') OVER (
    PARTITION BY known.account, known.execution_arn ORDER BY (moved->>'at')::timestamptz, number
  ) AS began
FROM executions AS known
LEFT JOIN runs ON (runs.account, runs.run_id) = (known.account, known.run_id)
CROSS JOIN LATERAL jsonb_array_elements(known.moves) WITH ORDINALITY AS listed(moved, number)
WHERE strpos(known.machine_arn, '/') = 0
  AND (known.changed_at >= :since - interval '1 hour'
    OR known.status NOT IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'))
WINDOW each AS (
  PARTITION BY known.account, known.execution_arn ORDER BY (moved->>'at')::timestamptz, number
)
"""

_RUN = "account, project, branch, flow, owner"
_PLACE = """account, coalesce(instance_type, '') AS instance_type,
  coalesce(availability_zone, '') AS availability_zone,
  split_part(regexp_replace(cluster, '^AWSBatch-(.*)-[0-9a-f-]{36}$', '\\1'), '_Batch', 1)
    AS compute_environment"""

RELATIONS = {
    Facts.EXECUTION_MOVES: f"SELECT {_RUN}, status, at FROM rolled_moves",
    Facts.EXECUTION_ENDS: f"""
SELECT {_RUN}, status, at, {millis("began", "at")} AS total_ms,
  status <> 'SUCCEEDED' AS failed
FROM rolled_moves WHERE status <> 'RUNNING'
""",
    # A second start without an end between them is a redrive whose failure nobody told.
    Facts.EXECUTIONS_RUNNING: f"""
SELECT {_RUN}, at AS began, coalesce(
    (SELECT min(ends.at) FROM rolled_moves AS ends
     WHERE (ends.account, ends.execution_arn) = (starts.account, starts.execution_arn)
       AND ends.at >= starts.at AND ends.status <> 'RUNNING'), lost_at) AS ended
FROM rolled_moves AS starts WHERE status = 'RUNNING' AND before IS DISTINCT FROM 'RUNNING'
""",
    Facts.REGISTRATIONS: f"SELECT {_PLACE}, registered_at AS at FROM container_instances",
    Facts.DEREGISTRATIONS: f"""
SELECT {_PLACE}, deregistered_at AS at,
  {millis("registered_at", "deregistered_at")} AS lifetime_ms
FROM container_instances
""",
    Facts.INSTANCES_UP: f"""
SELECT {_PLACE}, registered_at AS began, deregistered_at AS ended,
  coalesce(cpu_units, 0) / 1024.0 AS vcpus
FROM container_instances
""",
    Facts.QUEUE_BLOCKS: """
SELECT account, queue, definition, coalesce(flow, '') AS flow, coalesce(step, '') AS step,
  coalesce(owner, '') AS owner, time AS at
FROM events WHERE kind = 'queue_blocked' AND time >= :since AND time < :until
""",
    Facts.EVENTS: f"""
SELECT account, kind, time AS at,
  {millis("time", "received_at")} AS lag_ms
FROM events WHERE time >= :since AND time < :until AND NOT starts_with(event_id, 'api:')
""",
    Facts.REJECTIONS: "SELECT first_seen_at AS at FROM rejected_messages",
    Facts.ALERTS: """
SELECT incidents.account, incidents.flow, coalesce(incidents.owner, '') AS owner, incidents.kind,
  channel, message_ts IS NOT NULL AS sent, message_ts IS NULL AND alerts.state = 'dead' AS dead,
  coalesce(to_timestamp(message_ts::double precision), due_at) AS at
FROM alerts JOIN incidents ON incidents.id = alerts.incident_id
WHERE part = 'message' AND told_with IS NULL
""",
    Facts.STALE_JOBS: """
SELECT account, queue, coalesce(flow, '') AS flow, coalesce(step, '') AS step,
  coalesce(owner, '') AS owner, verdict, outcome, judged_at AS at
FROM cancellations
""",
}
