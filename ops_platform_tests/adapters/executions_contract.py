"""What every reader of executions promises, whether fake, emulator or Step Functions."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Protocol

import pytest

from ops_platform.domain.lifecycle import EXECUTION_ENDS
from ops_platform.domain.ports import Executions, ListedExecution

ENDS = sorted(EXECUTION_ENDS)
LONG = timedelta(days=1)


class ExecutionsWorld(Protocol):
    """An account in which executions end as one wants."""

    @property
    def api(self) -> Executions:
        """The account's Step Functions as the platform sees them."""
        ...

    def now(self) -> datetime:
        """Tell the time by the account's clock."""
        ...

    def deploy(self) -> str:
        """Deploy a machine; return its ARN."""
        ...

    def delete(self, machine_arn: str) -> None:
        """Delete a machine."""
        ...

    def begin(self, machine_arn: str) -> str:
        """Start an execution, with Metaflow's input, that goes on; return its ARN."""
        ...

    def end(self, machine_arn: str, status: str) -> str:
        """Run an execution until it ends so, with error and cause if it fails; return its ARN."""
        ...


class ExecutionsContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> ExecutionsWorld:
        """Return the world of one test."""

    def test_machines_are_listed_until_they_are_deleted(self, world: ExecutionsWorld) -> None:
        """Each with the moment it was created."""
        before = world.now() - timedelta(seconds=1)
        kept, deleted = world.deploy(), world.deploy()
        assert {kept, deleted} <= {machine.arn for machine in world.api.list_machines()}
        world.delete(deleted)

        listed = {machine.arn: machine for machine in world.api.list_machines()}

        assert kept in listed
        assert deleted not in listed
        assert before <= listed[kept].created_at <= world.now()

    @pytest.mark.parametrize("status", ENDS)
    def test_an_end_is_listed_under_its_status_alone(
        self, world: ExecutionsWorld, status: str
    ) -> None:
        """With the moment it stopped."""
        machine = world.deploy()
        before = world.now() - timedelta(seconds=1)
        arn = world.end(machine, status)

        (listed,) = _listed(world, machine, status)

        assert (listed.arn, listed.status) == (arn, status)
        assert listed.stopped_at is not None
        assert before <= listed.stopped_at <= world.now()
        others = [_listed(world, machine, other) for other in ENDS if other != status]
        assert others == [[]] * 3

    def test_the_last_stopped_comes_first_until_one_stopped_too_early(
        self, world: ExecutionsWorld
    ) -> None:
        """Whoever asks since a moment gets what stopped then or later."""
        machine = world.deploy()
        arns = [world.end(machine, "FAILED") for _ in range(3)]

        listed = _listed(world, machine, "FAILED")

        assert [each.arn for each in listed] == arns[::-1]
        since = listed[1].stopped_at
        assert since is not None
        later = world.api.list_executions(machine, status="FAILED", since=since)
        assert list(later) == listed[:2]
        none = world.api.list_executions(machine, status="FAILED", since=world.now() + LONG)
        assert list(none) == []

    def test_a_machine_that_is_gone_has_no_executions(self, world: ExecutionsWorld) -> None:
        """It may be deleted while one reads."""
        machine = world.deploy()
        world.end(machine, "FAILED")
        world.delete(machine)

        assert _listed(world, machine, "FAILED") == []

    @pytest.mark.parametrize("status", ENDS)
    def test_an_end_is_described_as_the_event_that_tells_of_it(
        self, world: ExecutionsWorld, status: str
    ) -> None:
        """Names, moments, error and cause; the same each time one asks."""
        machine = world.deploy()
        arn = world.end(machine, status)
        (listed,) = _listed(world, machine, status)

        event = world.api.describe_execution(arn)

        assert event is not None
        assert (event.execution_arn, event.machine_arn) == (arn, machine)
        assert (event.status, event.name) == (status, arn.rpartition(":")[2])
        assert event.stopped_at == event.time == listed.stopped_at
        assert event.started_at is not None
        assert event.started_at <= event.time
        assert f":{event.region}:{event.aws_account_id}:" in arn
        assert event.id.startswith(f"api:{arn}:{status}:")
        assert event.metaflow_input
        if status == "FAILED":
            assert (event.error, event.cause) == ("States.TaskFailed", "it broke")
        assert world.api.describe_execution(arn) == event

    def test_an_execution_that_goes_on_has_no_end(self, world: ExecutionsWorld) -> None:
        """It is as it was when it began."""
        arn = world.begin(world.deploy())

        event = world.api.describe_execution(arn)

        assert event is not None
        assert (event.status, event.stopped_at) == ("RUNNING", None)
        assert event.time == event.started_at
        assert world.api.describe_execution(arn) == event

    def test_an_execution_that_never_was_is_gone(self, world: ExecutionsWorld) -> None:
        """An ARN without an execution is None, not an error."""
        arn = world.end(world.deploy(), "SUCCEEDED")

        assert world.api.describe_execution(f"{arn}-no-such") is None


def _listed(world: ExecutionsWorld, machine: str, status: str) -> list[ListedExecution]:
    return list(world.api.list_executions(machine, status=status, since=world.now() - LONG))
