"""Why a job cannot start: which of the known causes it is, what shows it, and what to change.

Pure: over the facts that the adapters gather of a queue, its environments and instance types.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Fault(StrEnum):
    """Where the cause lies, which is what decides over a job."""

    JOB = "the job fits nothing its queue has"
    QUEUE = "the queue cannot start any job"
    STUCK = "the queue does not move"
    BEHIND = "another job is in front"
    TURN = "the job waits its turn"
    NOT_WAITING = "the job does not wait for capacity"


class Cause(StrEnum):
    """Why a job does not start."""

    TOO_MANY_VCPUS = "too many vCPUs"
    TOO_MUCH_MEMORY = "too much memory"
    TOO_MANY_GPUS = "too many GPUs"
    NO_TYPE_HAS_ALL = "no instance type has all of it"
    ABOVE_MAX_VCPUS = "more than the maximum vCPUs"
    REFUSED_AS_TOO_LARGE = "Batch finds the job too large"
    QUEUE_DISABLED = "queue disabled"
    QUEUE_INVALID = "queue invalid"
    NO_ENVIRONMENT = "no compute environment"
    ENVIRONMENT_DISABLED = "compute environment disabled"
    ENVIRONMENT_INVALID = "compute environment invalid"
    ENVIRONMENT_WITHOUT_VCPUS = "compute environment may start nothing"
    MISCONFIGURED = "compute environment misconfigured"
    NO_CAPACITY_AT_AWS = "AWS has no such instances"
    MAX_VCPUS_REPORTED = "Batch finds the maximum vCPUs too low"
    UNDETERMINED = "Batch cannot tell either"
    BEHIND_BLOCKER = "behind a job that blocks the queue"
    CAPACITY_HELD = "capacity in use"
    WAITS_ITS_TURN = "waits its turn"
    SHARE_USED_UP = "other shares go first"
    DEPENDENCY = "waits for other jobs"
    ARRAY = "waits for its children"
    UNKNOWN = "unknown"


FAULTS = {
    Cause.TOO_MANY_VCPUS: Fault.JOB,
    Cause.TOO_MUCH_MEMORY: Fault.JOB,
    Cause.TOO_MANY_GPUS: Fault.JOB,
    Cause.NO_TYPE_HAS_ALL: Fault.JOB,
    Cause.ABOVE_MAX_VCPUS: Fault.JOB,
    Cause.REFUSED_AS_TOO_LARGE: Fault.JOB,
    Cause.QUEUE_DISABLED: Fault.QUEUE,
    Cause.QUEUE_INVALID: Fault.QUEUE,
    Cause.NO_ENVIRONMENT: Fault.QUEUE,
    Cause.ENVIRONMENT_DISABLED: Fault.QUEUE,
    Cause.ENVIRONMENT_INVALID: Fault.QUEUE,
    Cause.ENVIRONMENT_WITHOUT_VCPUS: Fault.QUEUE,
    Cause.MISCONFIGURED: Fault.QUEUE,
    Cause.NO_CAPACITY_AT_AWS: Fault.STUCK,
    Cause.MAX_VCPUS_REPORTED: Fault.STUCK,
    Cause.UNDETERMINED: Fault.STUCK,
    Cause.UNKNOWN: Fault.STUCK,
    Cause.BEHIND_BLOCKER: Fault.BEHIND,
    Cause.CAPACITY_HELD: Fault.TURN,
    Cause.WAITS_ITS_TURN: Fault.TURN,
    Cause.SHARE_USED_UP: Fault.TURN,
    Cause.DEPENDENCY: Fault.NOT_WAITING,
    Cause.ARRAY: Fault.NOT_WAITING,
}


class Figure(msgspec.Struct, frozen=True):
    """One comparison that a diagnosis rests on, such as vCPUs: asked for 999, at most 4."""

    what: str
    asked: str
    available: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a job does not start.

    ``sentence`` says it in plain words with the figures that matter; ``advice`` says what to change
    and where. ``blocker`` is the id of the job in front, if one blocks.
    """

    cause: Cause
    sentence: str
    advice: str
    evidence: tuple[Figure, ...] = ()
    blocker: str | None = None

    @property
    def fault(self) -> Fault:
        """Where the cause lies."""
        return FAULTS[self.cause]
