"""The promises of a reader of starts, kept by the fake and by the adapter."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform_tests.adapters.starts_contract import StartsContract
from ops_platform_tests.fake_states import FakeStepFunctions
from ops_platform_tests.fakes import FakeClock

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_WAITS = {"StartAt": "wait", "States": {"wait": {"Type": "Wait", "Seconds": 600, "End": True}}}


class FakeWorld:
    """The fake, whose clock moves on with each run."""

    def __init__(self) -> None:
        self._clock = FakeClock()
        self.starts = FakeStepFunctions(self._clock)
        self.machine_arn = self.starts.deploy("TrainFlow", flow="TrainFlow")
        self._runs: dict[str, str] = {}

    def now(self) -> datetime:
        """Tell the time by the account's clock."""
        return self._clock()

    def run(self, name: str) -> None:
        """Have a run start."""
        self._clock.advance(timedelta(seconds=1))
        self._runs[name] = self.starts.start(self.machine_arn, name)

    def abort(self, name: str) -> None:
        """End a run."""
        self._clock.advance(timedelta(seconds=1))
        self.starts.end(self._runs[name], "ABORTED")

    def delete(self) -> None:
        """Delete the machine."""
        self.starts.delete(self.machine_arn)


class StepFunctionsWorld:
    """A machine that only waits."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client
        self.starts = StepFunctions(client)
        self.machine_arn = client.create_state_machine(
            name=f"ops-platform-contract-{uuid4().hex[:12]}",
            definition=json.dumps(_WAITS),
            roleArn="arn:aws:iam::123456789012:role/contract",
        )["stateMachineArn"]
        self._runs: dict[str, str] = {}

    def now(self) -> datetime:
        """Tell the time by the account's clock."""
        return datetime.now(UTC)

    def run(self, name: str) -> None:
        """Have a run start."""
        started = self._client.start_execution(stateMachineArn=self.machine_arn, name=name)
        self._runs[name] = started["executionArn"]
        time.sleep(0.05)

    def abort(self, name: str) -> None:
        """End a run."""
        self._client.stop_execution(executionArn=self._runs[name])
        time.sleep(0.05)

    def delete(self) -> None:
        """Delete the machine."""
        self._client.delete_state_machine(stateMachineArn=self.machine_arn)


class TestFakeStarts(StartsContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeWorld:
        """Return a fresh fake."""
        return FakeWorld()


class TestEmulatedStarts(StartsContract):
    """The real adapter, over HTTP, against an emulator."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> StepFunctionsWorld:
        """Return a machine in the emulator's account."""
        return StepFunctionsWorld(emulated.step_functions)
