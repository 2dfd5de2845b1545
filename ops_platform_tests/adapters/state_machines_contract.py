"""What every reader of state machines promises, whether fake, emulator or Step Functions."""

from abc import ABC, abstractmethod
from typing import Protocol

import pytest

from ops_platform.domain.ports import Machine, StateMachines


class StateMachinesWorld(Protocol):
    """An account of its own for one test."""

    @property
    def machines(self) -> StateMachines:
        """The account's state machines as the platform sees them."""
        ...

    def deploy_flow(self, *, flow: str, owner: str) -> str:
        """Deploy a flow as Metaflow does; return the machine's ARN."""
        ...

    def deploy_foreign(self) -> str:
        """Deploy a machine Metaflow knows nothing of; return its ARN."""
        ...

    def delete(self, arn: str) -> None:
        """Delete a machine."""
        ...


class StateMachinesContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> StateMachinesWorld:
        """Return the world of one test."""

    def test_a_flow_tells_its_name_and_owner(self, world: StateMachinesWorld) -> None:
        """Both are read from the definition, not from the machine's name."""
        arn = world.deploy_flow(flow="TrainFlow", owner="ana")

        assert world.machines.describe(arn) == Machine(arn=arn, flow="TrainFlow", owner="ana")

    def test_a_foreign_machine_has_no_flow(self, world: StateMachinesWorld) -> None:
        """A machine that Metaflow did not deploy is described as such."""
        arn = world.deploy_foreign()

        assert world.machines.describe(arn) == Machine(arn=arn, flow=None, owner=None)

    def test_a_machine_that_never_was_is_gone(self, world: StateMachinesWorld) -> None:
        """An ARN without a machine is None, not an error."""
        arn = world.deploy_foreign()

        assert world.machines.describe(f"{arn}-no-such-machine") is None

    def test_a_deleted_machine_is_gone(self, world: StateMachinesWorld) -> None:
        """What was there before is None too."""
        arn = world.deploy_flow(flow="TrainFlow", owner="ana")
        world.delete(arn)

        assert world.machines.describe(arn) is None
