"""The ledger's tables.

The state tables repeat the fields of the event that is newest for their subject, under the same
names but for ``id`` (``event_id``) and ``time`` (``changed_at``); a test holds them to the structs.
The migrations create the tables; this module is how queries name them.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ops_platform.domain.events import Event

metadata = sa.MetaData()
_RENAMED = {"id": "event_id", "time": "changed_at"}


def columns_of(event: type[Event]) -> tuple[str, ...]:
    """Return the columns in which a state table keeps the newest event, in the event's order."""
    return tuple(_RENAMED.get(name, name) for name in event.__struct_fields__)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _moments(name: str) -> sa.Column[object]:
    return sa.Column(name, ARRAY(sa.DateTime(timezone=True)))


def _text(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer)


def _flag(name: str, *, nullable: bool) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean, nullable=nullable)


def _event_columns(*, time: str) -> list[sa.Column[object]]:
    return [
        _text("event_id", nullable=False),
        _moment(time, nullable=False),
        _text("aws_account_id", nullable=False),
        _text("region", nullable=False),
    ]


def _job_columns(*, required: bool) -> list[sa.Column[object]]:
    return [
        _text("job_id", nullable=not required),
        *(_text(name, nullable=not required) for name in ("job_name", "queue", "definition")),
        _text("status", nullable=not required),
        _flag("blocked", nullable=not required),
        _text("status_reason"),
        *map(_moment, ("created_at", "started_at", "stopped_at")),
        sa.Column("attempts", JSONB),
        *map(_number, ("max_attempts", "exit_code")),
        *map(_text, ("container_reason", "log_stream", "container_instance")),
        sa.Column("vcpus", sa.Double),
        *map(_number, ("memory_mib", "gpus")),
        *map(_text, ("flow", "step", "run_id", "owner")),
        sa.Column("array_size", sa.Integer),
        *(_flag(name, nullable=not required) for name in ("cancelled", "terminated")),
        _text("task_id"),
        _number("retry"),
    ]


def _metric_columns(began: sa.Column[Any]) -> list[sa.Column[Any]]:
    return [
        _text("metric", nullable=False),
        began,
        sa.Column("dimensions", JSONB, nullable=False),
        sa.Column("count", sa.BigInteger),
        *(sa.Column(name, sa.Double) for name in ("sum", "min", "max", "last")),
        # Each value of a spread, in order; or each change of a level, in the order of `at_ms`.
        sa.Column("values", ARRAY(sa.Double)),
        sa.Column("at_ms", ARRAY(sa.Integer)),
    ]


events = sa.Table(
    "events",
    metadata,
    _text("account", nullable=False),
    _text("kind", nullable=False),
    _text("subject", nullable=False),
    _moment("received_at", nullable=False),
    sa.Column("detail", JSONB),  # what the columns below cannot hold: other kinds than jobs
    *_event_columns(time="time"),
    *_job_columns(required=False),
    sa.PrimaryKeyConstraint("time", "event_id"),
)

