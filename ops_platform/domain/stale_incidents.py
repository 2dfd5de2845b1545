"""The incidents of what waits: a queue that is blocked, and a job that does not start."""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from ops_platform.domain.blocked_queues import BlockedQueue
from ops_platform.domain.incidents import Incident, Kind, State, digest_of, incident_id
from ops_platform.domain.lifecycle import LOST, Execution, Job
from ops_platform.domain.reasons import Reason, gave_up
from ops_platform.domain.staleness import Judged, Why
from ops_platform.domain.words import counted

MOVES_AGAIN = "the queue moves again"
GONE = "the queue is gone"
STARTED = "the job started"
CANCELLED = "the job was cancelled as stale"
ENDED = "the job ended before it started"
NOT_WAITING = "the job does not wait any more"
EXEMPT = "the job is exempt now"
OURS = frozenset({MOVES_AGAIN, GONE, STARTED, CANCELLED, ENDED, NOT_WAITING, EXEMPT})
"""By what such incidents are resolved, but for an operator's word."""

WHAT_TO_DO, WHAT_TO_CHANGE = "What to do", "What to change"
"""How the lines of an incident begin that advise."""

_WAITING = frozenset({"SUBMITTED", "PENDING", "RUNNABLE"})
# Numbers and lengths of time change from one look to the next without being news.
_FIGURE = re.compile(r"\d[\d.,]*(?: (?:days?|h|min|s)\b)?")
_FIGURES = re.compile(r"#(?: #)+")
_SPARED = {
    Why.WAITS_ITS_TURN: "It waits its turn, and is not cancelled for that.",
    Why.BEHIND_ANOTHER: "It waits behind another job, and is not cancelled for that.",
    Why.QUEUE_AT_FAULT: "Its queue is at fault, so it is not cancelled; whoever runs it is told.",
}


def queue_incident(account: str, blocked: BlockedQueue, *, now: datetime) -> Incident:
    """Return the incident of a queue that is blocked; it has the queue's name for a flow.

    ``started_at`` is since when it does not move.
    """
    same = (blocked.sentence, blocked.advice, blocked.blocker or "", str(blocked.held_back > 0))
    return Incident(
        id=queue_incident_id(account, blocked.queue),
        account=account,
        flow=blocked.queue,
        run_id="",
        execution_arn=None,
        machine_arn=None,
        kind=Kind.QUEUE_BLOCKED,
        state=State.OPEN,
        owner=None,
        project=None,
        branch=None,
        started_at=blocked.since,
        opened_at=now,
        failed_jobs=0,
        collateral_jobs=0,
        steps={},
        reason=Reason.QUEUE_BLOCKED,
        error="\n".join(_lines_of_queue(account, blocked)),
        step=None,
        job_id=blocked.blocker,
        log_stream=None,
        failing=digest_of(map(_without_figures, same)),
    )


def queue_incident_id(account: str, queue: str) -> str:
    """Return the id of the incident of a queue, the same each time it is blocked."""
    return incident_id(f"queue/{account}/{queue}")


def _lines_of_queue(account: str, blocked: BlockedQueue) -> Iterable[str]:
    yield _one_line(blocked.sentence)
    yield f"{counted(blocked.waiting, 'job waits', 'jobs wait')} in it."
    if blocked.advice:
        yield f"{WHAT_TO_DO}: {_one_line(blocked.advice)}"
    if blocked.held_back:
        jobs = counted(blocked.held_back, "stale job was", "stale jobs were")
        yield f"{jobs} not cancelled, since the queue is at fault; to have it done all the same:"
        named = shlex.join(("--account", account, "--queue", blocked.queue))
        yield f"ops-platform stale-jobs {named} --enforce --despite-fault --reason 'why'"


def by_run(judged: Iterable[Judged]) -> list[list[Judged]]:
    """Return judged jobs by the run they are of, in each run the most pressing first.

    A job that is of no run stands for itself.
    """
    runs: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        runs[each.waiting.job.latest.run_id or each.waiting.id].append(each)
    return [sorted(runs[name], key=_urgency) for name in sorted(runs)]


