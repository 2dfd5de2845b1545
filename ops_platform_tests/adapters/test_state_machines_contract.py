"""The promises of a reader of state machines, kept by the fake and by the adapter."""

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.domain.ports import Machine
from ops_platform_tests.adapters.aws_worlds import StepFunctionsWorld
from ops_platform_tests.adapters.state_machines_contract import StateMachinesContract
from ops_platform_tests.fakes import FakeStateMachines


class FakeStateMachinesWorld:
    """The fake, rebuilt with each change."""

    def __init__(self) -> None:
        self._deployed: dict[str, Machine] = {}

    @property
    def machines(self) -> FakeStateMachines:
        """The account's state machines as the platform sees them."""
        return FakeStateMachines(self._deployed.values())

    def deploy_flow(self, *, flow: str | None, owner: str | None) -> str:
        """Deploy a flow."""
        arn = f"arn:aws:states:eu-west-1:123456789012:stateMachine:m{len(self._deployed)}"
        self._deployed[arn] = Machine(arn=arn, flow=flow, owner=owner)
        return arn

    def deploy_foreign(self) -> str:
        """Deploy a machine without a flow."""
        return self.deploy_flow(flow=None, owner=None)

    def delete(self, arn: str) -> None:
        """Delete a machine."""
        del self._deployed[arn]


class TestFakeStateMachines(StateMachinesContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeStateMachinesWorld:
        """Return a fresh fake."""
        return FakeStateMachinesWorld()


class TestEmulatedStateMachines(StateMachinesContract):
    """The real adapter, over HTTP, against an emulator."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> StepFunctionsWorld:
        """Return the emulator's account."""
        return StepFunctionsWorld(emulated.step_functions)
