"""The ledger's tables.

The state tables repeat the fields of the event that is newest for their subject, under the same
names but for ``id`` (``event_id``) and ``time`` (``changed_at``); a test holds them to the structs.
The migrations create the tables; this module is how queries name them.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ops_platform.adapters.ledger.columns import (
    event_columns,
    flag,
    job_columns,
    metric_columns,
    moment,
    moments,
    text,
)
from ops_platform.domain.events import Event

metadata = sa.MetaData()
_RENAMED = {"id": "event_id", "time": "changed_at"}


def columns_of(event: type[Event]) -> tuple[str, ...]:
    """Return the columns in which a state table keeps the newest event, in the event's order."""
    return tuple(_RENAMED.get(name, name) for name in event.__struct_fields__)


events = sa.Table(
    "events",
    metadata,
    text("account", nullable=False),
    text("kind", nullable=False),
    text("subject", nullable=False),
    moment("received_at", nullable=False),
    sa.Column("detail", JSONB),  # what the columns below cannot hold: other kinds than jobs
    *event_columns(time="time"),
    *job_columns(required=False),
    sa.PrimaryKeyConstraint("time", "event_id"),
)

rejected_messages = sa.Table(
    "rejected_messages",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    text("error", nullable=False),
    moment("first_seen_at", nullable=False),
    moment("last_seen_at", nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    text("account", nullable=False),
    *event_columns(time="changed_at"),
    *job_columns(required=True),
    *map(moment, ("runnable_at", "starting_at", "submitted_at", "pending_at")),
    *map(moments, ("runnable_ats", "starting_ats", "running_ats")),  # by attempt
    text("reason"),
    sa.PrimaryKeyConstraint("account", "job_id"),
)

executions = sa.Table(
    "executions",
    metadata,
    text("account", nullable=False),
    *event_columns(time="changed_at"),
    *(text(name, nullable=False) for name in ("execution_arn", "machine_arn", "name", "status")),
    *map(moment, ("started_at", "stopped_at", "redriven_at")),
    *map(text, ("error", "cause")),
    sa.Column("metaflow_input", sa.Boolean, nullable=False),
    sa.Column("failure", JSONB),
    text("run_id", nullable=False),
    *map(text, ("flow", "project", "branch")),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("moves", JSONB, nullable=False),
    sa.PrimaryKeyConstraint("account", "execution_arn"),
)

container_instances = sa.Table(
    "container_instances",
    metadata,
    text("account", nullable=False),
    *event_columns(time="changed_at"),
    text("instance_arn", nullable=False),
    text("ec2_instance_id"),
    *(text(name, nullable=False) for name in ("cluster", "status")),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("agent_connected", sa.Boolean, nullable=False),
    *map(text, ("instance_type", "availability_zone")),
    *(sa.Column(name, sa.Integer) for name in ("cpu_units", "memory_mib")),
    moment("registered_at", nullable=False),
    moment("deregistered_at"),
    sa.PrimaryKeyConstraint("account", "instance_arn"),
)

runs = sa.Table(
    "runs",
    metadata,
    text("account", nullable=False),
    text("run_id", nullable=False),
    *map(text, ("flow", "owner", "machine_flow", "machine_owner")),
    sa.PrimaryKeyConstraint("account", "run_id"),
)

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *(text(name, nullable=False) for name in ("account", "flow", "run_id", "kind", "state")),
    *map(text, ("execution_arn", "machine_arn", "owner", "project", "branch")),
    moment("started_at"),
    moment("opened_at", nullable=False),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("failed_jobs", "collateral_jobs")),
    sa.Column("steps", JSONB, nullable=False),
    text("reason", nullable=False),
    *map(text, ("error", "step", "job_id", "log_stream")),
    text("failing", nullable=False),
    moment("resolved_at"),
    text("resolved_by"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("incident_id", sa.Text, sa.ForeignKey("incidents.id"), nullable=False),
    text("channel", nullable=False),
    text("part", nullable=False),
    text("state", nullable=False),
    text("why", nullable=False),
    text("reason"),
    moment("due_at", nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    *map(text, ("posted_to", "message_ts", "permalink")),
    *map(moment, ("sending_at", "sent_at", "mentioned_at")),
    flag("plain", nullable=False),
    flag("fallback", nullable=False),
    sa.Column("told", JSONB(none_as_null=True)),
    sa.Column("telling", JSONB(none_as_null=True)),
    sa.Column("silence_id", sa.BigInteger),
    text("burst"),
    moment("joined_at"),
    sa.Column("told_with", sa.BigInteger),
    sa.UniqueConstraint("incident_id", "channel", "part", name="alerts_place"),
)

silences = sa.Table(
    "silences",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *map(text, ("account", "project", "flow", "owner")),
    *(text(name, nullable=False) for name in ("author", "reason")),
    *(moment(name, nullable=False) for name in ("created_at", "ends_at")),
    text("expired_by"),
)

state_machines = sa.Table(
    "state_machines",
    metadata,
    *(text(name, nullable=False) for name in ("account", "arn")),
    *map(text, ("revision", "flow", "owner")),
    flag("is_metaflow", nullable=False),
    moment("described_at", nullable=False),
    moment("reconciled_until"),
    *map(text, ("rule", "schedule")),
    moment("scheduled_since"),
    sa.PrimaryKeyConstraint("account", "arn"),
)

watched = sa.Table(
    "watched",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    moment("since", nullable=False),
    moment("cleaned_at"),
)

job_logs = sa.Table(
    "job_logs",
    metadata,
    *(text(name, nullable=False) for name in ("account", "job_id")),
    *map(text, ("log_stream", "exception", "tail")),
    flag("truncated", nullable=False),
    text("absence"),
    moment("fetched_at", nullable=False),
    sa.PrimaryKeyConstraint("account", "job_id"),
)

cancellations = sa.Table(
    "cancellations",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *(text(name, nullable=False) for name in ("account", "job_id")),
    sa.Column("attempt", sa.Integer, nullable=False),
    text("queue", nullable=False),
    *map(text, ("flow", "step", "run_id", "owner")),
    *(text(name, nullable=False) for name in ("verdict", "reason", "policy")),
    *map(text, ("cause", "diagnosis", "advice")),
    sa.Column("evidence", JSONB, nullable=False),
    *map(text, ("blocker", "execution_arn")),
    moment("runnable_since"),
    moment("judged_at", nullable=False),
    text("asked_by", nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    text("outcome", nullable=False),
    text("outcome_reason"),
    moment("settled_at"),
    sa.UniqueConstraint("account", "job_id", "attempt", "verdict", name="cancellations_once"),
)

queues = sa.Table(
    "queues",
    metadata,
    *(text(name, nullable=False) for name in ("account", "queue")),
    moment("out_of_order_at", nullable=False),
    sa.PrimaryKeyConstraint("account", "queue"),
)

metrics_hourly = sa.Table(
    "metrics_hourly", metadata, *metric_columns(moment("hour", nullable=False))
)
metrics_daily = sa.Table(
    "metrics_daily", metadata, *metric_columns(sa.Column("day", sa.Date, nullable=False))
)

rollups = sa.Table(
    "rollups",
    metadata,
    *(text(name, nullable=False) for name in ("grain", "noun")),
    moment("began", nullable=False),
    moment("computed_at", nullable=False),
    flag("partial", nullable=False),
    sa.PrimaryKeyConstraint("grain", "noun", "began"),
)

marked_hours = sa.Table(
    "marked_hours",
    metadata,
    text("noun", nullable=False),
    moment("hour", nullable=False),
    moment("until", nullable=False),
    moment("marked_at", nullable=False),
)

dropped_days = sa.Table(
    "dropped_days",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    moment("dropped_at", nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    text("holder", nullable=False),
    moment("until", nullable=False),
)

published_hours = sa.Table(
    "published_hours",
    metadata,
    *(text(name, nullable=False) for name in ("account", "namespace", "noun")),
    moment("hour", nullable=False),
    moment("computed_at", nullable=False),
    *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("cuts", "digest")),
    sa.Column("requests", sa.Integer, nullable=False),
    moment("changed_at"),
    sa.PrimaryKeyConstraint("account", "namespace", "noun", "hour"),
)

metric_requests = sa.Table(
    "metric_requests",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *(text(name, nullable=False) for name in ("account", "namespace")),
    moment("hour", nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    moment("sending_at"),
)
