"""What was promoted to production, by whom and on which evidence; none of it is ever edited."""

from alembic import op

revision = "0008"
down_revision = "0007"

_TABLES = """
CREATE TABLE promotions (
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  account TEXT NOT NULL,
  machine TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  requested_at timestamptz NOT NULL,
  flow TEXT,
  project TEXT,
  repository TEXT,
  pull_request INTEGER,
  commit TEXT,
  flow_path TEXT,
  author TEXT,
  approvers TEXT[] NOT NULL,
  owner TEXT,
  canary BOOLEAN NOT NULL,
  target BIGINT,
  PRIMARY KEY (id)
);
CREATE INDEX promotions_newest ON promotions (account, requested_at DESC);

CREATE TABLE promotion_entries (
  promotion_id TEXT NOT NULL REFERENCES promotions (id),
  seq INTEGER NOT NULL,
  what TEXT NOT NULL,
  at timestamptz NOT NULL,
  message TEXT NOT NULL,
  detail JSONB NOT NULL,
  PRIMARY KEY (promotion_id, seq)
);

CREATE TABLE deployments (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  account TEXT NOT NULL,
  machine TEXT NOT NULL,
  machine_arn TEXT NOT NULL,
  promotion_id TEXT NOT NULL REFERENCES promotions (id),
  kind TEXT NOT NULL,
  digest TEXT NOT NULL,
  version_arn TEXT NOT NULL,
  revision TEXT,
  rule JSONB,
  deployed_at timestamptz NOT NULL,
  deployed_by TEXT NOT NULL,
  flow TEXT,
  project TEXT,
  commit TEXT,
  owner TEXT,
  code_url TEXT,
  production_token TEXT,
  replaced BIGINT REFERENCES deployments (id),
  execution_arn TEXT,
  PRIMARY KEY (id)
);
CREATE INDEX deployments_newest ON deployments (account, machine, id DESC);
CREATE UNIQUE INDEX deployments_once ON deployments (promotion_id);

CREATE TABLE flow_locks (
  account TEXT NOT NULL,
  machine TEXT NOT NULL,
  promotion_id TEXT NOT NULL,
  repository TEXT,
  pull_request INTEGER,
  taken_by TEXT NOT NULL,
  taken_at timestamptz NOT NULL,
  PRIMARY KEY (account, machine)
);

CREATE TABLE lock_events (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  account TEXT NOT NULL,
  machine TEXT NOT NULL,
  what TEXT NOT NULL,
  holder TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE drift_looks (
  account TEXT NOT NULL,
  machine TEXT NOT NULL,
  looked_at timestamptz NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (account, machine)
)
"""
_WRITTEN_ONCE = ("promotions", "promotion_entries", "deployments", "lock_events")
_GUARD = """
CREATE FUNCTION written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The record of % is written once and never changed.', TG_TABLE_NAME;
END $$
"""


def upgrade() -> None:
    """Create the tables, and what keeps the record as it was written."""
    for statement in _TABLES.split(";"):
        op.execute(statement)
    op.execute(_GUARD)
    for table in _WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION written_once()"
        )


def downgrade() -> None:
    """Forget who deployed what: roll backs have nothing to go back to any more."""
    for table in ("drift_looks", "lock_events", "flow_locks", "deployments"):
        op.execute(f"DROP TABLE {table}")
    for table in ("promotion_entries", "promotions"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION written_once()")
