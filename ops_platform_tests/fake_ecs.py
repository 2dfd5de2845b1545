"""ECS as far as a sandbox uses it: a task is a process here, with the image's programs."""

import subprocess
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, WaiterError

CLUSTER = "arn:aws:ecs:us-east-1:111111111111:cluster/sandboxes"


@dataclass
class FakeEcs:
    """One task definition; fulfils what the Pipes client of dagster-aws asks of boto3's client."""

    role: str | None = None
    secrets: tuple[str, ...] = ()
    has_capacity: bool = True
    never_ends: bool = False
    fails: bool = False
    ran: list[dict[str, Any]] = field(default_factory=list)
    environments: list[dict[str, str]] = field(default_factory=list)
    meta: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(region_name="us-east-1"))
    _exit_code: int = 0

    def describe_task_definition(self, *, taskDefinition: str) -> dict[str, Any]:  # noqa: N803
        """Return the definition."""
        container: dict[str, Any] = {"name": "sandbox", "image": "ops-platform:1"}
        if self.secrets:
            container["secrets"] = [{"name": name} for name in self.secrets]
        told = {"family": taskDefinition, "containerDefinitions": [container]}
        return {"taskDefinition": told | ({"taskRoleArn": self.role} if self.role else {})}

    def run_task(self, **request: Any) -> dict[str, Any]:
        """Run the command of the container's override here, without anything of our environment."""
        if not self.has_capacity:
            answer = {"Error": {"Code": "ServerException", "Message": "Service Unavailable."}}
            raise ClientError(answer, "RunTask")  # type: ignore[arg-type]
        self.ran.append(request)
        (override,) = request["overrides"]["containerOverrides"]
        told = {each["name"]: each["value"] for each in override["environment"]}
        self.environments.append(told)
        if not (self.never_ends or self.fails):
            command = [sys.executable, *override["command"][1:]]
            done = subprocess.run(command, env=told, capture_output=True, check=False, timeout=120)
            self._exit_code = done.returncode
        return {"tasks": [self._task("PENDING")]}

    def describe_tasks(self, **_: object) -> dict[str, Any]:
        """Return the task as it ended."""
        failed = {"stopCode": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError"}
        return {"tasks": [self._task("STOPPED") | (failed if self.fails else {})]}

    def get_waiter(self, name: str) -> Any:
        """Return what waits for the task's end."""
        assert name == "tasks_stopped"

        def wait(**_: object) -> None:
            if self.never_ends:
                raise WaiterError(name, "Max attempts exceeded", {})

        return SimpleNamespace(wait=wait)

    def _task(self, status: str) -> dict[str, Any]:
        container = {"name": "sandbox", "runtimeId": "r-1", "exitCode": self._exit_code}
        arn = "arn:aws:ecs:us-east-1:111111111111:task/sandboxes/1"
        return {
            "taskArn": arn,
            "clusterArn": CLUSTER,
            "lastStatus": status,
            "containers": [container],
        }
