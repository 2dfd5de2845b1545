"""What happens to jobs while they are cleaned away: a healthy one comes through it all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform_tests.operations.stale_world import World, before, counts, retry, verdicts


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account in which nothing waits."""
    return World(emptied_ledger)


def test_a_job_that_starts_after_it_was_listed_is_not_asked_for(world: World) -> None:
    """It is described before it would be, and again right before."""
    job = world.unfit()
    world.wait(minutes=20)
    before(world, "DescribeJobs", 2, lambda: world.batch.run(job))

    cleaned = world.clean()

    assert (cleaned.cancelled, world.calls("CancelJob"), world.records()) == ((), 0, [])
    assert verdicts(cleaned) == {job: ("keep", "not RUNNABLE")}
    assert cleaned.blocked == ()


def test_a_job_that_starts_before_the_cancellation_goes_on(world: World) -> None:
    """``CancelJob`` succeeds all the same, so the record says what really was."""
    job = world.unfit()
    world.wait(minutes=20)
    before(world, "CancelJob", 1, lambda: world.batch.run(job))

    world.clean()

    assert world.outcomes() == {job: "started meanwhile"}
    assert world.batch.status(job) == "RUNNING"


def test_a_job_that_was_retried_after_it_was_listed_is_young(world: World) -> None:
    """Though no event has told of it: the description shows when its last attempt ended."""
    job = world.unfit()
    world.wait(minutes=20)
    before(world, "DescribeJobs", 2, lambda: retry(world, job))

    cleaned = world.clean()

    assert counts(cleaned) == {("keep", "young"): 1}
    assert (world.calls("CancelJob"), world.records()) == (0, [])

    world.wait(minutes=16)
    (record,) = world.clean().cancelled
    assert (record.attempt, record.outcome) == (2, "cancelled")


def test_while_aws_is_slow_nobody_is_ended_by_what_was_seen_long_ago(world: World) -> None:
    """Those whose turn comes more than ten seconds after the look are looked at again."""
    first, second = world.unfit(), world.unfit()
    world.wait(minutes=20)

    def is_slow() -> None:
        world.wait(seconds=11)
        retry(world, second)

    before(world, "CancelJob", 1, is_slow)

    cleaned = world.clean()

    assert world.outcomes() == {first: "cancelled"}
    assert counts(cleaned) == {("cancel", "fits nothing"): 1, ("keep", "young"): 1}


def test_a_queue_that_began_to_move_meanwhile_keeps_its_jobs(world: World) -> None:
    """What is known of a queue is read again if it is a minute old."""
    world.submit()
    world.wait(hours=3)
    other = world.submit()

    def moves() -> None:
        world.wait(seconds=61)
        world.batch.run(other)
        world.hear(other)

    before(world, "DescribeJobs", 1, moves)

    cleaned = world.clean()

    assert cleaned.cancelled == ()
    assert counts(cleaned)["warn", "waits its turn"] == 1


def test_in_a_queue_that_is_gone_by_then_nobody_is_ended(world: World) -> None:
    """What is known of it is too old, and there is nothing new to know."""
    world.unfit()
    world.wait(minutes=20)

    def deleted() -> None:
        world.wait(seconds=61)
        del world.batch.api.queues["flows"]

    before(world, "DescribeJobs", 1, deleted)

    assert (world.clean().cancelled, world.calls("CancelJob")) == ((), 0)


def test_while_one_cleans_another_is_told(world: World) -> None:
    """That is no error: the work is being done."""
    world.unfit()
    world.wait(minutes=20)
    told = []
    before(world, "ListJobs", 1, lambda: told.append(world.clean()))

    first = world.clean()

    assert (told[0].unfinished, told[0].waiting, told[0].cancelled) == (True, 0, ())
    assert told[0].delays[0].startswith("Another cleanup of production is at work")
    assert len(first.cancelled) == 1
    assert first.trouble == ()


def test_a_dry_run_neither_waits_for_anybody_nor_keeps_anybody_away(world: World) -> None:
    """It takes no lease."""
    world.unfit()
    world.wait(minutes=20)
    looked = []
    before(world, "ListJobs", 1, lambda: looked.append(world.clean(enforce=False)))

    assert len(world.clean().cancelled) == 1
    assert counts(looked[0]) == {("cancel", "fits nothing"): 1}


def test_one_that_was_held_up_leaves_the_rest_to_its_successor(world: World) -> None:
    """The job is asked for once."""
    job = world.unfit()
    world.wait(minutes=20)

    successor = world.cleaner(holder="two")

    def held_up() -> None:
        world.wait(minutes=3)
        assert successor.renew(world.clock())

    before(world, "DescribeJobs", 1, held_up)

    held_up_itself = world.clean()
    done = successor.clean(enforce=True)

    assert (held_up_itself.unfinished, held_up_itself.cancelled) == (True, ())
    assert [each.job_id for each in done.cancelled] == world.ended_by_us() == [job]
    assert world.calls("CancelJob") == 1


def test_two_at_once_ask_for_each_job_once(world: World) -> None:
    """Were there no lease at all."""
    jobs = [world.unfit(run="wide") for _ in range(30)]
    world.wait(minutes=20)
    cleaners = [world.cleaner(lease=timedelta()) for _ in range(2)]

    with ThreadPoolExecutor() as pool:
        running = [pool.submit(cleaner.clean, enforce=True) for cleaner in cleaners]
        cleaned = [each.result() for each in running]

    asked = [record.job_id for each in cleaned for record in each.cancelled]
    assert sorted(asked) == sorted(world.ended_by_us()) == jobs
    assert world.calls("CancelJob") == 30
    assert set(world.outcomes().values()) == {"cancelled"}
