"""The state of Batch jobs."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ops_platform.adapters.ledger import rows
from ops_platform.adapters.ledger.queries import Filter, Row, fetch, narrowed, one_of
from ops_platform.adapters.ledger.schema import columns_of, jobs
from ops_platform.domain.events import Attempt, JobEvent
from ops_platform.domain.lifecycle import JOB_ENDS, LOST, Job
from ops_platform.domain.moments import Entered
from ops_platform.domain.reasons import classify

_ENTERED = ("submitted_at", "pending_at", "runnable_ats", "starting_ats", "running_ats")
_COLUMNS = ("account", *columns_of(JobEvent), "runnable_at", "starting_at", *_ENTERED)
_FIELDS = len(JobEvent.__struct_fields__)
_ATTEMPTS = _COLUMNS.index("attempts")
# As text, since of tens of thousands of jobs the driver would be longest at reading this.
_READ = {"attempts": sa.cast(jobs.c.attempts, sa.Text).label("attempts")}
_SELECTED = [_READ.get(name, jobs.c[name]) for name in _COLUMNS]
_attempts = msgspec.json.Decoder(tuple[Attempt, ...]).decode


def load(tx: sa.Connection, account: str, job_ids: Collection[str]) -> dict[str, Job]:
    """Return the jobs of an account by id, those that are known."""
    wanted = one_of(jobs.c.job_id, job_ids)
    found = tx.execute(sa.select(*_SELECTED).where(jobs.c.account == account, wanted))
    return {job.latest.job_id: job for job in map(_job, found)}


def save(tx: sa.Connection, changed: Iterable[Job]) -> None:
    """Store the jobs as they are now."""
    rows.upsert(tx, jobs, (*_COLUMNS, "reason"), map(_row, changed))


def failed_of_run(tx: sa.Connection, account: str, run_id: str) -> tuple[Job, ...]:
    """Return the jobs of a run that failed."""
    query = sa.select(*_SELECTED).where(
        jobs.c.account == account, jobs.c.run_id == run_id, jobs.c.status == "FAILED"
    )
    return tuple(map(_job, tx.execute(query).all()))


def of_run(tx: sa.Connection, account: str, run_id: str) -> tuple[Job, ...]:
    """Return the jobs of a run."""
    query = sa.select(*_SELECTED).where(jobs.c.account == account, jobs.c.run_id == run_id)
    return tuple(map(_job, tx.execute(query).all()))


def succeeded_of_run(tx: sa.Connection, account: str, run_id: str) -> dict[str, int]:
    """Return how many jobs of each step of a run succeeded."""
    step = sa.func.coalesce(jobs.c.step, "unknown")
    query = (
        sa.select(step, sa.func.count())
        .where(jobs.c.account == account, jobs.c.run_id == run_id)
        .where(jobs.c.status == "SUCCEEDED", jobs.c.array_size.is_(None))
        .group_by(step)
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def still_open(tx: sa.Connection, account: str) -> list[Job]:
    """Return the jobs of an account that have not ended."""
    is_open = jobs.c.status.not_in(JOB_ENDS) & (jobs.c.status != LOST)
    query = sa.select(*_SELECTED).where(jobs.c.account == account, is_open)
    return list(map(_job, tx.execute(query)))


def recent(tx: sa.Connection, wanted: Filter) -> list[Row]:
    """Return jobs as rows, the last changed first."""
    shown = (
        "account", "job_id", "status", "flow", "step", "run_id", "owner", "queue", "status_reason",
        "created_at", "runnable_at", "starting_at", "started_at", "stopped_at", "changed_at",
        "exit_code", "log_stream", "vcpus", "memory_mib", "gpus",
    )  # fmt: skip
    query = narrowed(
        sa.select(
            *(jobs.c[name] for name in shown),
            sa.func.jsonb_array_length(jobs.c.attempts).label("attempts"),
        ),
        wanted,
        account=jobs.c.account,
        flow=jobs.c.flow,
        status=jobs.c.status,
        at=jobs.c.changed_at,
    )
    return fetch(tx, query)


def _job(row: Sequence[Any]) -> Job:
    account, *fields = row
    fields[_ATTEMPTS - 1] = _attempts(fields[_ATTEMPTS - 1])
    runnable_at, starting_at, submitted, pending, *by_attempt = fields[_FIELDS:]
    entered = Entered(submitted, pending, *(tuple(each or ()) for each in by_attempt))
    return Job(account, JobEvent(*fields[:_FIELDS]), runnable_at, starting_at, entered)


def _row(job: Job) -> tuple[Any, ...]:
    latest, entered = job.latest, job.entered
    row = [job.account, *msgspec.structs.astuple(latest), job.runnable_at, job.starting_at]
    row += [entered.submitted, entered.pending]
    row += [list(each) or None for each in (entered.runnable, entered.starting, entered.running)]
    row.append(classify(latest).value if latest.status == "FAILED" else None)
    row[_ATTEMPTS] = rows.as_json(latest.attempts)
    return tuple(row)
