"""How a job stands that does not wait, in words."""

from datetime import datetime

from ops_platform.domain.events import JobEvent
from ops_platform.domain.lifecycle import LOST, Job
from ops_platform.domain.reasons import classify, explain, tell_attempts
from ops_platform.domain.words import duration

_PULLS = (
    "Pulling an image takes minutes. If it takes much longer, look at the ECS agent of the instance"
    " and at the image. The cleanup leaves it alone: CancelJob does nothing to it."
)


def course_of(job: Job, now: datetime) -> tuple[str, str]:
    """Return how a job stands, and what to do if that is not as it should be."""
    match job.latest.status:
        case "STARTING":
            for_long = f", for {duration(now - job.starting_at)} now" if job.starting_at else ""
            return f"Batch found room for it and starts its container{for_long}.", _PULLS
        case "RUNNING":
            return _running(job.latest, now), "The cleanup leaves it alone."
        case "SUCCEEDED":
            return f"It succeeded{_after(job)}.", ""
        case "FAILED":
            return _failed(job.latest), "`ops-platform incidents list` shows what broke its run."
        case status if status == LOST:
            return "It was open when its events ended, and Batch has forgotten it.", ""
        case status:
            return f"It is {status}.", ""


def forgotten(job: Job) -> str:
    """Return how a job stands that was open by its last event, and that Batch has forgotten."""
    return f"Batch has forgotten it, which its last event showed as {job.latest.status}."


def attempt_of(job: JobEvent) -> str | None:
    """Return which attempt of a job is under way, None if it has but one."""
    if job.max_attempts is None or job.max_attempts < len(job.attempts) + 1:
        return None
    return (
        f"attempt {len(job.attempts) + 1} of {job.max_attempts}" if job.max_attempts > 1 else None
    )


def _running(job: JobEvent, now: datetime) -> str:
    since = f" for {duration(now - job.started_at)}" if job.started_at else ""
    attempt = attempt_of(job)
    return f"It runs{since}{f', {attempt}' if attempt else ''}."


def _failed(job: JobEvent) -> str:
    attempts = tell_attempts(job)
    return f"It failed: {classify(job)}. {explain(job)}{f'; {attempts}' if attempts else ''}."


def _after(job: Job) -> str:
    began, ended = job.latest.started_at, job.stopped_at
    return f" after {duration(ended - began)}" if began and ended else ""
