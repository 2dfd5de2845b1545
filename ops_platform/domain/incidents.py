"""What went wrong as one incident: which jobs failed by themselves, and which were dragged along.

A run fails on Step Functions, or as jobs that ``run --with batch`` started from somebody's machine.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from ops_platform.domain.events import ExecutionEvent, JobEvent
from ops_platform.domain.identity import arn_tail
from ops_platform.domain.lifecycle import Execution, Job, ended_at
from ops_platform.domain.reasons import (
    STALE_ERROR,
    STALE_MARK,
    Reason,
    classify,
    explain,
    gave_up,
    unmarked,
)


class Kind(StrEnum):
    """What happened."""

    RUN_FAILED = "run_failed"
    RUN_TIMED_OUT = "run_timed_out"
    RUN_ABORTED = "run_aborted"
    INTERACTIVE_FAILED = "interactive_failed"
    """A run that somebody started by hand, whose jobs have no execution around them."""
    MISSED_SCHEDULE = "missed_schedule"
    """A run that should have started and did not."""
    PLATFORM_STALLED = "platform_stalled"
    """This platform itself does not do its work."""
    QUEUE_BLOCKED = "queue_blocked"
    """A job queue starts nothing although jobs wait in it."""
    JOB_STUCK = "job_stuck"
    """A job waits for longer than its policy takes for granted; a warning, nothing has failed."""
    CHANGE_FAILED = "change_failed"
    """A promotion or a roll back failed; its run id is that of the record."""


class State(StrEnum):
    """Whether somebody still has to care."""

    OPEN = "open"
    RESOLVED = "resolved"


KINDS = {
    "FAILED": Kind.RUN_FAILED,
    "TIMED_OUT": Kind.RUN_TIMED_OUT,
    "ABORTED": Kind.RUN_ABORTED,
}
OF_RUNS = frozenset({*KINDS.values(), Kind.INTERACTIVE_FAILED})
"""The kinds that tell of a run's failed jobs."""
RUN_REASONS = {"TIMED_OUT": Reason.RUN_TIMED_OUT, "ABORTED": Reason.RUN_ABORTED}


class Tally(msgspec.Struct, frozen=True):
    """How the jobs of one step ended."""

    failed: int = 0
    collateral: int = 0
    succeeded: int = 0


class Incident(msgspec.Struct, frozen=True):
    """One failed run, or another trouble that somebody has to know of.

    ``error`` is the words of the error; of what is no failed run, sentences of ours, one a line.

    ``failed_jobs`` failed by themselves no later than the execution's stop; ``collateral_jobs``
    ended after it or were aborted. ``job_id``, ``step`` and ``log_stream`` are those of the first
    root failure, which ``reason`` and ``error`` describe; ``failing`` is a digest of the set of
    root failures. ``opened_at`` is the last failure's, which for a redriven run is a later one than
    the first. ``resolved_by`` says how it was resolved.
    """

    id: str
    account: str
    flow: str
    run_id: str
    execution_arn: str | None
    machine_arn: str | None
    kind: Kind
    state: State
    owner: str | None
    project: str | None
    branch: str | None
    started_at: datetime | None
    opened_at: datetime
    failed_jobs: int
    collateral_jobs: int
    steps: Mapping[str, Tally]
    reason: str
    error: str | None
    step: str | None
    job_id: str | None
    log_stream: str | None
    failing: str
    resolved_at: datetime | None = None
    resolved_by: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """An execution with what is known of its jobs: those that failed, and counts of successes."""

    execution: Execution
    failed: tuple[Job, ...]
    succeeded: Mapping[str, int]
    flow: str | None = None
    owner: str | None = None


def incident_id(subject: str) -> str:
    """Return the incident's id, the same whenever and in whatever order its events arrive.

    The subject is the ARN of the execution, or whatever else names what went wrong alone.
    """
    return hashlib.sha256(subject.encode()).hexdigest()[:16]


