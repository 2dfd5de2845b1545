"""Jobs, queues and environments of a fake Batch, as its answers show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ops_platform.domain.aws_values import millis
from ops_platform_tests.build import ACCOUNT_ID, REGION

Json = dict[str, Any]
PREFIX = f"arn:aws:batch:{REGION}:{ACCOUNT_ID}"
OVER = frozenset({"SUCCEEDED", "FAILED"})
_SUMMARY = (
    "jobArn", "jobId", "jobName", "createdAt", "startedAt", "stoppedAt", "status", "statusReason",
    "jobDefinition", "arrayProperties", "shareIdentifier", "isCancelled", "isTerminated",
)  # fmt: skip


@dataclass(slots=True, eq=False)
class FakeJob:
    """A job: what DescribeJobs tells of it, and what Batch keeps to itself."""

    detail: Json
    queue: str
    number: int
    runnable_at: datetime | None = None
    starting_at: datetime | None = None
    parent: "FakeJob | None" = None
    children: "list[FakeJob]" = field(default_factory=list)

    @property
    def id(self) -> str:
        """The id."""
        return str(self.detail["jobId"])

    @property
    def status(self) -> str:
        """The state it is in."""
        return str(self.detail["status"])

    def summary(self) -> Json:
        """Return what ListJobs shows of it, which is neither tags nor parameters."""
        shown = {name: self.detail[name] for name in _SUMMARY if name in self.detail}
        if self.children:
            states = [child.status for child in self.children]
            counts = {state: states.count(state) for state in dict.fromkeys([*states, "RUNNABLE"])}
            shown["arrayProperties"] = {"size": len(self.children), "statusSummary": counts}
        return shown


def job_detail(
    job_id: str,
    *,
    queue: str,
    now: datetime,
    flow: str | None = "TrainFlow",
    step: str | None = "work",
    run: str | None = None,
    owner: str | None = "ana",
    vcpus: float = 1,
    memory: int = 4096,
    gpus: int = 0,
    attempts: int = 1,
    tags: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
    depends_on: Sequence[str] = (),
    share: str | None = None,
) -> Json:
    """Return a job that was just submitted as Metaflow does, or as others do without a flow."""
    asked = {"VCPU": vcpus, "MEMORY": memory, "GPU": gpus}
    own = {
        "metaflow.user": "SFN" if flow else None,
        "metaflow.owner": owner if flow else None,
        "metaflow.flow_name": flow,
        "metaflow.step_name": step if flow else None,
        "metaflow.run_id": run,
    }
    given = {name: value for name, value in own.items() if value is not None}
    detail: Json = {
        "jobArn": f"{PREFIX}:job/{job_id}",
        "jobId": job_id,
        "jobName": f"SFN-{flow}--{step}--",
        "jobQueue": f"{PREFIX}:job-queue/{queue}",
        "jobDefinition": f"{PREFIX}:job-definition/metaflow_9f2c:1",
        "status": "SUBMITTED",
        "createdAt": millis(now),
        "attempts": [],
        "retryStrategy": {"attempts": attempts},
        "dependsOn": [{"jobId": other} for other in depends_on],
        "parameters": given | dict(parameters or {}),
        "tags": dict(tags or {}),
        "container": {
            "image": "local",
            "environment": [{"name": "METAFLOW_SERVICE_HEADERS", "value": "a secret"}],
            "resourceRequirements": [
                {"type": kind, "value": str(value)} for kind, value in asked.items() if value
            ],
        },
    }
    return detail | ({"shareIdentifier": share} if share else {})


def environment_detail(
    name: str,
    *,
    types: Sequence[str] = ("r5.large", "r5.xlarge"),
    max_vcpus: int | None = 8,
    desired_vcpus: int | None = 0,
    kind: str = "SPOT",
    state: str = "ENABLED",
    status: str = "VALID",
    status_reason: str | None = "ComputeEnvironment Healthy",
    **changes: Any,
) -> Json:
    """Return a compute environment that starts instances of these types."""
    resources: Json = {
        "type": kind,
        "minvCpus": 0,
        "maxvCpus": max_vcpus,
        "desiredvCpus": desired_vcpus,
        "instanceTypes": list(types),
    }
    detail: Json = {
        "computeEnvironmentName": name,
        "computeEnvironmentArn": f"{PREFIX}:compute-environment/{name}",
        "type": "MANAGED",
        "state": state,
        "status": status,
        "statusReason": status_reason,
        "containerOrchestrationType": "ECS",
        "computeResources": {key: value for key, value in resources.items() if value is not None},
    }
    return detail | changes


def queue_detail(
    name: str,
    environments: Sequence[str],
    *,
    state: str = "ENABLED",
    status: str = "VALID",
    status_reason: str | None = "JobQueue Healthy",
    **changes: Any,
) -> Json:
    """Return a job queue over these environments, in their order."""
    ordered = [
        {"order": at, "computeEnvironment": f"{PREFIX}:compute-environment/{each}"}
        for at, each in enumerate(environments, start=1)
    ]
    detail: Json = {
        "jobQueueName": name,
        "jobQueueArn": f"{PREFIX}:job-queue/{name}",
        "state": state,
        "status": status,
        "statusReason": status_reason,
        "priority": 1,
        "jobQueueType": "ECS",
        # The last one first: it is `order` that counts.
        "computeEnvironmentOrder": ordered[::-1],
    }
    return detail | changes
