"""The tables of promotions, deployments and locks, as queries name them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ops_platform.adapters.ledger.columns import flag, moment, text
from ops_platform.adapters.ledger.schema import metadata

promotions = sa.Table(
    "promotions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *(text(name, nullable=False) for name in ("kind", "account", "machine", "actor", "reason")),
    moment("requested_at", nullable=False),
    *map(text, ("flow", "project", "repository")),
    sa.Column("pull_request", sa.Integer),
    *map(text, ("commit", "flow_path", "author")),
    sa.Column("approvers", sa.ARRAY(sa.Text), nullable=False),
    text("owner"),
    flag("canary", nullable=False),
    sa.Column("target", sa.BigInteger),
)

promotion_entries = sa.Table(
    "promotion_entries",
    metadata,
    sa.Column("promotion_id", sa.Text, sa.ForeignKey("promotions.id"), nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    text("what", nullable=False),
    moment("at", nullable=False),
    text("message", nullable=False),
    sa.Column("detail", JSONB, nullable=False),
    sa.PrimaryKeyConstraint("promotion_id", "seq"),
)

deployments = sa.Table(
    "deployments",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *(text(name, nullable=False) for name in ("account", "machine", "machine_arn")),
    sa.Column("promotion_id", sa.Text, sa.ForeignKey("promotions.id"), nullable=False),
    *(text(name, nullable=False) for name in ("kind", "digest", "version_arn")),
    text("revision"),
    sa.Column("rule", JSONB(none_as_null=True)),
    moment("deployed_at", nullable=False),
    text("deployed_by", nullable=False),
    *map(text, ("flow", "project", "commit", "owner", "code_url", "production_token")),
    sa.Column("replaced", sa.BigInteger, sa.ForeignKey("deployments.id")),
    text("execution_arn"),
)

flow_locks = sa.Table(
    "flow_locks",
    metadata,
    *(text(name, nullable=False) for name in ("account", "machine", "promotion_id")),
    text("repository"),
    sa.Column("pull_request", sa.Integer),
    text("taken_by", nullable=False),
    moment("taken_at", nullable=False),
    sa.PrimaryKeyConstraint("account", "machine"),
)

lock_events = sa.Table(
    "lock_events",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *(text(name, nullable=False) for name in ("account", "machine", "what", "holder")),
    *(text(name, nullable=False) for name in ("actor", "reason")),
    moment("at", nullable=False),
)

drift_looks = sa.Table(
    "drift_looks",
    metadata,
    *(text(name, nullable=False) for name in ("account", "machine")),
    moment("looked_at", nullable=False),
    *(text(name, nullable=False) for name in ("reason", "message")),
    sa.PrimaryKeyConstraint("account", "machine"),
)

WRITTEN_ONCE = (promotions, promotion_entries, deployments, lock_events)
"""Tables whose rows Postgres lets nobody change or delete."""
