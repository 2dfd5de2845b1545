"""The kinds of columns that the ledger's tables are made of."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB


def moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    """Return the column of a moment."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def moments(name: str) -> sa.Column[object]:
    """Return the column of a list of moments."""
    return sa.Column(name, ARRAY(sa.DateTime(timezone=True)))


def text(name: str, *, nullable: bool = True) -> sa.Column[object]:
    """Return the column of a text."""
    return sa.Column(name, sa.Text, nullable=nullable)


def number(name: str) -> sa.Column[object]:
    """Return the column of a whole number."""
    return sa.Column(name, sa.Integer)


def flag(name: str, *, nullable: bool) -> sa.Column[object]:
    """Return the column of a truth."""
    return sa.Column(name, sa.Boolean, nullable=nullable)


def event_columns(*, time: str) -> list[sa.Column[object]]:
    """Return the columns of what every event has."""
    return [
        text("event_id", nullable=False),
        moment(time, nullable=False),
        text("aws_account_id", nullable=False),
        text("region", nullable=False),
    ]


def job_columns(*, required: bool) -> list[sa.Column[object]]:
    """Return the columns of what an event tells of a job."""
    return [
        text("job_id", nullable=not required),
        *(text(name, nullable=not required) for name in ("job_name", "queue", "definition")),
        text("status", nullable=not required),
        flag("blocked", nullable=not required),
        text("status_reason"),
        *map(moment, ("created_at", "started_at", "stopped_at")),
        sa.Column("attempts", JSONB),
        *map(number, ("max_attempts", "exit_code")),
        *map(text, ("container_reason", "log_stream", "container_instance")),
        sa.Column("vcpus", sa.Double),
        *map(number, ("memory_mib", "gpus")),
        *map(text, ("flow", "step", "run_id", "owner")),
        sa.Column("array_size", sa.Integer),
        *(flag(name, nullable=not required) for name in ("cancelled", "terminated")),
        text("task_id"),
        number("retry"),
    ]


def metric_columns(began: sa.Column[Any]) -> list[sa.Column[Any]]:
    """Return the columns of what a row of a metric has."""
    return [
        text("metric", nullable=False),
        began,
        sa.Column("dimensions", JSONB, nullable=False),
        sa.Column("count", sa.BigInteger),
        *(sa.Column(name, sa.Double) for name in ("sum", "min", "max", "last")),
        # Each value of a spread, in order; or each change of a level, in the order of `at_ms`.
        sa.Column("values", ARRAY(sa.Double)),
        sa.Column("at_ms", ARRAY(sa.Integer)),
    ]
