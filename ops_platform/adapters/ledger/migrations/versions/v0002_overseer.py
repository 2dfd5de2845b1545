"""What complete alerting needs: a message and its thread by channel, silences, reconciliation."""

from alembic import op

revision = "0002"
down_revision = "0001"

CHANGES = """
ALTER TABLE events ADD COLUMN task_id TEXT, ADD COLUMN retry INTEGER;
ALTER TABLE jobs ADD COLUMN task_id TEXT, ADD COLUMN retry INTEGER;

ALTER TABLE incidents
  ALTER COLUMN execution_arn DROP NOT NULL,
  ADD COLUMN machine_arn TEXT,
  ADD COLUMN started_at timestamptz,
  ADD COLUMN failing TEXT NOT NULL DEFAULT '',
  ADD COLUMN resolved_at timestamptz,
  ADD COLUMN resolved_by TEXT;

ALTER TABLE alerts
  DROP CONSTRAINT alerts_incident_id_revision_key,
  DROP COLUMN revision,
  ADD COLUMN part TEXT NOT NULL DEFAULT 'message',
  ADD COLUMN why TEXT NOT NULL DEFAULT 'first notification',
  ADD COLUMN posted_to TEXT,
  ADD COLUMN plain BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN fallback BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN told JSONB,
  ADD COLUMN telling JSONB,
  ADD COLUMN mentioned_at timestamptz,
  ADD COLUMN silence_id BIGINT,
  ADD COLUMN burst TEXT,
  ADD COLUMN joined_at timestamptz,
  ADD COLUMN told_with BIGINT;
UPDATE alerts SET channel = '' WHERE channel IS NULL;
UPDATE alerts SET posted_to = substring(permalink FROM '/archives/([A-Z0-9]+)/');
ALTER TABLE alerts
  ALTER COLUMN channel SET NOT NULL,
  ADD CONSTRAINT alerts_place UNIQUE (incident_id, channel, part);

CREATE TABLE silences (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  account TEXT,
  project TEXT,
  flow TEXT,
  owner TEXT,
  author TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  expired_by TEXT,
  PRIMARY KEY (id)
);

CREATE TABLE state_machines (
  account TEXT NOT NULL,
  arn TEXT NOT NULL,
  revision TEXT,
  flow TEXT,
  owner TEXT,
  is_metaflow BOOLEAN NOT NULL,
  described_at timestamptz NOT NULL,
  reconciled_until timestamptz,
  rule TEXT,
  schedule TEXT,
  scheduled_since timestamptz,
  PRIMARY KEY (account, arn)
);

CREATE TABLE watched (
  account TEXT NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (account)
);

CREATE TABLE job_logs (
  account TEXT NOT NULL,
  job_id TEXT NOT NULL,
  log_stream TEXT,
  exception TEXT,
  tail TEXT,
  truncated BOOLEAN NOT NULL,
  absence TEXT,
  fetched_at timestamptz NOT NULL,
  PRIMARY KEY (account, job_id)
);

CREATE INDEX executions_machine ON executions (account, machine_arn, stopped_at);
CREATE INDEX executions_succeeded ON executions (account, machine_arn, stopped_at)
  WHERE status = 'SUCCEEDED';
CREATE INDEX incidents_machine ON incidents (account, machine_arn, opened_at);
CREATE INDEX incidents_flow ON incidents (account, flow, opened_at) WHERE state = 'open';
CREATE INDEX incidents_cause ON incidents (account, reason, opened_at) WHERE state = 'open';
CREATE INDEX incidents_open ON incidents (account, machine_arn) WHERE state = 'open';
CREATE INDEX incidents_resolved ON incidents (account, machine_arn, resolved_at);
DROP INDEX alerts_due;
CREATE INDEX alerts_next ON alerts ((part <> 'message'), due_at, id)
  WHERE state IN ('pending', 'sending', 'ambiguous');
CREATE INDEX alerts_dead ON alerts (due_at) WHERE state = 'dead';
CREATE INDEX alerts_mentioned ON alerts (mentioned_at) WHERE mentioned_at IS NOT NULL;
CREATE INDEX alerts_silence ON alerts (silence_id) WHERE silence_id IS NOT NULL;
CREATE INDEX alerts_burst ON alerts (burst) WHERE burst IS NOT NULL;
CREATE INDEX alerts_told_with ON alerts (told_with) WHERE told_with IS NOT NULL
"""


def upgrade() -> None:
    """Extend the tables of the first version, keeping what is in them."""
    for statement in CHANGES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: what was told in threads and routed to channels could not be kept."""
    raise NotImplementedError("Restore the ledger from a backup to go back before version 0002.")
