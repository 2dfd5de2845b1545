"""What every Batch promises of the cancellation of jobs, whether fake, emulator or Batch."""

from abc import ABC, abstractmethod

import pytest

from ops_platform.domain.cancelling import LONGEST_REASON, Outcome, outcome_of
from ops_platform.domain.reasons import STALE_MARK
from ops_platform_tests.adapters.batch_queues_contract import (
    QueuesWorld,
    described_in,
    listed_in,
)


class CancelContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> QueuesWorld:
        """Return the world of one test."""

    def test_a_waiting_job_is_cancelled_with_our_reason(self, world: QueuesWorld) -> None:
        """By which its outcome is known; to ask twice does no harm."""
        job_id = world.submit()

        world.api.cancel(job_id, f"{STALE_MARK}: so it was judged")
        world.api.cancel(job_id, "again")

        latest = described_in(world, job_id).job.latest
        assert (latest.status, latest.cancelled) == ("FAILED", True)
        assert latest.status_reason == f"{STALE_MARK}: so it was judged"
        assert outcome_of(latest) is Outcome.CANCELLED

    def test_a_job_that_has_started_is_not_cancelled(self, world: QueuesWorld) -> None:
        """Though Batch says yes."""
        job_id = world.run()

        world.api.cancel(job_id, "too late")

        latest = described_in(world, job_id).job.latest
        assert (latest.status, latest.cancelled) == ("RUNNING", False)
        assert outcome_of(latest) is Outcome.STARTED

    def test_what_was_never_there_can_be_cancelled(self, world: QueuesWorld) -> None:
        """Nothing happens."""
        world.api.cancel("5b0e9d3c-52a9-4f0f-9a2f-2f3b1f1c7d11", "gone")

    def test_a_job_that_depends_on_others_is_only_marked(self, world: QueuesWorld) -> None:
        """It ends when they do."""
        job_id = world.submit(depends_on=[world.submit()])

        world.api.cancel(job_id, "no need")

        latest = described_in(world, job_id).job.latest
        assert (latest.status, latest.cancelled) == ("PENDING", True)

    def test_a_child_is_cancelled_alone(self, world: QueuesWorld) -> None:
        """Its siblings wait on."""
        parent = world.submit_array(2)

        world.api.cancel(f"{parent}:0", "no need")

        first, second = world.api.describe([f"{parent}:0", f"{parent}:1"])
        assert (first.job.latest.status, second.job.latest.status) == ("FAILED", "RUNNABLE")
        assert f"{parent}:1" in listed_in(world)

    def test_a_reason_is_as_long_as_batch_takes_it(self, world: QueuesWorld) -> None:
        """The rest is cut off, not refused."""
        job_id = world.submit()

        world.api.cancel(job_id, "x" * (LONGEST_REASON + 1))

        assert described_in(world, job_id).job.latest.status == "FAILED"
