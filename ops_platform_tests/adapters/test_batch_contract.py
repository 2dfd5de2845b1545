"""The promises of a teller of Batch jobs, kept by the fake and by the adapter."""

from collections.abc import Mapping

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.domain.events import Attempt, JobEvent
from ops_platform_tests.adapters import batch_worlds
from ops_platform_tests.adapters.batch_contract import BatchContract
from ops_platform_tests.build import a_job_event, after
from ops_platform_tests.fake_batch import FakeBatchJobs


def ended_job(job_id: str, code: int, parameters: Mapping[str, str], attempts: int) -> JobEvent:
    """Return the job that a fake world has run, as Batch describes it."""
    run = parameters.get("metaflow.run_id")
    log = f"contract/default/{job_id}"
    tries = attempts if code else 1
    status = "FAILED" if code else "SUCCEEDED"
    return a_job_event(
        id=f"api:{job_id}:{status}:{int(after(9).timestamp() * 1000)}",
        time=after(9),
        job_id=job_id,
        status=status,
        stopped_at=after(9),
        attempts=(Attempt(exit_code=code, log_stream=log),) * tries,
        exit_code=code,
        log_stream=log,
        flow=parameters.get("metaflow.flow_name"),
        step=parameters.get("metaflow.step_name"),
        owner=parameters.get("metaflow.owner"),
        run_id=f"sfn-{run}" if run else None,
    )


class FakeBatchWorld:
    """The fake, rebuilt with each job."""

    def __init__(self) -> None:
        self._ran: list[JobEvent] = []

    @property
    def jobs(self) -> FakeBatchJobs:
        """The account's jobs as the platform sees them."""
        return FakeBatchJobs(self._ran)

    def run(self, script: str, *, parameters: Mapping[str, str], attempts: int = 1) -> str:
        """Take note of a job that has ended."""
        job_id, code = f"job-{len(self._ran)}", int(script.rsplit(maxsplit=1)[-1])
        self._ran.append(ended_job(job_id, code, parameters, attempts))
        return job_id


class TestFakeBatch(BatchContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeBatchWorld:
        """Return a fresh fake."""
        return FakeBatchWorld()


class TestEmulatedBatch(BatchContract):
    """The real adapter, over HTTP, against an emulator that runs jobs."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> batch_worlds.BatchWorld:
        """Return the emulator's account."""
        return batch_worlds.BatchWorld(emulated)
