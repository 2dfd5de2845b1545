"""Worlds for the contract of executions: the fake's, and that of an emulated account."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ops_platform.adapters.step_functions import StepFunctions
from ops_platform_tests.fake_states import FakeStepFunctions
from ops_platform_tests.fakes import FakeClock

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_ROLE = "arn:aws:iam::123456789012:role/contract"
_INPUT = json.dumps({"Parameters": "{}"})


class FakeExecutionsWorld:
    """The fake."""

    def __init__(self) -> None:
        self._clock = FakeClock()
        self.api = FakeStepFunctions(self._clock)
        self._count = 0

    def now(self) -> datetime:
        """Tell the time by the fake's clock."""
        return self._clock()

    def deploy(self) -> str:
        """Deploy a machine."""
        self._count += 1
        return self.api.deploy(f"machine-{self._count}", flow="TrainFlow", owner="ana")

    def delete(self, machine_arn: str) -> None:
        """Delete a machine."""
        self.api.delete(machine_arn)

    def begin(self, machine_arn: str) -> str:
        """Start an execution."""
        self._count += 1
        return self.api.start(machine_arn, f"run-{self._count}")

    def end(self, machine_arn: str, status: str) -> str:
        """Run an execution until it ends."""
        arn = self.begin(machine_arn)
        self._clock.advance(timedelta(seconds=1.25))
        failed = {"error": "States.TaskFailed", "cause": "it broke"} if status == "FAILED" else {}
        self.api.end(arn, status, **failed)
        return arn


class StepFunctionsExecutionsWorld:
    """An account where machines may be deployed and run."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client
        self.api = StepFunctions(client)

    def now(self) -> datetime:
        """Tell the time by this machine's clock."""
        return datetime.now(UTC)

    def deploy(self) -> str:
        """Deploy a machine that goes on."""
        return self._client.create_state_machine(
            name=f"ops-platform-contract-{uuid4().hex[:12]}",
            definition=json.dumps(_definition("RUNNING")),
            roleArn=_ROLE,
        )["stateMachineArn"]

    def delete(self, machine_arn: str) -> None:
        """Delete a machine."""
        self._client.delete_state_machine(stateMachineArn=machine_arn)

    def begin(self, machine_arn: str) -> str:
        """Start an execution of the machine as it is deployed now."""
        started = self._client.start_execution(stateMachineArn=machine_arn, input=_INPUT)
        return started["executionArn"]

    def end(self, machine_arn: str, status: str) -> str:
        """Deploy the machine so that it ends as it shall, and run it."""
        definition = json.dumps(_definition(status))
        self._client.update_state_machine(stateMachineArn=machine_arn, definition=definition)
        arn = self.begin(machine_arn)
        if status == "ABORTED":
            self._client.stop_execution(executionArn=arn)
        deadline = time.monotonic() + 30
        while self._client.describe_execution(executionArn=arn)["status"] == "RUNNING":
            assert time.monotonic() < deadline, "it does not end"
            time.sleep(0.05)
        return arn


def _definition(status: str) -> dict[str, Any]:
    """Return a machine of one state whose executions end so; but for one, it waits long enough."""
    state: dict[str, Any] = {"Type": "Wait", "Seconds": 60, "End": True}
    if status == "FAILED":
        state = {"Type": "Fail", "Error": "States.TaskFailed", "Cause": "it broke"}
    if status == "SUCCEEDED":
        state = {"Type": "Pass", "End": True}
    limit = {"TimeoutSeconds": 1} if status == "TIMED_OUT" else {}
    return {"StartAt": "only", "States": {"only": state}, **limit}