rejected_messages = sa.Table(
    "rejected_messages",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    _text("error", nullable=False),
    _moment("first_seen_at", nullable=False),
    _moment("last_seen_at", nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    _text("account", nullable=False),
    *_event_columns(time="changed_at"),
    *_job_columns(required=True),
    *map(_moment, ("runnable_at", "starting_at", "submitted_at", "pending_at")),
    *map(_moments, ("runnable_ats", "starting_ats", "running_ats")),  # by attempt
    _text("reason"),
    sa.PrimaryKeyConstraint("account", "job_id"),
)

executions = sa.Table(
    "executions",
    metadata,
    _text("account", nullable=False),
    *_event_columns(time="changed_at"),
    *(_text(name, nullable=False) for name in ("execution_arn", "machine_arn", "name", "status")),
    *map(_moment, ("started_at", "stopped_at", "redriven_at")),
    *map(_text, ("error", "cause")),
    sa.Column("metaflow_input", sa.Boolean, nullable=False),
    sa.Column("failure", JSONB),
    _text("run_id", nullable=False),
    *map(_text, ("flow", "project", "branch")),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("moves", JSONB, nullable=False),
    sa.PrimaryKeyConstraint("account", "execution_arn"),
)

container_instances = sa.Table(
    "container_instances",
    metadata,
    _text("account", nullable=False),
    *_event_columns(time="changed_at"),
    _text("instance_arn", nullable=False),
    _text("ec2_instance_id"),
    *(_text(name, nullable=False) for name in ("cluster", "status")),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("agent_connected", sa.Boolean, nullable=False),
    *map(_text, ("instance_type", "availability_zone")),
    *(sa.Column(name, sa.Integer) for name in ("cpu_units", "memory_mib")),
    _moment("registered_at", nullable=False),
    _moment("deregistered_at"),
    sa.PrimaryKeyConstraint("account", "instance_arn"),
)

runs = sa.Table(
    "runs",
    metadata,
    _text("account", nullable=False),
    _text("run_id", nullable=False),
    *map(_text, ("flow", "owner", "machine_flow", "machine_owner")),
    sa.PrimaryKeyConstraint("account", "run_id"),
)

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *(_text(name, nullable=False) for name in ("account", "flow", "run_id", "kind", "state")),
    *map(_text, ("execution_arn", "machine_arn", "owner", "project", "branch")),
    _moment("started_at"),
    _moment("opened_at", nullable=False),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("failed_jobs", "collateral_jobs")),
    sa.Column("steps", JSONB, nullable=False),
    _text("reason", nullable=False),
    *map(_text, ("error", "step", "job_id", "log_stream")),
    _text("failing", nullable=False),
    _moment("resolved_at"),
    _text("resolved_by"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("incident_id", sa.Text, sa.ForeignKey("incidents.id"), nullable=False),
    _text("channel", nullable=False),
    _text("part", nullable=False),
    _text("state", nullable=False),
    _text("why", nullable=False),
    _text("reason"),
    _moment("due_at", nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    *map(_text, ("posted_to", "message_ts", "permalink")),
    *map(_moment, ("sending_at", "sent_at", "mentioned_at")),
    _flag("plain", nullable=False),
    _flag("fallback", nullable=False),
    sa.Column("told", JSONB(none_as_null=True)),
    sa.Column("telling", JSONB(none_as_null=True)),
    sa.Column("silence_id", sa.BigInteger),
    _text("burst"),
    _moment("joined_at"),
    sa.Column("told_with", sa.BigInteger),
    sa.UniqueConstraint("incident_id", "channel", "part", name="alerts_place"),
)

silences = sa.Table(
    "silences",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *map(_text, ("account", "project", "flow", "owner")),
    *(_text(name, nullable=False) for name in ("author", "reason")),
    *(_moment(name, nullable=False) for name in ("created_at", "ends_at")),
    _text("expired_by"),
)

state_machines = sa.Table(
    "state_machines",
    metadata,
    *(_text(name, nullable=False) for name in ("account", "arn")),
    *map(_text, ("revision", "flow", "owner")),
    _flag("is_metaflow", nullable=False),
    _moment("described_at", nullable=False),
    _moment("reconciled_until"),
    *map(_text, ("rule", "schedule")),
    _moment("scheduled_since"),
    sa.PrimaryKeyConstraint("account", "arn"),
)

watched = sa.Table(
    "watched",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    _moment("since", nullable=False),
    _moment("cleaned_at"),
)

job_logs = sa.Table(
    "job_logs",
    metadata,
    *(_text(name, nullable=False) for name in ("account", "job_id")),
    *map(_text, ("log_stream", "exception", "tail")),
    _flag("truncated", nullable=False),
    _text("absence"),
    _moment("fetched_at", nullable=False),
    sa.PrimaryKeyConstraint("account", "job_id"),
)

cancellations = sa.Table(
    "cancellations",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *(_text(name, nullable=False) for name in ("account", "job_id")),
    sa.Column("attempt", sa.Integer, nullable=False),
    _text("queue", nullable=False),
    *map(_text, ("flow", "step", "run_id", "owner")),
    *(_text(name, nullable=False) for name in ("verdict", "reason", "policy")),
    *map(_text, ("cause", "diagnosis", "advice")),
    sa.Column("evidence", JSONB, nullable=False),
    *map(_text, ("blocker", "execution_arn")),
    _moment("runnable_since"),
    _moment("judged_at", nullable=False),
    _text("asked_by", nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    _text("outcome", nullable=False),
    _text("outcome_reason"),
    _moment("settled_at"),
    sa.UniqueConstraint("account", "job_id", "attempt", "verdict", name="cancellations_once"),
)

queues = sa.Table(
    "queues",
    metadata,
    *(_text(name, nullable=False) for name in ("account", "queue")),
    _moment("out_of_order_at", nullable=False),
    sa.PrimaryKeyConstraint("account", "queue"),
)

metrics_hourly = sa.Table(
    "metrics_hourly", metadata, *_metric_columns(_moment("hour", nullable=False))
)
metrics_daily = sa.Table(
    "metrics_daily", metadata, *_metric_columns(sa.Column("day", sa.Date, nullable=False))
)

rollups = sa.Table(
    "rollups",
    metadata,
    *(_text(name, nullable=False) for name in ("grain", "noun")),
    _moment("began", nullable=False),
    _moment("computed_at", nullable=False),
    _flag("partial", nullable=False),
    sa.PrimaryKeyConstraint("grain", "noun", "began"),
)

marked_hours = sa.Table(
    "marked_hours",
    metadata,
    _text("noun", nullable=False),
    _moment("hour", nullable=False),
    _moment("until", nullable=False),
    _moment("marked_at", nullable=False),
)

dropped_days = sa.Table(
    "dropped_days",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    _moment("dropped_at", nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("holder", nullable=False),
    _moment("until", nullable=False),
)

published_hours = sa.Table(
    "published_hours",
    metadata,
    *(_text(name, nullable=False) for name in ("account", "namespace", "noun")),
    _moment("hour", nullable=False),
    _moment("computed_at", nullable=False),
    *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("cuts", "digest")),
    sa.Column("requests", sa.Integer, nullable=False),
    _moment("changed_at"),
    sa.PrimaryKeyConstraint("account", "namespace", "noun", "hour"),
)

metric_requests = sa.Table(
    "metric_requests",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *(_text(name, nullable=False) for name in ("account", "namespace")),
    _moment("hour", nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    _moment("sending_at"),
)
