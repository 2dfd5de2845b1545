"""Why a job failed, told from what Batch says of it.

One entry of ``RULES`` is one reason; the first that matches counts. The texts are those AWS Batch
and the ECS agent write into ``statusReason`` and the container's ``reason``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ops_platform.domain.events import Attempt, JobEvent

STALE_MARK = "ops_platform cancelled this stale job"
"""How the reason begins that this platform gives Batch for cancelling a stale job."""
STALE_ERROR = "OpsPlatform.StaleJob"
"""The error that this platform gives Step Functions for stopping a run because of a stale job."""
TIME_LIMIT_MARK = "Canceled by JobStateTimeLimit action"
"""How the reason begins that Batch gives for what a queue's time-limit action has cancelled."""

GAVE_UP = (STALE_MARK, TIME_LIMIT_MARK)
"""How the reason of a job begins that was ended because it could not start."""


class Reason(StrEnum):
    """Why a job, or a run whose jobs do not tell, ended without success."""

    USER_EXCEPTION = "user exception"
    OUT_OF_MEMORY = "out of memory"
    KILLED = "killed by a signal"
    ATTEMPT_TIMEOUT = "attempt timeout"
    HOST_LOST = "host lost"
    IMAGE_PULL = "image pull failed"
    COULD_NOT_START = "could not start"
    STALE = "cancelled as stale"
    TIME_LIMIT = "cancelled by a time-limit action"
    ABORTED = "aborted by a person"
    RUN_ABORTED = ABORTED
    TERMINATED = "terminated with its run"
    CHILD_FAILED = "a child job failed"
    SUBMIT_FAILED = "submit failed"
    RUN_TIMED_OUT = "run timed out"
    MISSED_SCHEDULE = "missed schedule"
    PLATFORM_STALLED = "platform stalled"
    QUEUE_BLOCKED = "queue blocked"
    JOB_STUCK = "job does not start"
    AS_IT_WAS = "production is as it was"
    HALF_DONE = "production is half-changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason and the words, in the job's or its container's own reason, that show it."""

    reason: Reason
    words: re.Pattern[str]


RULES = (
    Rule(Reason.STALE, re.compile(rf"^{re.escape(STALE_MARK)}")),
    Rule(Reason.TIME_LIMIT, re.compile(rf"^{re.escape(TIME_LIMIT_MARK)}")),
    # By the client of an interactive run, or by Step Functions when a sibling failed.
    Rule(Reason.TERMINATED, re.compile(r"^Metaflow initiated job termination|by AWS Step Func")),
    Rule(Reason.IMAGE_PULL, re.compile(r"^Cannot ?Pull|ImagePullBackOff|^ErrImagePull")),
    Rule(Reason.OUT_OF_MEMORY, re.compile(r"^OutOfMemory|OOMKilled")),
    Rule(Reason.ATTEMPT_TIMEOUT, re.compile(r"attempt duration exceeded timeout")),
    # The last one is of a Docker that no longer answers; Batch retries neither on its own.
    Rule(
        Reason.HOST_LOST,
        re.compile(r"^Host EC2 |^Your Spot Task was interrupted|^Cannot(Inspect|Stop)Container"),
    ),
    Rule(
        Reason.COULD_NOT_START,
        re.compile(
            r"failed to start|^Cannot(Start|Create|Read)|^(Docker|ContainerRuntime)Timeout"
            r"|^ResourceInitialization|^ECS was unable to assume the role"
        ),
    ),
    Rule(Reason.CHILD_FAILED, re.compile(r"^Array Child Job failed|^Dependent Job failed")),
    # Batch takes such a job in, and fails it at once.
    Rule(Reason.SUBMIT_FAILED, re.compile(r"length must be at most")),
)
_SIGNALS = {
    132: "SIGILL",
    134: "SIGABRT",
    135: "SIGBUS",
    136: "SIGFPE",
    137: "SIGKILL",
    139: "SIGSEGV",
    143: "SIGTERM",
}
"""Exit codes by which a shell, and so Metaflow's, reports that a signal ended the task."""


NEVER_BEGAN = frozenset({Reason.STALE, Reason.TIME_LIMIT, Reason.JOB_STUCK})
"""The reasons that tell why a job did not start; what ran before it, if anything, is not asked."""


def gave_up(job: JobEvent) -> bool:
    """Tell whether a job was ended because it could not start: by us, or by its queue's rule.

    Though somebody cancelled it, it failed by itself.
    """
    return (job.status_reason or "").startswith(GAVE_UP)


def never_ran(job: JobEvent) -> bool:
    """Tell whether a job ended without any attempt of it, so that it has no log either."""
    traces = (job.started_at, job.exit_code, job.log_stream, job.container_reason)
    return not job.attempts and all(trace is None for trace in traces)


def unmarked(text: str) -> str:
    """Return a reason of ours without the mark by which it is known."""
    return text.removeprefix(STALE_MARK).removeprefix(": ") if text != STALE_MARK else text


def classify(job: JobEvent) -> Reason:
    """Return why a failed job failed."""
    told = _told((job.container_reason, job.status_reason))
    if told is not None:
        return told
    if job.cancelled or job.terminated:
        return Reason.ABORTED
    return _by_exit(job.exit_code)


def explain(job: JobEvent) -> str:
    """Return the failure in Batch's own words, with the exit code if there is one.

    A job that was given up has none to speak of; of one that we did, the words are ours.
    """
    if gave_up(job):
        return unmarked(job.status_reason or "")
    words = [text for text in (job.container_reason, job.status_reason) if text]
    code = f"exit code {_named(job.exit_code)}" if job.exit_code is not None else "no exit code"
    return "; ".join([*dict.fromkeys(words), code])


def tell_attempts(job: JobEvent) -> str | None:
    """Return how each attempt of a job ended, such as ``3 attempts: exit 1, exit 1, host lost``.

    None if there was no more than one, which `explain` tells of.
    """
    ends = list(map(_ended, job.attempts))
    return f"{len(ends)} attempts: {', '.join(ends)}" if len(ends) > 1 else None


def _ended(attempt: Attempt) -> str:
    told = _told((attempt.reason,))
    if told is not None:
        return str(told)
    return "no exit code" if attempt.exit_code is None else f"exit {_named(attempt.exit_code)}"


def _told(texts: Iterable[str | None]) -> Reason | None:
    given = [text for text in texts if text]
    matching = (rule.reason for rule in RULES if any(rule.words.search(text) for text in given))
    return next(matching, None)


def _by_exit(code: int | None) -> Reason:
    # 137 without ECS's OutOfMemoryError is often a lack of memory too, but nobody knows.
    if code in _SIGNALS:
        return Reason.KILLED
    return Reason.USER_EXCEPTION if code else Reason.UNKNOWN


def _named(code: int) -> str:
    return f"{code} ({_SIGNALS[code]})" if code in _SIGNALS else str(code)
