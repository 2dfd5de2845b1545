"""What everything promises that ends runs, whether fake, emulator or Step Functions."""

from abc import ABC, abstractmethod
from typing import Protocol

import pytest

from ops_platform.domain.batch_ports import RunStopper


class StopsWorld(Protocol):
    """An account with executions of Step Functions."""

    stopper: RunStopper

    def begin(self) -> str:
        """Start an execution that goes on; return its ARN."""
        ...

    def end(self) -> str:
        """Return the ARN of an execution that has succeeded."""
        ...

    def forget(self) -> str:
        """Return the ARN of an execution that never was."""
        ...

    def told(self, execution_arn: str) -> tuple[str, str]:
        """Return the error and the cause with which an execution was stopped."""
        ...


class StopsContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> StopsWorld:
        """Return the world of one test."""

    def test_a_run_is_stopped_with_error_and_cause(self, world: StopsWorld) -> None:
        """Once; the second time it is over."""
        arn = world.begin()

        assert world.stopper.stop(arn, error="StaleJob", cause="It can never start.")

        assert world.told(arn) == ("StaleJob", "It can never start.")
        assert not world.stopper.stop(arn, error="StaleJob", cause="again")
        assert world.told(arn) == ("StaleJob", "It can never start.")

    def test_a_run_that_is_over_is_left_as_it_is(self, world: StopsWorld) -> None:
        """Step Functions itself would say that all is well."""
        assert not world.stopper.stop(world.end(), error="StaleJob", cause="too late")

    def test_a_run_that_never_was_is_gone(self, world: StopsWorld) -> None:
        """As after 90 days."""
        assert not world.stopper.stop(world.forget(), error="StaleJob", cause="too late")

    def test_words_are_as_long_as_step_functions_takes_them(self, world: StopsWorld) -> None:
        """The rest is cut off, not refused."""
        arn = world.begin()

        assert world.stopper.stop(arn, error="e" * 300, cause="c" * 40_000)

        error, cause = world.told(arn)
        assert (len(error), len(cause)) == (256, 32_768)
