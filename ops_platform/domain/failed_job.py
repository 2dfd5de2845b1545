"""One failed job in words: how its attempts ended, where it ran, and what it said."""

import msgspec

from ops_platform.domain.events import JobEvent
from ops_platform.domain.identity import Links, arn_tail
from ops_platform.domain.mrkdwn import clip, code, escape
from ops_platform.domain.reasons import classify, explain, gave_up, tell_attempts, unmarked

# What Batch says of every task that fails by itself.
_NO_NEWS = frozenset({"Essential container in task exited"})
_ATTEMPTS_LIMIT = 80
_HOST_SHOWN = 8


def task_url(links: Links, flow: str, run_id: str, job: JobEvent) -> str | None:
    """Return the Metaflow UI's page of the job's last attempt."""
    if job.step is None:
        return None
    url = links.task(flow, run_id, job.step, job.task_id or job.job_id)
    # Under Step Functions the attempts of a task are those of its job; by hand, each is a job.
    attempt = len(job.attempts) - 1 if job.task_id is None else job.retry or 0
    return f"{url}?attempt={max(0, attempt)}" if url else None


def ending(job: JobEvent, limit: int) -> str:
    """Return why a job failed, how each attempt ended, and what Batch says of it."""
    return f"*{classify(job)}*, {details(job, limit)}"


def details(job: JobEvent, limit: int) -> str:
    """Return how each attempt of a job ended, and what Batch says of it."""
    told = _said(job)
    if gave_up(job) and not job.attempts:
        return code(told, limit)
    return f"{attempts(job)}{f': {code(told, limit)}' if told else ''}"


def attempts(job: JobEvent) -> str:
    """Return how each attempt of a job ended, or its exit code if there was but one."""
    # What remains to explain of a job of which Batch says nothing is its exit code.
    silent = msgspec.structs.replace(job, container_reason=None, status_reason=None)
    return clip(escape(tell_attempts(job) or explain(silent)), _ATTEMPTS_LIMIT)


def _said(job: JobEvent) -> str:
    """Return what Batch says of the job, but for what it says of every job that fails."""
    news = (text for text in (job.container_reason, job.status_reason) if text)
    return "; ".join(dict.fromkeys(unmarked(text) for text in news if text not in _NO_NEWS))


def host(job: JobEvent) -> str | None:
    """Return the beginning of the id of the container instance the job ran on last."""
    placed = [job.container_instance, *(one.container_instance for one in job.attempts[::-1])]
    known = next(filter(None, placed), None)
    return arn_tail(known)[:_HOST_SHOWN] if known else None
