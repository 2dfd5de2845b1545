"""What every Batch promises whose queues are cleaned up, whether fake, emulator or Batch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import pytest

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.domain.batch_ports import BatchQueues, ListedJob
from ops_platform.domain.capacity import Platform, Queue
from ops_platform.domain.waiting_jobs import WaitingJob, runnable_since

PARAMETERS = {
    "metaflow.user": "SFN",
    "metaflow.owner": "ana",
    "metaflow.flow_name": "TrainFlow",
    "metaflow.step_name": "work",
}


class QueuesWorld(Protocol):
    """An account with a queue in which jobs wait for as long as one wants."""

    api: BatchQueues
    queue: str
    """The ARN of the queue; its environment starts ``r5.large`` and ``r5.xlarge``, up to 4 vCPUs.

    At its head stands a job of the world's own that fits nothing.
    """

    def now(self) -> datetime:
        """Tell the time by the account's clock."""
        ...

    def submit(
        self,
        *,
        tags: Mapping[str, str] | None = None,
        depends_on: Sequence[str] = (),
    ) -> str:
        """Submit a job with `PARAMETERS`; return its id when it waits in its place."""
        ...

    def submit_array(self, size: int, *, depends_on: Sequence[str] = ()) -> str:
        """Submit an array of jobs; return the parent's id when its children wait."""
        ...

    def run(self) -> str:
        """Return the id of a job that runs, in another queue."""
        ...

    def let_tokens_expire(self) -> None:
        """Let so much time pass that Batch forgets how far anybody has read."""
        ...


class QueuesContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> QueuesWorld:
        """Return the world of one test."""

    # --- queues -----------------------------------------------------------------------------------

    def test_a_queue_is_told_with_what_it_may_start(self, world: QueuesWorld) -> None:
        """Its environments with their limits, and the sizes of the instances they start."""
        queue = the_queue(world)

        (environment,) = queue.environments
        assert (queue.state, queue.status) == ("ENABLED", "VALID")
        assert (environment.is_usable, environment.platform) == (True, Platform.EC2)
        assert (environment.max_vcpus, environment.configured) == (4, ("r5.large", "r5.xlarge"))
        assert environment.types is not None
        assert [each.name for each in environment.types] == ["r5.large", "r5.xlarge"]
        assert [each.size.vcpus for each in environment.types] == [2, 4]
        assert [each.size.memory_mib for each in environment.types] == [16_384, 32_768]

    def test_the_front_of_a_queue_is_in_the_order_of_submission(self, world: QueuesWorld) -> None:
        """With since when each job has stood at its place."""
        before = world.now()
        jobs = [world.submit() for _ in range(3)]

        front = world.api.front(world.queue)

        assert front is not None
        assert [position.job_id for position in front[1:]] == jobs
        for position in front[1:]:
            assert position.since is not None
            assert before.replace(microsecond=0) <= position.since <= world.now()

    def test_of_a_queue_that_is_not_there_there_is_no_front(self, world: QueuesWorld) -> None:
        """As where we may not ask."""
        assert world.api.front(f"{world.queue}-no-such") is None

    # --- what waits -------------------------------------------------------------------------------

    def test_what_waits_is_listed_until_it_is_over(self, world: QueuesWorld) -> None:
        """With when it was created; the list has neither owner nor parameters."""
        before = world.now().replace(microsecond=0)
        kept, cancelled = world.submit(), world.submit()
        assert {kept, cancelled} <= listed_in(world).keys()
        world.api.cancel(cancelled, "no need")

        listed = listed_in(world)

        assert cancelled not in listed
        assert (listed[kept].cancelled, listed[kept].array_size) == (False, None)
        created_at = listed[kept].created_at
        assert created_at is not None
        assert before <= created_at <= world.now()

    def test_neither_what_runs_nor_what_depends_on_others_is_listed(
        self, world: QueuesWorld
    ) -> None:
        """They do not wait for capacity."""
        pending = world.submit(depends_on=[world.submit()])
        running = world.run()

        listed = listed_in(world)

        assert not {pending, running} & listed.keys()

    def test_what_runs_is_listed_by_itself(self, world: QueuesWorld) -> None:
        """With when it started, by which one sees that a queue moves; what waits is not in it."""
        running, waiting = world.run(), world.submit()
        (queue,) = {each.job.latest.queue for each in world.api.describe([running])}
        arn = next(each.arn for each in world.api.queues() if each.name == queue)

        started = {job.id: job for job in world.api.started(arn)}

        assert started[running].started_at is not None
        assert waiting not in {job.id for job in world.api.started(world.queue)}

    def test_the_children_of_an_array_are_listed_and_their_parent_is_not(
        self, world: QueuesWorld
    ) -> None:
        """Batch itself lists but the parent, which is PENDING for as long as they wait."""
        parent = world.submit_array(3)

        listed = listed_in(world)

        assert {f"{parent}:{index}" for index in range(3)} <= listed.keys()
        assert parent not in listed
        assert listed[f"{parent}:0"].created_at is not None

    def test_an_array_that_depends_on_others_does_not_wait_yet(self, world: QueuesWorld) -> None:
        """Nor do its children."""
        parent = world.submit_array(2, depends_on=[world.submit()])

        assert not {job_id for job_id in listed_in(world) if job_id.startswith(parent)}

    def test_more_than_a_page_is_listed_once_each(self, world: QueuesWorld) -> None:
        """However many pages it takes."""
        parent = world.submit_array(1001)

        listed = [job.id for job in world.api.runnable(world.queue)]

        children = [job_id for job_id in listed if job_id.startswith(parent)]
        assert len(children) == 1001
        assert len(set(listed)) == len(listed)

    def test_a_list_is_read_to_its_end_though_its_page_token_expires(
        self, world: QueuesWorld
    ) -> None:
        """It is begun anew, and each job is told once."""
        parent = world.submit_array(1001)
        jobs = world.api.runnable(world.queue)
        listed = [next(job for job in jobs if job.id.startswith(parent)).id]
        world.let_tokens_expire()

        listed += [job.id for job in jobs]

        assert len({job_id for job_id in listed if job_id.startswith(parent)}) == 1001
        assert len(set(listed)) == len(listed)

    def test_a_queue_that_is_not_there_cannot_be_listed(self, world: QueuesWorld) -> None:
        """A list without jobs would say that nobody waits."""
        with pytest.raises(AwsError, match=r"list the RUNNABLE jobs") as refused:
            list(world.api.runnable(f"{world.queue}-no-such"))
        assert refused.value.code == "ClientException"

    # --- one job ----------------------------------------------------------------------------------

    def test_a_job_is_described_with_what_no_list_tells(self, world: QueuesWorld) -> None:
        """Whose it is, what it asks for, its tags and parameters."""
        before = world.now().replace(microsecond=0)
        job_id = world.submit(tags={"team": "fraud"})

        job = described_in(world, job_id)

        latest = job.job.latest
        assert (job.id, job.queue, latest.status) == (job_id, the_queue(world).name, "RUNNABLE")
        assert (latest.flow, latest.step, latest.owner) == ("TrainFlow", "work", "ana")
        assert (job.asks_for.vcpus, job.asks_for.memory_mib, job.asks_for.gpus) == (1, 512, 0)
        assert job.parameters == PARAMETERS
        assert job.tags == {"team": "fraud"}
        assert (job.depends_on, job.share) == ((), None)
        since = runnable_since(job)
        assert since is not None
        assert before <= since <= world.now()

    def test_more_than_a_call_can_take_are_described(self, world: QueuesWorld) -> None:
        """In their order; those that Batch has forgotten are left out, and nobody is told twice."""
        first, last = world.submit(), world.submit()
        unknown = [f"{number:036}" for number in range(150)]

        found = world.api.describe([last, *unknown, first, last])

        assert [job.id for job in found] == [last, first]
        assert world.api.describe([]) == []

    def test_a_job_tells_what_it_depends_on_and_so_does_each_of_an_array(
        self, world: QueuesWorld
    ) -> None:
        """So that nobody takes the time it waited for others for time it was RUNNABLE."""
        other = world.submit()
        alone = world.submit(depends_on=[other])
        parent = world.submit_array(2, depends_on=[other])

        found = world.api.describe([alone, f"{parent}:1"])

        assert [job.id for job in found] == [alone, f"{parent}:1"]
        assert [job.depends_on for job in found] == [(other,), (other,)]
        assert [runnable_since(job) for job in found] == [None, None]

    def test_calls_are_counted_by_their_names(self, world: QueuesWorld) -> None:
        """As AWS counts them."""
        before = world.api.calls.copy()

        world.api.queues()
        world.api.front(world.queue)
        world.api.describe([f"{number:036}" for number in range(101)])
        world.api.cancel("5b0e9d3c-52a9-4f0f-9a2f-2f3b1f1c7d11", "gone")

        assert world.api.calls - before == {
            "DescribeJobQueues": 1,
            "DescribeComputeEnvironments": 1,
            "GetJobQueueSnapshot": 1,
            "DescribeJobs": 2,
            "CancelJob": 1,
        }


def the_queue(world: QueuesWorld) -> Queue:
    """Return the queue in which the world's jobs wait."""
    return next(queue for queue in world.api.queues() if queue.arn == world.queue)


def listed_in(world: QueuesWorld) -> dict[str, ListedJob]:
    """Return what waits there, by id."""
    return {job.id: job for job in world.api.runnable(world.queue)}


def described_in(world: QueuesWorld, job_id: str) -> WaitingJob:
    """Return a job as it is now."""
    (job,) = world.api.describe([job_id])
    return job
