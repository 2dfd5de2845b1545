"""How fast we may ask AWS: its limits are the account's, and others need them, too."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

SHARE = 0.8
"""Of what AWS allows an account, as much as we take."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """AWS's limit of an action: so many calls at once, refilled by so many a second."""

    size: int
    refill: float


# As AWS documents them for its large regions.
BUCKETS: Mapping[str, Bucket] = MappingProxyType(
    {
        "ListStateMachines": Bucket(100, 5),
        "DescribeStateMachine": Bucket(200, 20),
        "ListExecutions": Bucket(200, 5),
        "DescribeExecution": Bucket(300, 15),
        "StopExecution": Bucket(500, 25),
        "StartExecution": Bucket(500, 25),
        "DescribeStateMachineForExecution": Bucket(200, 1),
        "CreateStateMachine": Bucket(100, 1),
        "UpdateStateMachine": Bucket(100, 1),
        "DeleteStateMachine": Bucket(100, 1),
        "PublishStateMachineVersion": Bucket(100, 1),
        # EventBridge documents none for these; 50 a second is what its users came upon.
        "ListRuleNamesByTarget": Bucket(50, 25),
        "DescribeRule": Bucket(50, 25),
        "ListTargetsByRule": Bucket(50, 25),
        "PutRule": Bucket(50, 25),
        "PutTargets": Bucket(50, 25),
        "RemoveTargets": Bucket(50, 25),
        "DeleteRule": Bucket(50, 25),
        # Batch documents one for SubmitJob alone, 50 a second; its users find that of others lower,
        # and whoever runs flows in the account lists and describes jobs as well.
        "ListJobs": Bucket(50, 12.5),
        "DescribeJobs": Bucket(50, 12.5),
        "DescribeJobDefinitions": Bucket(50, 12.5),
        "CancelJob": Bucket(50, 12.5),
        "GetJobQueueSnapshot": Bucket(50, 12.5),
        "DescribeJobQueues": Bucket(50, 12.5),
        "DescribeComputeEnvironments": Bucket(50, 12.5),
        "DescribeInstanceTypes": Bucket(100, 20),
        "GetDashboard": Bucket(10, 10),
        "PutDashboard": Bucket(10, 10),
        "GetMetricStatistics": Bucket(400, 400),
    }
)


class Pacer:
    """Waits before a call for as long as it takes to stay below AWS's limits.

    A few calls may follow each other at once, so that a small account is read without delay; then
    they come no faster than our share of the refill.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        # When a bucket of ours was or will be full again, by action.
        self._full_at: dict[str, float] = {}

    def wait(self, action: str) -> None:
        """Return when the action may be called."""
        bucket, now = BUCKETS[action], self._clock()
        apart = 1 / (bucket.refill * SHARE)
        at_once = bucket.size / 10
        full_at = max(self._full_at.get(action, now), now) + apart
        self._full_at[action] = full_at
        early = full_at - now - at_once * apart
        if early > 0:
            self._sleep(early)
