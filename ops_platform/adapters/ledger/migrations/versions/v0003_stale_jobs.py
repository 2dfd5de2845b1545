"""What the cleanup of stale jobs needs: what was cancelled, why, and what came of it."""

from alembic import op

revision = "0003"
down_revision = "0002"

CHANGES = """
ALTER TABLE watched ADD COLUMN cleaned_at timestamptz;

CREATE TABLE cancellations (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  account TEXT NOT NULL,
  job_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  queue TEXT NOT NULL,
  flow TEXT,
  step TEXT,
  run_id TEXT,
  owner TEXT,
  verdict TEXT NOT NULL,
  reason TEXT NOT NULL,
  policy TEXT NOT NULL,
  cause TEXT,
  diagnosis TEXT,
  advice TEXT,
  evidence JSONB NOT NULL,
  blocker TEXT,
  execution_arn TEXT,
  runnable_since timestamptz,
  judged_at timestamptz NOT NULL,
  asked_by TEXT NOT NULL,
  tries INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  outcome_reason TEXT,
  settled_at timestamptz,
  PRIMARY KEY (id),
  CONSTRAINT cancellations_once UNIQUE (account, job_id, attempt, verdict)
);

CREATE INDEX cancellations_judged ON cancellations (judged_at);
CREATE INDEX cancellations_unsettled ON cancellations (account) WHERE settled_at IS NULL;
CREATE INDEX cancellations_run ON cancellations (account, run_id);
CREATE INDEX jobs_queue ON jobs (account, queue, status)
  WHERE status IN ('RUNNABLE', 'STARTING', 'RUNNING');
CREATE INDEX jobs_started ON jobs (account, queue, starting_at)
"""


def upgrade() -> None:
    """Add the table of cancellations, and what finds jobs by their queue."""
    for statement in CHANGES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a record of what was done to production is not deleted."""
    raise NotImplementedError("Restore the ledger from a backup to go back before version 0003.")
