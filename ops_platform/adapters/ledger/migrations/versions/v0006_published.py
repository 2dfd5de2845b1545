"""Which hours CloudWatch was given, and the requests that it was not surely given yet."""

from alembic import op

revision = "0006"
down_revision = "0005"

CHANGES = """
CREATE TABLE published_hours (
  account TEXT NOT NULL,
  namespace TEXT NOT NULL,
  noun TEXT NOT NULL,
  hour timestamptz NOT NULL,
  computed_at timestamptz NOT NULL,
  cuts bytea NOT NULL,
  digest bytea NOT NULL,
  requests INTEGER NOT NULL,
  changed_at timestamptz,
  PRIMARY KEY (account, namespace, noun, hour)
);

CREATE TABLE metric_requests (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  account TEXT NOT NULL,
  namespace TEXT NOT NULL,
  hour timestamptz NOT NULL,
  body bytea NOT NULL,
  sending_at timestamptz,
  PRIMARY KEY (id)
)
"""


def upgrade() -> None:
    """Create the tables."""
    for statement in CHANGES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forget what was sent; whoever publishes again to the same namespace sends it twice."""
    op.execute("DROP TABLE metric_requests")
    op.execute("DROP TABLE published_hours")
