"""What every teller of Batch jobs promises, whether fake, emulator or Batch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol

import pytest

from ops_platform.domain.aws_values import millis
from ops_platform.domain.ports import BatchJobs

PARAMETERS = {
    "metaflow.user": "SFN",
    "metaflow.owner": "ana",
    "metaflow.flow_name": "TrainFlow",
    "metaflow.step_name": "work",
}


class BatchWorld(Protocol):
    """An account of its own for one test."""

    @property
    def jobs(self) -> BatchJobs:
        """The account's jobs as the platform sees them."""
        ...

    def run(self, script: str, *, parameters: Mapping[str, str], attempts: int = 1) -> str:
        """Run a script that exits with a code as a job until it has ended; return the job's id."""
        ...


class BatchContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> BatchWorld:
        """Return the world of one test."""

    def test_a_failed_job_is_told_as_its_event_would(self, world: BatchWorld) -> None:
        """With all its attempts, when it stopped, and whose it is."""
        run = {"metaflow.run_id": "6f0c"}
        job_id = world.run("exit 3", parameters=PARAMETERS | run, attempts=2)

        (job,) = world.jobs.describe([job_id])

        assert (job.job_id, job.status, job.exit_code) == (job_id, "FAILED", 3)
        assert [attempt.exit_code for attempt in job.attempts] == [3, 3]
        assert (job.flow, job.step, job.run_id) == ("TrainFlow", "work", "sfn-6f0c")
        assert job.owner == "ana"
        assert job.log_stream
        assert job.stopped_at == job.time
        assert job.id == f"api:{job_id}:FAILED:{millis(job.stopped_at)}"

    def test_a_succeeded_job_is_told_too(self, world: BatchWorld) -> None:
        """Its end may have been missed as well."""
        job_id = world.run("exit 0", parameters=PARAMETERS)

        (job,) = world.jobs.describe([job_id])

        assert (job.status, job.exit_code, job.run_id) == ("SUCCEEDED", 0, None)

    def test_more_than_a_call_can_take_are_described(self, world: BatchWorld) -> None:
        """In several calls; a job that is named twice is told once."""
        first, last = (world.run("exit 0", parameters=PARAMETERS) for _ in range(2))
        unknown = [f"{number:036}" for number in range(150)]

        found = world.jobs.describe([first, *unknown, first, last])

        assert sorted(job.job_id for job in found) == sorted([first, last])

    def test_what_batch_has_forgotten_is_left_out(self, world: BatchWorld) -> None:
        """Some days after its end a job is unknown, and that is no error."""
        assert world.jobs.describe(["5b0e9d3c-52a9-4f0f-9a2f-2f3b1f1c7d11"]) == []

    def test_no_jobs_are_no_question(self, world: BatchWorld) -> None:
        """Batch would refuse it."""
        assert world.jobs.describe([]) == []
