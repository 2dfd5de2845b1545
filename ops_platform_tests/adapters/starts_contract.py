"""What every reader of starts promises, whether fake, emulator or Step Functions."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Protocol

import pytest

from ops_platform.domain.ports import LastRun, NoRun, Starts


class StartsWorld(Protocol):
    """An account with a state machine for one test."""

    @property
    def starts(self) -> Starts:
        """The runs as the platform sees them."""
        ...

    @property
    def machine_arn(self) -> str:
        """The machine."""
        ...

    def now(self) -> datetime:
        """Tell the time by the account's clock."""
        ...

    def run(self, name: str) -> None:
        """Have a run start, which does not end by itself."""
        ...

    def abort(self, name: str) -> None:
        """End a run."""
        ...

    def delete(self) -> None:
        """Delete the machine, which no longer runs."""
        ...


class StartsContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> StartsWorld:
        """Return the world of one test."""

    def test_a_machine_that_never_ran_says_so(self, world: StartsWorld) -> None:
        """There is nothing wrong with it."""
        assert world.starts.last_run(world.machine_arn) is NoRun.NEVER

    def test_a_run_is_told_while_it_runs(self, world: StartsWorld) -> None:
        """With its id, its status and when it started, by the account's clock."""
        before = world.now()
        world.run("one")

        run = world.starts.last_run(world.machine_arn)

        assert isinstance(run, LastRun)
        assert (run.run_id, run.status) == ("sfn-one", "RUNNING")
        assert abs((run.started_at - before).total_seconds()) < 5
        assert run.started_at.utcoffset() is not None

    def test_the_last_run_is_the_one_that_started_last(self, world: StartsWorld) -> None:
        """Not the one that ended last, which AWS lists first."""
        world.run("first")
        world.run("second")
        world.abort("second")
        world.abort("first")

        run = world.starts.last_run(world.machine_arn)

        assert isinstance(run, LastRun)
        assert (run.run_id, run.status) == ("sfn-second", "ABORTED")

    def test_a_machine_that_is_gone_says_so(self, world: StartsWorld) -> None:
        """It is no error, since machines are deleted."""
        world.delete()

        assert world.starts.last_run(world.machine_arn) is NoRun.GONE
