"""What metrics are made of and kept in: when jobs and executions came to each state, and rollups.

What events have told so far is taken from them, so that earlier days can be computed too; only why
jobs failed stays unknown of those.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

CHANGES = """
ALTER TABLE jobs
  ADD COLUMN submitted_at timestamptz,
  ADD COLUMN pending_at timestamptz,
  ADD COLUMN runnable_ats timestamptz[],
  ADD COLUMN starting_ats timestamptz[],
  ADD COLUMN running_ats timestamptz[],
  ADD COLUMN reason TEXT;

-- Jobs lie in the table in the order they came, so this finds those of an hour long ago.
CREATE INDEX jobs_span ON jobs USING brin (created_at, changed_at)
  WITH (pages_per_range = 16, autosummarize = on);

-- A few among millions.
CREATE INDEX events_blocked ON events (time) WHERE kind = 'queue_blocked';

ALTER TABLE executions ADD COLUMN moves JSONB NOT NULL DEFAULT '[]';
ALTER TABLE executions ALTER COLUMN moves DROP DEFAULT;
ALTER TABLE container_instances ADD COLUMN deregistered_at timestamptz;

CREATE TABLE metrics_hourly (
  metric TEXT NOT NULL,
  hour timestamptz NOT NULL,
  dimensions JSONB NOT NULL,
  count BIGINT,
  sum double precision,
  min double precision,
  max double precision,
  last double precision,
  values double precision[],
  at_ms INTEGER[]
);
CREATE INDEX metrics_hourly_metric ON metrics_hourly (metric, hour);

CREATE TABLE metrics_daily (
  metric TEXT NOT NULL,
  day DATE NOT NULL,
  dimensions JSONB NOT NULL,
  count BIGINT,
  sum double precision,
  min double precision,
  max double precision,
  last double precision,
  values double precision[],
  at_ms INTEGER[]
);
CREATE INDEX metrics_daily_metric ON metrics_daily (metric, day);

CREATE TABLE rollups (
  grain TEXT NOT NULL,
  noun TEXT NOT NULL,
  began timestamptz NOT NULL,
  computed_at timestamptz NOT NULL,
  partial BOOLEAN NOT NULL,
  PRIMARY KEY (grain, noun, began)
);

CREATE TABLE marked_hours (
  noun TEXT NOT NULL,
  hour timestamptz NOT NULL,
  until timestamptz NOT NULL,
  marked_at timestamptz NOT NULL
);
CREATE INDEX marked_hours_noun ON marked_hours (noun, hour, until);

CREATE TABLE dropped_days (
  day DATE NOT NULL,
  dropped_at timestamptz NOT NULL,
  PRIMARY KEY (day)
);

CREATE TEMPORARY TABLE told ON COMMIT DROP AS
  SELECT account, job_id, status, jsonb_array_length(coalesce(attempts, '[]')) + 1 AS number,
    min(CASE WHEN status = 'RUNNING' THEN coalesce(started_at, time) ELSE time END) AS at
  FROM events
  WHERE kind = 'job' AND (status = 'RUNNING' OR event_id NOT LIKE 'api:%')
  GROUP BY 1, 2, 3, 4;

UPDATE jobs SET submitted_at = once.submitted_at, pending_at = once.pending_at
FROM (
  SELECT account, job_id, min(at) FILTER (WHERE status = 'SUBMITTED') AS submitted_at,
    min(at) FILTER (WHERE status = 'PENDING') AS pending_at
  FROM told GROUP BY 1, 2
) AS once
WHERE (jobs.account, jobs.job_id) = (once.account, once.job_id);

CREATE TEMPORARY TABLE by_attempt ON COMMIT DROP AS
  SELECT account, job_id, status, array_agg(at ORDER BY number) AS ats
  FROM (
    SELECT each.account, each.job_id, each.status, numbers.number, told.at
    FROM (SELECT account, job_id, status, max(number) AS last FROM told GROUP BY 1, 2, 3) AS each
    CROSS JOIN LATERAL generate_series(1, each.last) AS numbers(number)
    LEFT JOIN told ON (told.account, told.job_id, told.status, told.number)
      = (each.account, each.job_id, each.status, numbers.number)
  ) AS numbered
  GROUP BY 1, 2, 3;

UPDATE jobs SET runnable_ats = by_attempt.ats FROM by_attempt
WHERE (jobs.account, jobs.job_id, 'RUNNABLE')
  = (by_attempt.account, by_attempt.job_id, by_attempt.status);
UPDATE jobs SET starting_ats = by_attempt.ats FROM by_attempt
WHERE (jobs.account, jobs.job_id, 'STARTING')
  = (by_attempt.account, by_attempt.job_id, by_attempt.status);
UPDATE jobs SET running_ats = by_attempt.ats FROM by_attempt
WHERE (jobs.account, jobs.job_id, 'RUNNING')
  = (by_attempt.account, by_attempt.job_id, by_attempt.status);

UPDATE executions SET moves = known.moves
FROM (
  SELECT account, subject,
    jsonb_agg(jsonb_build_object('at', at, 'status', status) ORDER BY at, status) AS moves
  FROM (
    SELECT DISTINCT told.account, told.subject, moved.status, moved.at
    FROM events AS told CROSS JOIN LATERAL (VALUES
      ('RUNNING', (detail->>'started_at')::timestamptz),
      ('RUNNING', (detail->>'redriven_at')::timestamptz),
      ('RUNNING', CASE WHEN told.status = 'RUNNING' AND detail->>'started_at' IS NULL
        AND detail->>'redriven_at' IS NULL THEN told.time END),
      (told.status, CASE WHEN told.status IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED')
        THEN coalesce((detail->>'stopped_at')::timestamptz, told.time) END)
    ) AS moved(status, at)
    WHERE told.kind = 'execution' AND moved.at IS NOT NULL
  ) AS moved
  GROUP BY 1, 2
) AS known
WHERE (executions.account, executions.execution_arn) = (known.account, known.subject);

UPDATE container_instances SET deregistered_at = gone.at
FROM (
  SELECT account, subject, min(time) AS at FROM events
  WHERE kind = 'container_instance' AND status = 'INACTIVE' GROUP BY 1, 2
) AS gone
WHERE (container_instances.account, instance_arn) = (gone.account, gone.subject)
"""


def upgrade() -> None:
    """Add columns and tables, and fill the columns."""
    for statement in CHANGES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Drop the rollups, which can be computed again, and what they are made of."""
    for table in ("metrics_hourly", "metrics_daily", "rollups", "marked_hours", "dropped_days"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP INDEX jobs_span")
    op.execute("DROP INDEX events_blocked")
    for column in ("submitted_at", "pending_at", "runnable_ats", "starting_ats", "running_ats"):
        op.execute(f"ALTER TABLE jobs DROP COLUMN {column}")
    op.execute("ALTER TABLE jobs DROP COLUMN reason")
    op.execute("ALTER TABLE executions DROP COLUMN moves")
    op.execute("ALTER TABLE container_instances DROP COLUMN deregistered_at")
