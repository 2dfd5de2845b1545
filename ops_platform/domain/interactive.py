"""Runs that somebody started by hand: jobs on Batch that no execution stands around.

``metaflow run --with batch`` retries a failed task by a job of its own, so a failure counts only
as long as no later retry of the task is there.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from ops_platform.domain.identity import RUN_PREFIX
from ops_platform.domain.incidents import (
    Incident,
    Kind,
    State,
    digest_of,
    incident_id,
    split_failures,
    tally,
)
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.reasons import classify, explain


def is_interactive(run_id: str) -> bool:
    """Tell a run that somebody started by hand from one on Step Functions."""
    return not run_id.startswith(RUN_PREFIX)


def correlate_interactive(jobs: Sequence[Job]) -> Incident | None:
    """Return the incident of a run of which all jobs are given, or None if none of them failed."""
    failed = [job for job in jobs if job.latest.status == "FAILED"]
    named = [job.latest for job in failed if job.latest.run_id and job.latest.flow]
    if not named:
        return None
    newest = _newest_retries(jobs)
    failing = [job for job in newest if job.latest.status == "FAILED"]
    roots, collateral = split_failures(failing, max(map(_stop, failed)))
    first = min(roots, key=lambda job: (_stop(job), job.latest.job_id), default=None)
    shown = (first or min(failed, key=_stop)).latest
    succeeded = Counter(
        job.latest.step or "unknown" for job in newest if job.latest.status == "SUCCEEDED"
    )
    account, run_id = failed[0].account, str(named[0].run_id)
    flow = min(str(job.flow) for job in named)
    resolved_at = None if failing else max(map(_stop, failed))
    return Incident(
        id=incident_id(f"{account}/{flow}/{run_id}"),
        account=account,
        flow=flow,
        run_id=run_id,
        execution_arn=None,
        machine_arn=None,
        kind=Kind.INTERACTIVE_FAILED,
        state=State.OPEN if failing else State.RESOLVED,
        owner=min((job.owner for job in named if job.owner), default=None),
        project=None,
        branch=None,
        started_at=min((job.latest.created_at or job.latest.time for job in jobs), default=None),
        opened_at=min(map(_stop, roots or failed)),
        failed_jobs=len(roots),
        collateral_jobs=len(collateral),
        steps=tally(roots, collateral, succeeded),
        reason=classify(shown),
        error=explain(shown),
        step=shown.step,
        job_id=shown.job_id,
        log_stream=shown.log_stream,
        failing=digest_of(job.latest.job_id for job in roots),
        resolved_at=resolved_at,
        resolved_by="the failed tasks were retried" if resolved_at else None,
    )


def _newest_retries(jobs: Iterable[Job]) -> list[Job]:
    """Return the last retry of each task; a job that names no task stands for itself."""
    newest: dict[tuple[str | None, str], Job] = {}
    for job in sorted(jobs, key=lambda job: (job.latest.retry or 0, job.latest.job_id)):
        newest[job.latest.step, job.latest.task_id or job.latest.job_id] = job
    return list(newest.values())


def _stop(job: Job) -> datetime:
    return job.stopped_at or job.latest.time
