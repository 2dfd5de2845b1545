"""Why a job failed, told from what Batch says of it.

One entry of ``RULES`` is one reason; the first that matches counts. The texts are those AWS Batch
and the ECS agent write into ``statusReason`` and the container's ``reason``.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from ops_platform.domain.events import JobEvent


class Reason(StrEnum):
    """Why a job, or a run whose jobs do not tell, ended without success."""

    USER_EXCEPTION = "user exception"
    OUT_OF_MEMORY = "out of memory"
    ATTEMPT_TIMEOUT = "attempt timeout"
    HOST_LOST = "host lost"
    IMAGE_PULL = "image pull failed"
    COULD_NOT_START = "could not start"
    TIME_LIMIT = "cancelled by a time-limit action"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    SUBMIT_FAILED = "submit failed"
    RUN_TIMED_OUT = "run timed out"
    RUN_ABORTED = "run aborted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason and the words, in the job's or its container's own reason, that show it."""

    reason: Reason
    words: re.Pattern[str]


RULES = (
    Rule(Reason.IMAGE_PULL, re.compile(r"CannotPull(Container|ImageManifest)|ImagePullBackOff")),
    Rule(Reason.OUT_OF_MEMORY, re.compile(r"OutOfMemory|OOMKilled")),
    Rule(Reason.ATTEMPT_TIMEOUT, re.compile(r"attempt duration exceeded timeout")),
    Rule(Reason.HOST_LOST, re.compile(r"^Host EC2 .* terminated")),
    Rule(Reason.TIME_LIMIT, re.compile(r"Canceled by JobStateTimeLimit action")),
    Rule(Reason.COULD_NOT_START, re.compile(r"failed to start|CannotStartContainer|DockerTimeout")),
)


def classify(job: JobEvent) -> Reason:
    """Return why a failed job failed."""
    for rule in RULES:
        if any(
            rule.words.search(text) for text in (job.container_reason, job.status_reason) if text
        ):
            return rule.reason
    if job.cancelled:
        return Reason.CANCELLED
    if job.terminated:
        return Reason.TERMINATED
    if job.exit_code:
        return Reason.USER_EXCEPTION
    return Reason.UNKNOWN


def explain(job: JobEvent) -> str:
    """Return the failure in Batch's own words, with the exit code if there is one."""
    words = [text for text in (job.container_reason, job.status_reason) if text]
    code = f"exit code {job.exit_code}" if job.exit_code is not None else "no exit code"
    return "; ".join([*dict.fromkeys(words), code])
