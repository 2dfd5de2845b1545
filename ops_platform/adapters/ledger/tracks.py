"""How a flow did before an incident, and which jobs of its run failed by themselves."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from ops_platform.adapters.ledger import jobs as known
from ops_platform.adapters.ledger.schema import executions, jobs, watched
from ops_platform.domain.incidents import Incident
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.reasons import GAVE_UP
from ops_platform.domain.story import Track

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_failure = executions.c.failure
_failed_at = sa.cast(
    sa.func.coalesce(_failure["stopped_at"].astext, _failure["time"].astext),
    sa.DateTime(timezone=True),
)
_redriven_at = sa.cast(_failure["redriven_at"].astext, sa.DateTime(timezone=True))
# As Job.stopped_at has it, of a job that has ended.
_stopped_at = sa.func.coalesce(jobs.c.stopped_at, jobs.c.changed_at)


def track(tx: sa.Connection, incident: Incident) -> Track | None:
    """Return how the incident's state machine did until then; None if there is none.

    A run that was redriven since counts as the failure it was.
    """
    if incident.machine_arn is None:
        return None
    ours = (executions.c.account == incident.account) & (
        executions.c.machine_arn == incident.machine_arn
    )
    last_success = tx.scalar(
        sa.select(sa.func.max(executions.c.stopped_at))
        .where(ours, executions.c.status == "SUCCEEDED")
        .where(executions.c.stopped_at <= incident.opened_at)
    )
    after = last_success or _BEGINNING
    # What has stopped, stopped no sooner than it failed: this is what the index can tell.
    recent = (executions.c.stopped_at > after) | executions.c.stopped_at.is_(None)
    failures = sa.select(sa.func.count()).where(
        ours, recent, _failed_at > after, _failed_at <= incident.opened_at
    )
    return Track(
        failures_in_a_row=tx.scalar(failures) or 0,
        last_success_at=last_success,
        knows_since=_knows_since(tx, incident, ours),
    )


def _knows_since(
    tx: sa.Connection, incident: Incident, ours: sa.ColumnElement[bool]
) -> datetime | None:
    first = sa.select(sa.func.min(executions.c.stopped_at)).where(ours)
    since = sa.select(watched.c.since).where(watched.c.account == incident.account)
    found: datetime | None = tx.scalar(
        sa.select(sa.func.least(first.scalar_subquery(), since.scalar_subquery()))
    )
    return found


def of_step(
    tx: sa.Connection, incident: Incident, step: str, *, offset: int, limit: int
) -> list[Job]:
    """Return root failures of a step, the first to fail first, as ``split_failures`` tells them."""
    run = _failures(incident)
    given_up = sa.or_(*(jobs.c.status_reason.startswith(mark, autoescape=True) for mark in GAVE_UP))
    aborted = (jobs.c.terminated | jobs.c.cancelled) & ~sa.func.coalesce(given_up, sa.false())
    by_themselves = sa.exists(sa.select(jobs.c.job_id).where(run, ~aborted))
    query = (
        sa.select(jobs.c.job_id)
        .where(run, ~aborted | ~by_themselves)
        .where(sa.func.coalesce(jobs.c.step, "unknown") == step)
        .order_by(_stopped_at, sa.collate(jobs.c.job_id, "C"))
        .offset(offset)
        .limit(limit)
    )
    ids = list(tx.scalars(query))
    found = known.load(tx, incident.account, ids)
    return [found[job_id] for job_id in ids]


def _failures(incident: Incident) -> sa.ColumnElement[bool]:
    """Return the condition that a job of the run failed before the run did."""
    failed = (
        (jobs.c.account == incident.account)
        & (jobs.c.run_id == incident.run_id)
        & (jobs.c.status == "FAILED")
        & jobs.c.array_size.is_(None)
    )
    if incident.execution_arn is None:
        return failed & jobs.c.job_id.in_(_newest_retries(incident))
    since = (
        sa.select(_redriven_at)
        .where(executions.c.account == incident.account)
        .where(executions.c.execution_arn == incident.execution_arn)
        .scalar_subquery()
    )
    began = sa.func.coalesce(since, _BEGINNING)
    return failed & _stopped_at.between(began, incident.opened_at)


def _newest_retries(incident: Incident) -> sa.Select[tuple[str]]:
    """Select the last retry of each task of a run that somebody started by hand."""
    task = (jobs.c.step, sa.func.coalesce(jobs.c.task_id, jobs.c.job_id))
    return (
        sa.select(jobs.c.job_id)
        .where(jobs.c.account == incident.account, jobs.c.run_id == incident.run_id)
        .ext(distinct_on(*task))
        .order_by(
            *task,
            sa.func.coalesce(jobs.c.retry, 0).desc(),
            sa.collate(jobs.c.job_id, "C").desc(),
        )
    )
