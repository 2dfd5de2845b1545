"""Why the job at the head of a queue is stuck, in the very words of Batch; None if it just waits.

A reason holds if it does for all compute environments of the queue.
"""

from collections.abc import Sequence
from itertools import chain

from ops_platform.embedded.aws.batch.compute import ComputeEnvironment
from ops_platform.embedded.aws.batch.sizes import Size

INVALID = "ACTION_REQUIRED - CE(s) associated with the job queue are invalid."
JOB_TOO_LARGE = (
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) "
    "is higher than that can be met by the CE(s) attached to the job queue."
)
MAXIMUM_TOO_LOW = (
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue "
    "cannot meet the CPU requirement of the job."
)
UNDETERMINED = "UNDETERMINED - Batch job is blocked, root cause is undetermined."
_NO_CAPACITY = (
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for "
    "instance type [{types}]"
)

ACTIONABLE = frozenset(
    {
        "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
        "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
        "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
    }
)
"""The reasons for which a queue may have its jobs cancelled by Batch itself."""


def why_blocked(asked: Size, environments: Sequence[ComputeEnvironment]) -> str | None:
    """Return what blocks a job of this size at the head of a queue with these environments."""
    if not any(each.is_valid for each in environments):
        return INVALID
    with_type = [each for each in environments if each.has_type_for(asked)]
    if not with_type:
        return JOB_TOO_LARGE
    if not any(each.can_ever_hold(asked) for each in with_type):
        return MAXIMUM_TOO_LOW
    usable = [each for each in with_type if each.is_usable and each.can_ever_hold(asked)]
    lacking = [each.lacking_for(asked) for each in usable]
    if usable and all(lacking):
        return _NO_CAPACITY.format(types=", ".join(dict.fromkeys(chain.from_iterable(lacking))))
    if not usable or any(each.fleet.is_waiting_in_vain for each in usable):
        return UNDETERMINED
    return None


def after_native_cancel(code: str) -> str:
    """Return the statusReason of a job that a time limit of its queue has cancelled."""
    return f"Canceled by JobStateTimeLimit action due to reason: {code}"


def code_of(reason: str) -> str:
    """Return the part of a reason by which a time limit names it."""
    return reason.partition(" - ")[0]
