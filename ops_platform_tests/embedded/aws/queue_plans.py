"""Job queues and compute environments that a test makes for itself."""

import uuid
from typing import Any

from ops_platform_tests.embedded.aws.accounts import Aws, Json, eventually

LACKING = "m5.large m5.xlarge"
"""The instance types of which the tests' account has none."""

MUTE = "c5.large"
"""The instance type that never comes up there."""


class Plans:
    """Makes queues and environments in an account, each with a name of its own."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.batch = aws.client("batch")

    def environment(self, *types: str, most: int = 8, **more: object) -> str:
        """Create a compute environment; return its name."""
        (pattern,) = self.batch.describe_compute_environments(
            computeEnvironments=["metaflow-spot"]
        )["computeEnvironments"]
        resources = {
            name: pattern["computeResources"][name]
            for name in ("type", "subnets", "securityGroupIds", "instanceRole")
        }
        name = f"test-{uuid.uuid4().hex[:8]}"
        self.batch.create_compute_environment(
            computeEnvironmentName=name,
            type="MANAGED",
            computeResources={
                **resources,
                "minvCpus": 0,
                "maxvCpus": most,
                "instanceTypes": list(types or ("r5.large",)),
            },
            **more,
        )
        return name

    def queue(self, *environments: str, priority: int = 1, **more: object) -> str:
        """Create a queue on environments, in their order; return its name."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        order = [
            {"order": number, "computeEnvironment": environment}
            for number, environment in enumerate(environments)
        ]
        self.batch.create_job_queue(
            jobQueueName=name, priority=priority, computeEnvironmentOrder=order, **more
        )
        return name

    def change(self, environment: str, **changes: Any) -> None:
        """Update a compute environment."""
        self.batch.update_compute_environment(computeEnvironment=environment, **changes)

    def described(self, environment: str) -> Json:
        """Describe a compute environment."""
        (found,) = self.batch.describe_compute_environments(computeEnvironments=[environment])[
            "computeEnvironments"
        ]
        return dict(found)

    def role(self) -> str:
        """Create a role; return its ARN."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        created = self._aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
        return str(created["Role"]["Arn"])

    def delete_role(self, arn: str) -> None:
        """Delete a role, as an administrator who knows nothing of Batch would."""
        self._aws.client("iam").delete_role(RoleName=arn.rpartition("/")[2])

    def front(self, queue: str) -> list[tuple[str, int]]:
        """Return the ids of the first jobs of a queue, each with since when it is there."""
        front = self.batch.get_job_queue_snapshot(jobQueue=queue)["frontOfQueue"]
        return [
            (job["jobArn"].rpartition("/")[2], job["earliestTimeAtPosition"])
            for job in front["jobs"]
        ]

    def reason(self, job_id: str) -> str:
        """Wait until Batch says why a job is stuck; return that."""
        return str(eventually(lambda: self._aws.job(job_id).get("statusReason"), what="a reason"))
