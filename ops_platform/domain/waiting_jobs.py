"""A job that waits in a queue, and since when it does."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from ops_platform.domain.capacity import Size
from ops_platform.domain.identity import arn_tail
from ops_platform.domain.lifecycle import Job, later

# The time of an event has whole seconds; cut off, it would make a job look older than it is.
_EVENT_RESOLUTION = timedelta(seconds=1)
# What Batch does not tell of a job, or not of every one.
_FROM_EVENTS = ("flow", "step", "run_id", "owner")


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job with what only ``DescribeJobs`` tells of it.

    ``tags`` and ``parameters`` are None until the job is described; they are compared and never
    stored, since a parameter may be a token. ``depends_on`` are the ids of the jobs it waits for.
    """

    job: Job
    tags: Mapping[str, str] | None = None
    parameters: Mapping[str, str] | None = None
    depends_on: tuple[str, ...] = ()
    share: str | None = None
    head_since: datetime | None = None
    """Since when at least it stands at its place at the front of the queue."""

    @property
    def id(self) -> str:
        """The id of the job."""
        return self.job.latest.job_id

    @property
    def queue(self) -> str:
        """The name of its queue."""
        return arn_tail(self.job.latest.queue)

    @property
    def asks_for(self) -> Size:
        """What it asks for; a figure that Batch does not show counts as nothing."""
        latest = self.job.latest
        return Size(latest.vcpus or 0, latest.memory_mib or 0, latest.gpus or 0)

    @property
    def is_metaflow(self) -> bool:
        """Whether Metaflow submitted it."""
        return self.job.latest.flow is not None


def runnable_since(waiting: WaitingJob) -> datetime | None:
    """Return since when a RUNNABLE job has been so in its present attempt, at the latest.

    No API of Batch tells. It is the last thing that is known to have happened to the job: an event
    that it became RUNNABLE, else the end of its last attempt, else its creation. One that had to
    wait for other jobs before it became RUNNABLE has no such moment if the event is missing, nor
    has one whose last attempt does not tell when it ended.
    """
    job, latest = waiting.job, waiting.job.latest
    if latest.attempts and latest.attempts[-1].stopped_at is None:
        return waiting.head_since
    entered = [job.runnable_at, job.starting_at]
    ended = [at for attempt in latest.attempts for at in (attempt.started_at, attempt.stopped_at)]
    known = [at + _EVENT_RESOLUTION for at in entered if at is not None]
    known += [at for at in (*ended, latest.started_at) if at is not None]
    if not known and waiting.depends_on:
        return waiting.head_since
    if latest.created_at is not None:
        known.append(latest.created_at)
    return max(known, default=None)


def merged(described: WaitingJob, known: Job | None, account: str) -> WaitingJob:
    """Return a described job with what only its events tell."""
    if known is None:
        job = msgspec.structs.replace(described.job, account=account)
        return replace(described, job=job)
    latest, heard = described.job.latest, known.latest
    changes = {name: getattr(heard, name) for name in _FROM_EVENTS if getattr(latest, name) is None}
    # Of two descriptions of the past that differ, the one with more of it is the newer.
    attempts = max(latest.attempts, heard.attempts, key=len)
    job = Job(
        account,
        msgspec.structs.replace(latest, attempts=attempts, **changes),
        later(known.runnable_at, described.job.runnable_at),
        later(known.starting_at, described.job.starting_at),
    )
    return replace(described, job=job)
