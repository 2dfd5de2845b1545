"""When a queue was last seen out of order, so that its jobs have time after it is repaired."""

from alembic import op

revision = "0004"
down_revision = "0003"

CHANGES = """
CREATE TABLE queues (
  account TEXT NOT NULL,
  queue TEXT NOT NULL,
  out_of_order_at timestamptz NOT NULL,
  PRIMARY KEY (account, queue)
);

CREATE INDEX cancellations_queue ON cancellations (account, queue, judged_at)
"""


def upgrade() -> None:
    """Add the table of queues."""
    for statement in CHANGES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forget when queues were out of order; it is seen anew within one cleanup."""
    op.execute("DROP INDEX cancellations_queue")
    op.execute("DROP TABLE queues")
