"""A day of the ledger as lines of JSON: its events, and the state of all that touched it.

The state makes a day whole by itself: what a job's metrics of that day are made of is told by
events of other days, too.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import sqlalchemy as sa

from ops_platform.adapters.ledger import rows
from ops_platform.domain.hours import of_day

TABLES = (
    "events",
    "jobs",
    "executions",
    "container_instances",
    "runs",
    "rejected_messages",
)
# By another clock, and by whole seconds, what happened in a day may be told a little beside it.
_MARGIN = timedelta(hours=1)
_TOUCHED = (
    """
CREATE TEMP TABLE touched_jobs ON COMMIT DROP AS
SELECT account, job_id, run_id FROM jobs
WHERE (created_at IS NULL OR created_at < :end)
  AND (changed_at >= :near OR status NOT IN ('SUCCEEDED', 'FAILED', 'LOST'))
UNION SELECT account, job_id, run_id FROM jobs WHERE (account, job_id) IN (
  SELECT account, job_id FROM events WHERE time >= :begin AND time < :end AND job_id IS NOT NULL)
""",
    """
CREATE TEMP TABLE touched_executions ON COMMIT DROP AS
SELECT account, execution_arn, run_id FROM executions
WHERE (started_at IS NULL OR started_at < :end) AND (changed_at >= :near
  OR status NOT IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'LOST'))
UNION SELECT account, execution_arn, run_id FROM executions WHERE (account, execution_arn) IN (
  SELECT account, subject FROM events
  WHERE time >= :begin AND time < :end AND kind = 'execution')
""",
    """
CREATE TEMP TABLE touched_instances ON COMMIT DROP AS
SELECT account, instance_arn FROM container_instances
WHERE registered_at < :end
  AND (deregistered_at IS NULL OR deregistered_at >= :near OR changed_at >= :near)
UNION SELECT account, subject FROM events
WHERE time >= :begin AND time < :end AND kind = 'container_instance'
UNION SELECT account, container_instance FROM jobs NATURAL JOIN touched_jobs
UNION SELECT account, tried->>'container_instance'
FROM jobs NATURAL JOIN touched_jobs, jsonb_array_elements(attempts) AS tried
""",
)
_ROWS = {
    "events": """SELECT to_jsonb(one) FROM events AS one
WHERE time >= {begin} AND time < {end} ORDER BY time, event_id""",
    "jobs": """SELECT to_jsonb(one) FROM jobs AS one JOIN touched_jobs USING (account, job_id)
ORDER BY account, job_id""",
    # Its place in the order of changes is another one in another ledger.
    "executions": """SELECT to_jsonb(one) - 'seq'
FROM executions AS one JOIN touched_executions USING (account, execution_arn)
ORDER BY account, execution_arn""",
    "container_instances": """SELECT to_jsonb(one)
FROM container_instances AS one JOIN touched_instances USING (account, instance_arn)
ORDER BY account, instance_arn""",
    "runs": """SELECT to_jsonb(one) FROM runs AS one WHERE (account, run_id) IN (
  SELECT account, run_id FROM touched_jobs UNION SELECT account, run_id FROM touched_executions)
ORDER BY account, run_id""",
    # Without what they hold: nobody knows whether there are secrets in it.
    "rejected_messages": """SELECT to_jsonb(one) - 'body' FROM rejected_messages AS one
WHERE first_seen_at >= {begin} AND first_seen_at < {end} ORDER BY digest""",
}


def read(tx: sa.Connection, day: date) -> Iterator[tuple[str, bytes]]:
    """Yield the rows of a day, each with its table's name, in an order that is always the same.

    To be called in a snapshot, so that they fit each other.
    """
    hours = of_day(day)
    values = {"begin": hours.begin, "end": hours.end, "near": hours.begin - _MARGIN}
    for table in ("jobs", "executions", "instances"):
        tx.exec_driver_sql(f"DROP TABLE IF EXISTS touched_{table}")
    for statement in _TOUCHED:
        tx.execute(sa.text(statement), values)
    begin, end = (f"'{at.isoformat()}'" for at in (hours.begin, hours.end))
    for table in TABLES:
        for line in rows.copied(tx, _ROWS[table].format(begin=begin, end=end)):
            yield table, line
