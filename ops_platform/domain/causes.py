"""The causes for which a job does not start, and where each of them lies."""

from enum import StrEnum
from typing import Self


class Fault(StrEnum):
    """Where a cause lies, which is what decides over a job."""

    JOB = "the job fits nothing its queue has"
    QUEUE = "the queue cannot start any job"
    STUCK = "the queue does not move"
    BEHIND = "another job is in front"
    TURN = "the job waits its turn"
    NOT_WAITING = "the job does not wait for capacity"


class Cause(StrEnum):
    """Why a job does not start."""

    fault: Fault
    """Where the cause lies."""

    def __new__(cls, words: str, fault: Fault) -> Self:
        """Make a cause of its words, which are its value, and of where it lies."""
        cause = str.__new__(cls, words)
        cause._value_ = words
        cause.fault = fault
        return cause

    TOO_MANY_VCPUS = "too many vCPUs", Fault.JOB
    TOO_MUCH_MEMORY = "too much memory", Fault.JOB
    TOO_MANY_GPUS = "too many GPUs", Fault.JOB
    NO_TYPE_HAS_ALL = "no instance type has all of it", Fault.JOB
    ABOVE_MAX_VCPUS = "more than the maximum vCPUs", Fault.JOB
    REFUSED_AS_TOO_LARGE = "Batch finds the job too large", Fault.JOB
    QUEUE_DISABLED = "queue disabled", Fault.QUEUE
    QUEUE_INVALID = "queue invalid", Fault.QUEUE
    NO_ENVIRONMENT = "no compute environment", Fault.QUEUE
    ENVIRONMENT_DISABLED = "compute environment disabled", Fault.QUEUE
    ENVIRONMENT_INVALID = "compute environment invalid", Fault.QUEUE
    ENVIRONMENT_WITHOUT_VCPUS = "compute environment may start nothing", Fault.QUEUE
    MISCONFIGURED = "compute environment misconfigured", Fault.QUEUE
    NO_CAPACITY_AT_AWS = "AWS has no such instances", Fault.STUCK
    MAX_VCPUS_REPORTED = "Batch finds the maximum vCPUs too low", Fault.STUCK
    UNDETERMINED = "Batch cannot tell either", Fault.STUCK
    UNKNOWN = "unknown", Fault.STUCK
    BEHIND_BLOCKER = "behind a job that blocks the queue", Fault.BEHIND
    CAPACITY_HELD = "capacity in use", Fault.TURN
    WAITS_ITS_TURN = "waits its turn", Fault.TURN
    SHARE_USED_UP = "other shares go first", Fault.TURN
    DEPENDENCY = "waits for other jobs", Fault.NOT_WAITING
    ARRAY = "waits for its children", Fault.NOT_WAITING
