"""Runs that somebody started by hand: jobs on Batch that no execution stands around.

``metaflow run --with batch`` retries a failed task by a job of its own, so a failure counts only
as long as no later retry of the task is there.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

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

_Task = tuple[str | None, str]


class _Spell(NamedTuple):
    """A time in which something failed: from the first failure until all was retried with success.

    ``until`` is None as long as something fails.
    """

    since: datetime
    until: datetime | None


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
    spell = _last_spell(jobs)
    return Incident(
        id=incident_id(f"{account}/{flow}/{run_id}"),
        account=account,
        flow=flow,
        run_id=run_id,
        execution_arn=None,
        machine_arn=None,
        kind=Kind.INTERACTIVE_FAILED,
        state=State.RESOLVED if spell.until else State.OPEN,
        owner=min((job.owner for job in named if job.owner), default=None),
        project=None,
        branch=None,
        started_at=min((job.latest.created_at or job.latest.time for job in jobs), default=None),
        opened_at=spell.since,
        failed_jobs=len(roots),
        collateral_jobs=len(collateral),
        steps=tally(roots, collateral, succeeded),
        reason=classify(shown),
        error=explain(shown),
        step=shown.step,
        job_id=shown.job_id,
        log_stream=shown.log_stream,
        failing=digest_of(job.latest.job_id for job in roots),
        resolved_at=spell.until,
        resolved_by="the failed tasks were retried" if spell.until else None,
    )


def _newest_retries(jobs: Iterable[Job]) -> list[Job]:
    """Return the last retry of each task; a job that names no task stands for itself."""
    return [retries[-1] for retries in _tasks(jobs).values()]


def _tasks(jobs: Iterable[Job]) -> dict[_Task, list[Job]]:
    tasks: dict[_Task, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: (job.latest.retry or 0, job.latest.job_id)):
        task = (job.latest.step, job.latest.task_id or job.latest.job_id)
        tasks.setdefault(task, []).append(job)
    return tasks


def _last_spell(jobs: Iterable[Job]) -> _Spell:
    """Return the last time in which any task had failed and not yet been tried again."""
    broken = _broken(jobs)
    spell = broken[0]
    for since, until in broken[1:]:
        if spell.until is not None and since > spell.until:
            spell = _Spell(since, until)
        else:
            spell = spell._replace(until=_later(spell.until, until))
    return spell


def _broken(jobs: Iterable[Job]) -> list[_Spell]:
    """Return for each failure how long its task was left at it, the first failure first."""
    spells = []
    for retries in _tasks(jobs).values():
        for job, later in zip(retries, [*retries[1:], None], strict=True):
            if job.latest.status == "FAILED":
                until = max(_stop(job), _begin(later)) if later else None
                spells.append(_Spell(_stop(job), until))
    return sorted(spells, key=lambda spell: spell.since)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)


def _begin(job: Job) -> datetime:
    return job.latest.created_at or job.latest.time


def _stop(job: Job) -> datetime:
    return job.stopped_at or job.latest.time
