"""Jobs held up by their queue, by those in front or by those who run, and what is said."""

from ops_platform.domain.causes import Cause
from ops_platform_tests.build_stale import LARGE, a_queue, an_environment
from ops_platform_tests.domain.stuck_world import (
    BEHIND,
    HOLDERS,
    STILL,
    Row,
    asking,
    lately,
    situation,
)  # fmt: skip

SERVICE_ROLE = (
    "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS \u2013 Batch service role has a permission issue."
)
ROWS = (
    Row(
        Cause.NO_ENVIRONMENT,
        asking(),
        situation(queue=a_queue(environments=())),
        "Queue flows has no compute environment.",
        "Give it one: its computeEnvironmentOrder is empty.",
    ),
    Row(
        Cause.ENVIRONMENT_INVALID,
        asking(),
        situation(an_environment(status="INVALID", status_reason="CLIENT_ERROR - no\nsuch subnet")),
        "Compute environment spot is invalid: CLIENT_ERROR - no such subnet",
        "Repair what AWS names, then update the compute environment.",
    ),
    Row(
        Cause.ENVIRONMENT_INVALID,
        asking(),
        situation(),
        f"Batch finds every compute environment of the queue invalid. Q{STILL}.",
        "Repair what their status reasons name.",
        said="ACTION_REQUIRED - CE(s) associated with the job queue are invalid.",
    ),
    Row(
        Cause.ENVIRONMENT_DISABLED,
        asking(4),
        situation(
            an_environment(name="small", types=(LARGE,)),
            an_environment(name="big", state="DISABLED"),
        ),
        "Compute environment big is disabled. No other of queue flows has room for the job.",
        "Enable it, unless it was disabled on purpose: jobs wait for it meanwhile.",
    ),
    Row(
        Cause.ENVIRONMENT_WITHOUT_VCPUS,
        asking(4),
        situation(an_environment(max_vcpus=0), an_environment(name="other", state="DISABLED")),
        (
            "Compute environment spot may have no vCPUs: its maxvCpus is 0. Compute environment"
            " other is disabled."
        ),
        (
            "Enable it, unless it was disabled on purpose: jobs wait for it meanwhile. Raise its"
            " maxvCpus, unless it was set to 0 on purpose: jobs wait meanwhile."
        ),
    ),
    Row(
        Cause.QUEUE_DISABLED,
        asking(),
        situation(queue=a_queue(state="DISABLED")),
        f"The queue is disabled, and q{STILL}.",
        (
            "Enable it, unless it was disabled on purpose. By AWS's word a disabled queue takes no"
            " new jobs and those in it can finish, so look at its compute environments too."
        ),
    ),
    Row(
        Cause.QUEUE_INVALID,
        asking(),
        situation(queue=a_queue(status="INVALID", status_reason="Environment gone")),
        f"Batch finds the queue invalid, and q{STILL}. Environment gone",
        "Repair what AWS names.",
    ),
    Row(
        Cause.MISCONFIGURED,
        asking(),
        situation(),
        f"Batch lacks a permission that it needs to start instances. Q{STILL}.",
        "Give its service role the policy AWSBatchServiceRole, or use the service-linked role.",
        said=SERVICE_ROLE,
    ),
    Row(
        Cause.NO_CAPACITY_AT_AWS,
        asking(),
        situation(),
        (
            "AWS has no r5.large to give at present, in any compute environment of the queue."
            f" Q{STILL}."
        ),
        "Add more instance types, Availability Zones or on-demand capacity",
        said=(
            "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity"
            " requested for instance type [r5.large]"
        ),
    ),
    Row(
        Cause.MAX_VCPUS_REPORTED,
        asking(),
        situation(),
        (
            "Batch finds the maximum vCPUs of every compute environment too low for the job."
            f" Q{STILL}."
        ),
        "Raise maxvCpus of a compute environment of the queue, or ask for fewer vCPUs.",
        said="MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) cannot meet the job",
    ),
    Row(
        Cause.UNDETERMINED,
        asking(),
        situation(),
        f"Batch says that the job blocks its queue and that it cannot tell why. Q{STILL}.",
        "Check what AWS lists: the instances run and register with the ECS cluster",
        said="UNDETERMINED - Batch job is blocked, root cause is undetermined.",
    ),
    Row(
        Cause.BEHIND_BLOCKER,
        asking(),
        situation(front=BEHIND),
        "Job first stands at the head of queue flows for 3 h; this one stands 3rd.",
        "See `ops-platform jobs explain first`: this one waits for that.",
    ),
    Row(
        Cause.CAPACITY_HELD,
        asking(4),
        situation(holders=HOLDERS),
        (
            "The job asks for 4 vCPUs and waits for jobs that run: they hold 16 of at most 16:"
            " TrainFlow (ana) 8, ScoreFlow (bob) 4, jobs of no flow 3, others 1."
        ),
        "Wait, or raise maxvCpus of a compute environment if such waits are usual.",
    ),
    Row(
        Cause.CAPACITY_HELD,
        asking(1, 15_000),
        situation(an_environment(desired_vcpus=16), holders=HOLDERS[:1]),
        (
            "Compute environment spot may start no further instance, and jobs hold 8 vCPUs there:"
            " TrainFlow (ana) 8."
        ),
        "Wait, or raise maxvCpus",
    ),
    Row(
        Cause.WAITS_ITS_TURN,
        asking(),
        lately(front=BEHIND),
        "Queue flows moves, the last time 5 min ago, and this one stands 3rd; next is job first.",
        "Wait, or raise maxvCpus",
    ),
    Row(
        Cause.SHARE_USED_UP,
        asking(share="search"),
        lately(front=BEHIND, queue=a_queue(fair_share=True)),
        (
            "Queue flows moves, the last time 5 min ago, and this one stands 3rd; next is job"
            " first. Its capacity is shared, and share search has to wait for others."
        ),
        "Wait, or change the shares' weights in the queue's scheduling policy.",
    ),
    Row(
        Cause.DEPENDENCY,
        asking(status="PENDING", depends_on=("a", "b", "c", "d")),
        situation(),
        "The job waits for 4 other jobs: a, b, c, ….",
        "It becomes RUNNABLE by itself after that.",
    ),
    Row(
        Cause.DEPENDENCY,
        asking(status="PENDING"),
        situation(),
        "The job is PENDING: it waits for another job, or for a consumable resource.",
        "It becomes RUNNABLE by itself after that.",
    ),
    Row(
        Cause.ARRAY,
        asking(status="PENDING", array_size=100),
        situation(),
        "It is an array of 100 jobs, which never starts itself and ends when they do.",
        "Look at the jobs of the array that wait.",
    ),
)
