"""What is taken out of Postgres to compute a span of hours, as CSV with the columns' types.

Moments are as the ledger has them; lists and JSON come as their texts. Names are AWS's and may hold
anything, which the quotes of CSV keep together.
"""

from dataclasses import dataclass

from ops_platform.domain.metric import Noun


@dataclass(frozen=True, slots=True)
class Taken:
    """A query of Postgres, and the table of the same columns that its rows become."""

    table: str
    columns: tuple[tuple[str, str], ...]
    query: str


_TEXT, _AT, _INT, _FLAG = "VARCHAR", "TIMESTAMPTZ", "BIGINT", "BOOLEAN"


_JOBS = Taken(
    "taken_jobs",
    (
        *((name, _TEXT) for name in ("account", "queue", "definition", "flow", "step", "owner")),
        *((name, _TEXT) for name in ("status", "reason")),
        *((name, _FLAG) for name in ("cancelled", "terminated", "stale")),
        *((name, _AT) for name in ("created_at", "submitted_at", "pending_at", "started_at")),
        ("ended_at", _AT),
        *((name, _TEXT) for name in ("runnable_ats", "starting_ats", "running_ats", "attempts")),
        ("container_instance", _TEXT),
        ("vcpus", "DOUBLE"),
        ("memory_mib", _INT),
    ),
    """
SELECT account, queue, definition, flow, step, owner, status, coalesce(reason, 'unknown'),
  cancelled, terminated, coalesce(starts_with(status_reason, %(stale_mark)s), false),
  created_at, submitted_at, pending_at, started_at,
  CASE WHEN status IN ('SUCCEEDED', 'FAILED') THEN coalesce(stopped_at, changed_at)
    WHEN status = 'LOST' THEN changed_at END,
  runnable_ats, starting_ats, running_ats, nullif(attempts, '[]'), container_instance,
  vcpus, memory_mib
FROM jobs
WHERE array_size IS NULL AND (created_at IS NULL OR created_at < %(until)s)
  AND (changed_at >= %(since)s - interval '1 hour' OR status NOT IN ('SUCCEEDED', 'FAILED'))
""",
)
_INSTANCES = Taken(
    "taken_instances",
    (
        *((name, _TEXT) for name in ("account", "instance_arn", "instance_type")),
        *((name, _TEXT) for name in ("availability_zone", "cluster")),
        ("registered_at", _AT),
        ("deregistered_at", _AT),
        ("cpu_units", _INT),
    ),
    """
SELECT account, instance_arn, instance_type, availability_zone, cluster, registered_at,
  deregistered_at, cpu_units
FROM container_instances WHERE registered_at < %(until)s
""",
)
# A child execution of a Distributed Map is a part of a run, and no run.
_EXECUTIONS = Taken(
    "taken_executions",
    (
        *((name, _TEXT) for name in ("account", "execution_arn", "project", "branch", "flow")),
        ("owner", _TEXT),
        ("lost_at", _AT),
        ("moves", _TEXT),
    ),
    """
SELECT known.account, execution_arn, project, branch,
  coalesce(runs.flow, runs.machine_flow, known.flow), coalesce(runs.owner, runs.machine_owner),
  CASE WHEN status = 'LOST' THEN changed_at END, moves
FROM executions AS known
LEFT JOIN runs ON (runs.account, runs.run_id) = (known.account, known.run_id)
WHERE strpos(machine_arn, '/') = 0
  AND (changed_at >= %(since)s - interval '1 hour'
    OR status NOT IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'))
""",
)
_BLOCKS = Taken(
    "taken_blocks",
    (
        *((name, _TEXT) for name in ("account", "queue", "definition", "flow", "step", "owner")),
        ("moment", _AT),
    ),
    """
SELECT DISTINCT ON (account, subject, time) account, queue, definition, flow, step, owner, time
FROM events WHERE kind = 'queue_blocked' AND time >= %(since)s AND time < %(until)s
ORDER BY account, subject, time
""",
)
# Counted by what tells them apart: of a million events there are few lags.
_EVENTS = Taken(
    "taken_events",
    (("account", _TEXT), ("kind", _TEXT), ("moment", _INT), ("lag_ms", _INT), ("times", _INT)),
    """
SELECT account, kind, date_part('epoch', date_bin('1 hour', time, %(since)s))::bigint * 1000,
  greatest(0, floor(date_part('epoch', received_at - time) * 1000))::bigint AS lag_ms, count(*)
FROM events
WHERE time >= %(since)s AND time < %(until)s AND NOT starts_with(event_id, %(made)s)
GROUP BY 1, 2, 3, 4
""",
)
_REJECTIONS = Taken(
    "taken_rejections",
    (("moment", _AT),),
    """
SELECT first_seen_at FROM rejected_messages
WHERE first_seen_at >= %(since)s AND first_seen_at < %(until)s
""",
)
_ALERTS = Taken(
    "taken_alerts",
    (
        *((name, _TEXT) for name in ("account", "flow", "owner", "kind", "channel")),
        ("sent", _FLAG),
        ("dead", _FLAG),
        ("moment", _AT),
    ),
    """
SELECT incidents.account, incidents.flow, incidents.owner, incidents.kind, channel,
  message_ts IS NOT NULL, message_ts IS NULL AND alerts.state = 'dead',
  coalesce(to_timestamp(message_ts::double precision), due_at)
FROM alerts JOIN incidents ON incidents.id = alerts.incident_id
WHERE part = 'message' AND told_with IS NULL
  AND coalesce(to_timestamp(message_ts::double precision), due_at) >= %(since)s
  AND coalesce(to_timestamp(message_ts::double precision), due_at) < %(until)s
""",
)
_STALE_JOBS = Taken(
    "taken_stale_jobs",
    (
        *((name, _TEXT) for name in ("account", "queue", "flow", "step", "owner", "verdict")),
        ("outcome", _TEXT),
        ("moment", _AT),
    ),
    """
SELECT account, queue, flow, step, owner, verdict, outcome, judged_at
FROM cancellations WHERE judged_at >= %(since)s AND judged_at < %(until)s
""",
)
WATCHED = Taken(
    "taken_accounts",
    (("account", _TEXT), ("since", _AT)),
    "SELECT account, since FROM watched",
)

TAKEN = {
    Noun.JOBS: (_JOBS, _INSTANCES, _BLOCKS),
    Noun.EXECUTIONS: (_EXECUTIONS,),
    Noun.INSTANCES: (_INSTANCES,),
    Noun.PLATFORM: (_EVENTS, _REJECTIONS, _ALERTS, _STALE_JOBS),
}
