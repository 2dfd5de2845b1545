"""Queues that break, or are repaired, while and before they are cleaned: their jobs are spared."""

from collections.abc import Callable

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform_tests.operations.stale_world import World, verdicts

_NO_PERMISSION = (
    "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS - Batch service role has a permission issue."
)


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account in which nothing waits."""
    return World(emptied_ledger)


def before(world: World, action: str, number: int, happens: Callable[[], object]) -> None:
    """Let something happen before a call of Batch is answered."""

    def on_call(called: str) -> None:
        if called == action and world.calls(action) == number:
            happens()

    world.batch.api.on_call = on_call


def test_a_queue_that_breaks_after_its_jobs_were_listed_keeps_them(world: World) -> None:
    """The second look finds its environment disabled, and the queue is told to be at fault."""
    job = world.submit()
    world.wait(hours=3)

    def breaks() -> None:
        world.wait(seconds=90)
        world.batch.environment("flows-spot", state="DISABLED")

    before(world, "DescribeJobQueues", 2, breaks)
    cleaned = world.clean()

    assert world.ended_by_us() == []
    assert verdicts(cleaned) == {job: ("warn", "the queue is at fault")}
    assert ["disabled" in each.sentence for each in cleaned.blocked] == [True]


def test_what_batch_says_at_the_second_look_counts(world: World) -> None:
    """It has found out only now that the queue is misconfigured."""
    job = world.submit()
    world.wait(hours=3)
    before(world, "DescribeJobs", 2, lambda: world.batch.explain(job, _NO_PERMISSION))

    cleaned = world.clean()

    assert world.ended_by_us() == []
    assert len(cleaned.blocked) == 1


def test_an_operator_who_insists_need_not_fear_the_second_look(world: World) -> None:
    """The job is cancelled, whatever has become of the queue."""
    job = world.submit()
    world.wait(hours=3)
    before(world, "DescribeJobs", 2, lambda: world.batch.explain(job, _NO_PERMISSION))

    world.clean(despite_fault=True)

    assert world.ended_by_us() == [job]


def test_a_job_that_fits_only_now_gets_its_chance(world: World) -> None:
    """Its environment was given larger instances a moment ago, while it was to be cancelled."""
    job = world.submit(vcpus=8)
    world.wait(hours=3)

    def widened() -> None:
        world.wait(seconds=90)
        world.batch.environment("flows-spot", types=("r5.2xlarge",))

    before(world, "DescribeJobQueues", 2, widened)
    world.clean()

    assert world.batch.status(job) == "RUNNABLE"
