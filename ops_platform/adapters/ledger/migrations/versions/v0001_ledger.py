"""The ledger's first tables."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE SEQUENCE execution_changes;

CREATE TABLE container_instances (
  account TEXT NOT NULL,
  event_id TEXT NOT NULL,
  changed_at timestamptz NOT NULL,
  aws_account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  instance_arn TEXT NOT NULL,
  ec2_instance_id TEXT,
  cluster TEXT NOT NULL,
  status TEXT NOT NULL,
  version INTEGER NOT NULL,
  agent_connected BOOLEAN NOT NULL,
  instance_type TEXT,
  availability_zone TEXT,
  cpu_units INTEGER,
  memory_mib INTEGER,
  registered_at timestamptz NOT NULL,
  PRIMARY KEY (account, instance_arn)
);

CREATE TABLE events (
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  received_at timestamptz NOT NULL,
  detail JSONB,
  event_id TEXT NOT NULL,
  time timestamptz NOT NULL,
  aws_account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  job_id TEXT,
  job_name TEXT,
  queue TEXT,
  definition TEXT,
  status TEXT,
  blocked BOOLEAN,
  status_reason TEXT,
  created_at timestamptz,
  started_at timestamptz,
  stopped_at timestamptz,
  attempts JSONB,
  max_attempts INTEGER,
  exit_code INTEGER,
  container_reason TEXT,
  log_stream TEXT,
  container_instance TEXT,
  vcpus double precision,
  memory_mib INTEGER,
  gpus INTEGER,
  flow TEXT,
  step TEXT,
  run_id TEXT,
  owner TEXT,
  array_size INTEGER,
  cancelled BOOLEAN,
  terminated BOOLEAN,
  PRIMARY KEY (time, event_id)
) PARTITION BY RANGE (time);

CREATE TABLE executions (
  account TEXT NOT NULL,
  event_id TEXT NOT NULL,
  changed_at timestamptz NOT NULL,
  aws_account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  execution_arn TEXT NOT NULL,
  machine_arn TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  started_at timestamptz,
  stopped_at timestamptz,
  redriven_at timestamptz,
  error TEXT,
  cause TEXT,
  metaflow_input BOOLEAN NOT NULL,
  failure JSONB,
  run_id TEXT NOT NULL,
  flow TEXT,
  project TEXT,
  branch TEXT,
  seq bigint NOT NULL DEFAULT nextval('execution_changes'),
  PRIMARY KEY (account, execution_arn)
);

CREATE TABLE incidents (
  id TEXT NOT NULL,
  account TEXT NOT NULL,
  flow TEXT NOT NULL,
  run_id TEXT NOT NULL,
  execution_arn TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  owner TEXT,
  project TEXT,
  branch TEXT,
  opened_at timestamptz NOT NULL,
  failed_jobs INTEGER NOT NULL,
  collateral_jobs INTEGER NOT NULL,
  steps JSONB NOT NULL,
  reason TEXT NOT NULL,
  error TEXT,
  step TEXT,
  job_id TEXT,
  log_stream TEXT,
  PRIMARY KEY (id)
);

CREATE TABLE jobs (
  account TEXT NOT NULL,
  event_id TEXT NOT NULL,
  changed_at timestamptz NOT NULL,
  aws_account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  job_id TEXT NOT NULL,
  job_name TEXT NOT NULL,
  queue TEXT NOT NULL,
  definition TEXT NOT NULL,
  status TEXT NOT NULL,
  blocked BOOLEAN NOT NULL,
  status_reason TEXT,
  created_at timestamptz,
  started_at timestamptz,
  stopped_at timestamptz,
  attempts JSONB,
  max_attempts INTEGER,
  exit_code INTEGER,
  container_reason TEXT,
  log_stream TEXT,
  container_instance TEXT,
  vcpus double precision,
  memory_mib INTEGER,
  gpus INTEGER,
  flow TEXT,
  step TEXT,
  run_id TEXT,
  owner TEXT,
  array_size INTEGER,
  cancelled BOOLEAN NOT NULL,
  terminated BOOLEAN NOT NULL,
  runnable_at timestamptz,
  starting_at timestamptz,
  PRIMARY KEY (account, job_id)
) WITH (fillfactor = 80);

CREATE TABLE leases (
  name TEXT NOT NULL,
  holder TEXT NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE rejected_messages (
  digest BYTEA NOT NULL,
  body BYTEA NOT NULL,
  error TEXT NOT NULL,
  first_seen_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  times INTEGER NOT NULL,
  PRIMARY KEY (digest)
);

CREATE TABLE runs (
  account TEXT NOT NULL,
  run_id TEXT NOT NULL,
  flow TEXT,
  owner TEXT,
  machine_flow TEXT,
  machine_owner TEXT,
  PRIMARY KEY (account, run_id)
);

CREATE TABLE alerts (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  incident_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  due_at timestamptz NOT NULL,
  attempts INTEGER DEFAULT '0' NOT NULL,
  channel TEXT,
  message_ts TEXT,
  permalink TEXT,
  sending_at timestamptz,
  sent_at timestamptz,
  PRIMARY KEY (id),
  UNIQUE (incident_id, revision),
  FOREIGN KEY(incident_id) REFERENCES incidents (id)
);

-- Events of days far from now, whose partition is not worth a table of its own.
CREATE TABLE events_other PARTITION OF events DEFAULT;

CREATE INDEX jobs_run ON jobs (account, run_id);
CREATE INDEX jobs_open ON jobs (account, status) WHERE status NOT IN ('SUCCEEDED', 'FAILED');
CREATE INDEX jobs_recent ON jobs (changed_at);
CREATE INDEX executions_run ON executions (account, run_id);
CREATE INDEX executions_seq ON executions (account, seq);
CREATE INDEX executions_recent ON executions (changed_at);
CREATE INDEX incidents_recent ON incidents (opened_at);
CREATE INDEX alerts_due ON alerts (due_at) WHERE state IN ('pending', 'sending', 'ambiguous')
"""


def upgrade() -> None:
    """Create the tables; events are partitioned by day."""
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: the ledger's history could not be had again."""
    raise NotImplementedError("There is nothing before the first version of the ledger.")
