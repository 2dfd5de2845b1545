"""What every reader of histories promises, whether fake, emulator or Step Functions."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

import pytest

from ops_platform.domain.execution_history import History
from ops_platform.domain.ports import ExecutionHistory
from ops_platform_tests.adapters.batch_contract import PARAMETERS


class HistoryWorld(Protocol):
    """An account of its own for one test."""

    @property
    def histories(self) -> ExecutionHistory:
        """The account's histories as the platform sees them."""
        ...

    def run(self, exits: Sequence[int], *, parameters: Mapping[str, str]) -> str:
        """Run an execution with a branch for each exit code until it has ended.

        The run's id is a parameter of each job, as Metaflow has it.
        """
        ...

    def run_without_definition(self) -> str:
        """Run an execution whose job cannot be submitted until it has ended."""
        ...

    def stop(self, *, error: str, cause: str) -> str:
        """Start an execution, and stop it as a person does."""
        ...


class HistoryContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> HistoryWorld:
        """Return the world of one test."""

    def test_the_job_that_failed_is_told_and_its_sibling_is_not(self, world: HistoryWorld) -> None:
        """The sibling was aborted with the run, or went on."""
        arn = world.run([4, 0], parameters=PARAMETERS)

        history = _failures(world, arn)

        (job,) = history.failed
        assert (job.status, job.exit_code) == ("FAILED", 4)
        assert (job.flow, job.step, job.owner) == ("TrainFlow", "work", "ana")
        assert job.run_id == f"sfn-{arn.rsplit(':', 1)[1]}"
        assert job.job_id in history.job_ids
        assert job.id.startswith(f"api:{job.job_id}:FAILED:")
        assert len(history.job_ids) == 2
        assert history.error == "States.TaskFailed"
        assert (history.truncated, history.gone) == (False, False)

    def test_a_run_that_succeeded_has_no_failure(self, world: HistoryWorld) -> None:
        """It may have been redriven meanwhile."""
        history = _failures(world, world.run([0], parameters=PARAMETERS))

        assert (history.failed, history.error, history.cause) == ((), None, None)

    def test_a_job_that_could_not_be_submitted_is_told_by_its_error(
        self, world: HistoryWorld
    ) -> None:
        """There is no job to ask."""
        history = _failures(world, world.run_without_definition())

        assert (history.failed, history.job_ids) == ((), ())
        assert history.error is not None
        assert history.error.startswith("Batch.")
        assert "does not exist" in str(history.cause)

    def test_who_stopped_a_run_may_have_said_why(self, world: HistoryWorld) -> None:
        """No job failed by itself."""
        history = _failures(world, world.stop(error="Stop", cause="by ana"))

        assert (history.failed, history.error, history.cause) == ((), "Stop", "by ana")

    def test_a_history_that_is_gone_is_no_error(self, world: HistoryWorld) -> None:
        """AWS keeps it for 90 days."""
        arn = world.run([0], parameters=PARAMETERS)

        assert _failures(world, f"{arn}-no-such") == History(gone=True)

    def test_without_time_nothing_is_read(self, world: HistoryWorld) -> None:
        """That more is to be known is said."""
        arn = world.run([4], parameters=PARAMETERS)

        assert world.histories.failures(arn, seconds=0) == History(truncated=True)


def _failures(world: HistoryWorld, arn: str) -> History:
    return world.histories.failures(arn, seconds=20)
