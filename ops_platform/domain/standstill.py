"""Why a job did not start, as its messages tell it."""

from dataclasses import dataclass
from datetime import timedelta

from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.capacity import Size
from ops_platform.domain.diagnosis import Figure
from ops_platform.domain.events import JobEvent
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.native_reasons import read_native
from ops_platform.domain.reasons import TIME_LIMIT_MARK, unmarked
from ops_platform.domain.size_words import size_of

_BECAUSE = f"{TIME_LIMIT_MARK} due to reason: "
_ASK_FOR_LESS = (
    "Ask for less in the step's @resources, or send it to a queue that has larger instances."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """What held a job up, and for how long it waited.

    ``job_id``, ``step`` and ``queue`` are those of the job. ``policy`` is the one it was judged by;
    None where somebody else did. ``asks_for`` is its size in words, where no figure was compared.
    """

    sentence: str
    advice: str = ""
    cause: str | None = None
    evidence: tuple[Figure, ...] = ()
    waited: timedelta | None = None
    policy: str | None = None
    job_id: str | None = None
    step: str | None = None
    queue: str | None = None
    asks_for: str | None = None


def told_by(row: Cancellation) -> Standstill:
    """Return what was judged of a job, and recorded."""
    since = row.runnable_since
    return Standstill(
        sentence=row.diagnosis or "",
        advice=row.advice or "",
        cause=row.cause,
        evidence=tuple(row.evidence),
        waited=row.judged_at - since if since else None,
        policy=row.policy,
        job_id=row.job_id,
        step=row.step,
        queue=row.queue,
    )


def told_by_batch(said: str, job: Job | None) -> Standstill:
    """Return what the status reason of a job tells of which nothing was recorded.

    ``said`` may be ours, given by a ledger that is lost, or that of a queue's time-limit action.
    """
    native = read_native(said.removeprefix(_BECAUSE)) if said.startswith(_BECAUSE) else None
    sentence, advice = (native.sentence, native.advice) if native else (unmarked(said), "")
    latest = job.latest if job else None
    began, ended = (job.runnable_at, job.stopped_at) if job else (None, None)
    return Standstill(
        sentence=sentence,
        advice=advice or (_ASK_FOR_LESS if native else ""),
        cause=native.code if native else None,
        waited=ended - began if began and ended and ended >= began else None,
        job_id=latest.job_id if latest else None,
        step=latest.step if latest else None,
        queue=latest.queue if latest else None,
        asks_for=_size(latest) if latest else None,
    )


def _size(job: JobEvent) -> str | None:
    if job.vcpus is None or job.memory_mib is None:
        return None
    return size_of(Size(job.vcpus, job.memory_mib, job.gpus or 0))