def correlate(run: Run) -> Incident | None:
    """Return the incident of a run, or None if it never failed or is not Metaflow's.

    The child executions of a Distributed Map belong to the run that started them, whose execution
    fails with them.
    """
    failure = run.execution.failure
    if failure is None or run.execution.is_map_child or not is_metaflow_run(run):
        return None
    roots, collateral = split_failures(run.failed, ended_at(failure), since=failure.redriven_at)
    if stopped_as_stale(failure):  # its jobs ended with it, even those that were a little quicker
        collateral += [job for job in roots if was_ended(job.latest)]
        roots = [job for job in roots if not was_ended(job.latest)]
    first = min(roots, key=_failed_first, default=None)
    machine = run.execution.machine
    resolved = run.execution.latest.status == "SUCCEEDED"
    return Incident(
        id=incident_id(failure.execution_arn),
        account=run.execution.account,
        flow=run.flow or machine.flow or arn_tail(failure.machine_arn),
        run_id=run.execution.run_id,
        execution_arn=failure.execution_arn,
        machine_arn=failure.machine_arn,
        kind=KINDS[failure.status],
        state=State.RESOLVED if resolved else State.OPEN,
        owner=run.owner,
        project=machine.project,
        branch=machine.branch,
        started_at=failure.started_at,
        opened_at=ended_at(failure),
        failed_jobs=len(roots),
        collateral_jobs=len(collateral),
        steps=tally(roots, collateral, run.succeeded),
        reason=_reason(failure, first),
        error=_error(failure, first),
        step=first.latest.step if first else None,
        job_id=first.latest.job_id if first else None,
        log_stream=first.latest.log_stream if first else None,
        failing=digest_of(job.latest.job_id for job in roots),
        resolved_at=run.execution.stopped_at if resolved else None,
        resolved_by="a redrive of the run succeeded" if resolved else None,
    )


def digest_of(names: Iterable[str]) -> str:
    """Return a short digest of a set of names."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]


def is_metaflow_run(run: Run) -> bool:
    """Tell a run of Metaflow's from executions of anybody else's state machines."""
    knows_jobs = bool(run.failed or run.succeeded or run.flow)
    machine = run.execution.machine
    named_by_metaflow = machine.project is not None and machine.flow is not None
    return knows_jobs or named_by_metaflow or run.execution.latest.metaflow_input


def split_failures(
    failed: Iterable[Job], stop: datetime, *, since: datetime | None = None
) -> tuple[list[Job], list[Job]]:
    """Split failed jobs into root failures and collateral.

    A job that was terminated or cancelled did not fail by itself, unless nothing else did: then
    the abort itself is what broke the run. One that was given up because it could not start did
    fail by itself. What ended before ``since``, when the run was last
    redriven, belongs to an earlier failure and is left out.
    """
    early: list[Job] = []
    collateral: list[Job] = []
    for job in failed:
        if job.latest.array_size is not None:  # the parent of an array only repeats its children
            continue
        if since is not None and job.stopped_at is not None and job.stopped_at < since:
            continue
        (early if job.stopped_at is not None and job.stopped_at <= stop else collateral).append(job)
    by_themselves = [job for job in early if not was_ended(job.latest)]
    if not by_themselves:
        return early, collateral
    return by_themselves, collateral + [job for job in early if was_ended(job.latest)]


def was_ended(job: JobEvent) -> bool:
    """Tell a job that was terminated or cancelled from one that failed by itself."""
    return (job.terminated or job.cancelled) and not gave_up(job)


def stopped_as_stale(failure: ExecutionEvent) -> bool:
    """Tell whether this platform stopped a run because a job of it could not start."""
    return failure.error == STALE_ERROR or (failure.cause or "").startswith(STALE_MARK)


def _failed_first(job: Job) -> tuple[datetime | None, str]:
    return (job.stopped_at, job.latest.job_id)


def tally(
    roots: Iterable[Job], collateral: Iterable[Job], succeeded: Mapping[str, int]
) -> dict[str, Tally]:
    """Return by step how many jobs failed, were dragged along, and succeeded."""
    failed = Counter(job.latest.step or "unknown" for job in roots)
    dragged = Counter(job.latest.step or "unknown" for job in collateral)
    steps = sorted({*failed, *dragged, *succeeded})
    return {step: Tally(failed[step], dragged[step], succeeded.get(step, 0)) for step in steps}


def _reason(failure: ExecutionEvent, first: Job | None) -> str:
    ended_from_outside = first is None or was_ended(first.latest)
    if ended_from_outside and stopped_as_stale(failure):
        return Reason.STALE
    if failure.status in RUN_REASONS and ended_from_outside:
        return RUN_REASONS[failure.status]
    if first is not None:
        return classify(first.latest)
    if failure.error and failure.error.startswith("Batch."):
        return Reason.SUBMIT_FAILED
    return Reason.UNKNOWN


def _error(failure: ExecutionEvent, first: Job | None) -> str | None:
    said = [part for part in (failure.error, failure.cause) if part]
    if stopped_as_stale(failure):
        said = [unmarked(failure.cause)] if failure.cause else []
    if first is None:
        return "; ".join(said) or None
    # Whoever aborted a run may have said why; of a failed run its cause repeats the job's.
    ours = said if failure.status in RUN_REASONS else []
    return "; ".join([*ours, explain(first.latest)])