def _urgency(judged: Judged) -> tuple[float, float, str]:
    due_at, since = judged.verdict.due_at, judged.verdict.since
    never = float("inf")
    return (
        due_at.timestamp() if due_at else never,
        since.timestamp() if since else never,
        judged.waiting.id,
    )


def stuck_incident(
    judged: Sequence[Judged], execution: Execution | None, *, now: datetime
) -> Incident:
    """Return the warning about the jobs of one run, or about one job; it names the first.

    ``started_at`` is since when that waits.
    """
    first = judged[0]
    latest = first.waiting.job.latest
    machine = execution.machine if execution else None
    return Incident(
        id=stuck_incident_id(first),
        account=first.waiting.job.account,
        flow=latest.flow or latest.job_name,
        run_id=latest.run_id or "",
        execution_arn=execution.latest.execution_arn if execution else None,
        machine_arn=None,  # it is no failure of the machine's, and no success resolves it
        kind=Kind.JOB_STUCK,
        state=State.OPEN,
        owner=latest.owner,
        project=machine.project if machine else None,
        branch=machine.branch if machine else None,
        started_at=first.verdict.since,
        opened_at=now,
        failed_jobs=0,
        collateral_jobs=0,
        steps={},
        reason=Reason.JOB_STUCK,
        error="\n".join(_lines_of_jobs(judged)),
        step=latest.step,
        job_id=latest.job_id,
        log_stream=None,
        failing=digest_of(_told_of(first)),
    )


def stuck_incident_id(judged: Judged) -> str:
    """Return the id of the warning about a job: that of its run, if it is of one."""
    job = judged.waiting.job
    return incident_id(f"stuck/{job.account}/{job.latest.run_id or job.latest.job_id}")


def why_over(job: Job | None, warning: Incident, *, waits: bool) -> str | None:
    """Return why a job that was warned of does not wait any more; None if it does.

    Args:
        job: The job as the ledger knows it; None if it does not.
        warning: The warning's incident.
        waits: Whether Batch lists the job as RUNNABLE.
    """
    if job is None or job.latest.status == LOST:
        return None if waits else NOT_WAITING
    latest, since = job.latest, warning.started_at or warning.opened_at
    starts = (job.starting_at, latest.started_at, *(each.started_at for each in latest.attempts))
    if any(at is not None and at > since for at in starts):
        return STARTED
    if latest.status in _WAITING:
        return None
    if latest.status != "FAILED":
        return STARTED
    return CANCELLED if gave_up(latest) else ENDED


def _lines_of_jobs(judged: Sequence[Judged]) -> Iterable[str]:
    first, others = judged[0], len(judged) - 1
    yield _one_line(first.diagnosis.sentence if first.diagnosis else str(first.verdict.why))
    due_at = first.verdict.due_at
    if due_at is not None:
        at = f"{due_at.astimezone(UTC):%F %H:%M} UTC"
        end = ", and its run fails with it" if first.waiting.job.latest.run_id else ""
        yield f"It is cancelled at {at} unless it starts before{end}."
    else:
        yield _SPARED.get(first.verdict.why, "It is not cancelled for that.")
    if others:
        one, many = "other job of this run waits", "other jobs of this run wait"
        yield f"{counted(others, one, many)} as well."
    if first.diagnosis and first.diagnosis.advice:
        yield f"{WHAT_TO_CHANGE}: {_one_line(first.diagnosis.advice)}"


def _told_of(judged: Judged) -> list[str]:
    diagnosis, verdict = judged.diagnosis, judged.verdict
    return [
        judged.waiting.id,
        str(len(judged.waiting.job.latest.attempts)),
        verdict.why,
        str(verdict.due_at),
        diagnosis.cause if diagnosis else "",
        diagnosis.blocker or "" if diagnosis else "",
        _without_figures(diagnosis.sentence) if diagnosis else "",
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _without_figures(text: str) -> str:
    return _FIGURES.sub("#", _FIGURE.sub("#", text))
