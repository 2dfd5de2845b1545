"""Queues that break, or are repaired, while and before they are cleaned: their jobs are spared."""

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform_tests.operations.stale_world import World, before, verdicts

_NO_PERMISSION = (
    "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS - Batch service role has a permission issue."
)


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account in which nothing waits."""
    return World(emptied_ledger)


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


def test_after_a_repair_jobs_get_their_time_anew(world: World) -> None:
    """Instances need minutes to start, and the jobs have waited for hours."""
    world.batch.environment("flows-spot", state="DISABLED")
    job = world.submit()
    world.wait(hours=3)
    world.clean()
    world.batch.environment("flows-spot", state="ENABLED")
    world.wait(minutes=10)

    cleaned = world.clean()

    assert verdicts(cleaned) == {job: ("warn", "the queue is at fault")}
    (blocked,) = cleaned.blocked
    assert "was out of order until 10 min ago at most" in blocked.sentence

    world.wait(hours=2)
    world.clean()
    assert world.ended_by_us() == [job]


def test_a_dry_run_remembers_no_fault(world: World) -> None:
    """It writes nothing."""
    world.batch.environment("flows-spot", state="DISABLED")
    world.submit()
    world.wait(hours=3)
    before_it = world.everything()

    world.clean(enforce=False, settle=False)

    assert world.everything() == before_it


def test_a_queue_that_starts_nothing_loses_one_job_and_not_one_after_another(world: World) -> None:
    """Each would be at its head for two hours; but it was not the first that blocked it."""
    jobs = [world.submit() for _ in range(5)]
    world.wait(hours=2, minutes=1)
    world.clean()
    blocked = []
    for _ in range(24):
        world.wait(minutes=30)
        blocked = list(world.clean().blocked)

    assert world.ended_by_us() == jobs[:1]
    (told,) = blocked
    assert f"Nothing has started in it since job {jobs[0]} was cancelled" in told.sentence
    assert told.held_back == 1


def test_once_it_has_started_one_its_past_is_forgotten(world: World) -> None:
    """Then what is stuck next is stuck by itself."""
    first, second, third = (world.submit() for _ in range(3))
    world.wait(hours=3)
    world.clean()
    world.wait(minutes=5)
    world.batch.start(second)
    world.hear(second)
    world.batch.end(second)
    world.hear(second)
    world.wait(hours=3)
    world.clean()

    assert world.ended_by_us() == [first, third]


def test_jobs_of_one_run_are_stuck_for_one_reason(world: World) -> None:
    """One after another is cancelled, as they ask for the same."""
    jobs = [world.submit(run="wide") for _ in range(2)]
    for _ in jobs:
        world.wait(hours=3)
        world.clean()

    assert world.ended_by_us() == jobs


@pytest.mark.parametrize("enforce", [True, False])
def test_without_a_snapshot_an_unfit_job_may_be_in_front(world: World, enforce: bool) -> None:  # noqa: FBT001
    """It is cancelled alone, and the others have their time to start after that."""
    world.batch.api.forbidden.add("GetJobQueueSnapshot")
    healthy = [world.submit() for _ in range(3)]
    unfit = world.unfit()
    world.wait(hours=3)

    cleaned = world.clean(enforce=enforce)

    assert {verdicts(cleaned)[job] for job in healthy} == {("warn", "behind a blocked job")}
    assert world.ended_by_us() == ([unfit] if enforce else [])
    assert ["999" in each.sentence for each in cleaned.blocked] == ([] if enforce else [True])

    world.wait(minutes=10)
    cleaned = world.clean(enforce=enforce)
    waits = "waits its turn" if enforce else "behind a blocked job"
    assert {verdicts(cleaned)[job] for job in healthy} == {("warn", waits)}


def test_while_its_environment_is_changed_a_queue_keeps_its_jobs(world: World) -> None:
    """Somebody is at work on it, perhaps to make room for this very job."""
    job = world.submit(vcpus=8)
    world.wait(hours=3)
    world.batch.environment("flows-spot", status="UPDATING")

    cleaned = world.clean()

    assert verdicts(cleaned) == {job: ("warn", "the queue is at fault")}
    assert ["is being changed" in each.sentence for each in cleaned.blocked] == [True]

    world.batch.environment("flows-spot", types=("r5.2xlarge",))
    world.wait(minutes=10)
    world.clean()
    assert world.ended_by_us() == []


def test_a_front_that_is_empty_though_jobs_wait_is_none(world: World) -> None:
    """As of a queue with shares that have fronts of their own."""
    job, unfit = world.submit(), world.unfit()
    world.wait(hours=3)
    api = world.batch.batch()
    api.front = lambda _: []  # type: ignore[method-assign, assignment]

    world.cleaner(api=api).clean(enforce=True)

    assert (world.ended_by_us(), world.batch.status(job)) == ([unfit], "RUNNABLE")


def test_one_that_is_starting_for_days_does_not_make_its_queue_move(world: World) -> None:
    """It began to start once, and nothing has started since."""
    world.batch.environment("flows-spot", max_vcpus=100)
    hangs = world.submit()
    world.batch.start(hangs)
    world.hear(hangs)
    world.submit()
    world.wait(hours=30)

    assert len(world.clean(enforce=False).blocked) == 1
