"""What happens to jobs while they are cleaned away: a healthy one comes through it all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.stale_policy import Target
from ops_platform_tests.operations.stale_world import World, counts, verdicts


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


def retry(world: World, job: str) -> None:
    """Let a job start, fail and wait again, of which no event has come yet."""
    world.batch.run(job)
    world.wait(seconds=1)
    world.batch.retry(job)


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


def test_a_job_that_was_retried_since_it_was_asked_for_has_started(world: World) -> None:
    """What waits now is another attempt, of which nothing was said."""
    job = world.unfit()
    world.wait(minutes=20)

    def on_call(action: str) -> None:
        if action == "CancelJob":
            world.batch.run(job)
        if action == "DescribeJobs" and world.batch.status(job) == "RUNNING":
            world.batch.retry(job)

    world.batch.api.on_call = on_call
    world.clean()

    assert world.outcomes() == {job: "started meanwhile"}
    assert world.batch.status(job) == "RUNNABLE"


def test_a_cancellation_that_batch_only_notes_at_first_counts(world: World) -> None:
    """The job is marked before it ends."""
    job = world.unfit()
    world.wait(minutes=20)
    world.batch.api.slow_cancel = True

    world.clean()

    assert world.outcomes() == {job: "cancelled"}
    assert (world.batch.status(job), world.slept) == ("RUNNABLE", [])
    assert verdicts(world.clean()) == {job: ("keep", "already cancelled")}


def test_what_batch_seems_to_have_missed_is_asked_for_again_later(world: World) -> None:
    """After a few looks, and not before whoever asked has had his time."""
    job = world.unfit()
    world.wait(minutes=20)
    world.batch.api.on_call = _unheard(world, job)

    world.clean()
    assert world.outcomes() == {job: "asked"}
    assert world.slept == [0.5, 1.0]
    assert world.clean().cancelled == ()

    world.wait(minutes=6)
    (record,) = world.clean().cancelled
    assert (record.outcome, record.tries) == ("cancelled", 2)


def _unheard(world: World, job: str) -> Callable[[str], None]:
    """Have the first ``CancelJob`` find the job away for just that moment."""

    def on_call(action: str) -> None:
        if action == "CancelJob" and world.calls(action) == 1:
            world.batch.start(job)
        elif action == "DescribeJobs" and world.batch.status(job) == "STARTING":
            world.batch.api.move(world.batch.job(job), "RUNNABLE")

    return on_call


def test_a_job_that_batch_forgets_meanwhile_is_gone(world: World) -> None:
    """Which is an outcome, too."""
    job = world.unfit()
    world.wait(minutes=20)
    before(world, "CancelJob", 1, lambda: world.batch.forget(job))

    world.clean()

    assert world.outcomes() == {job: "already gone"}


def test_one_that_somebody_else_ended_meanwhile_is_finished(world: World) -> None:
    """The words of whoever was quicker stay."""
    job = world.unfit()
    world.wait(minutes=20)
    words = "Canceled by JobStateTimeLimit action due to reason: CAPACITY"
    before(world, "CancelJob", 1, lambda: world.batch.end(job, "FAILED", words))

    (record,) = world.clean().cancelled

    assert (record.outcome, record.outcome_reason) == ("finished", words)


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


class KilledError(Exception):
    """The process is gone, as far as that can be had in one process."""


def killed(action: str) -> None:
    """Be killed when Batch is called the next time."""
    raise KilledError(action)


def test_what_a_killed_cleaning_has_asked_for_is_settled(world: World) -> None:
    """By the next one, even if that only looks."""
    job = world.unfit()
    world.wait(minutes=20)

    before(world, "CancelJob", 1, lambda: setattr(world.batch.api, "on_call", killed))
    with pytest.raises(KilledError):
        world.clean()
    assert world.outcomes() == {job: "asked"}
    world.batch.api.on_call = lambda _: None

    (settled,) = world.clean(enforce=False).settled
    assert (settled.job_id, settled.outcome) == (job, "cancelled")
    assert world.outcomes() == {job: "cancelled"}


def test_a_run_that_a_killed_cleaning_has_stopped_is_known_as_stopped(world: World) -> None:
    """Its job was ended by Step Functions, and not by itself."""
    world.want(target=Target.RUN)
    job = world.unfit(run="nightly")
    world.execution("nightly")
    world.wait(minutes=20)

    def stopped_and_killed(_arn: str) -> None:
        world.batch.end(job, "FAILED", "by AWS Step Functions")
        world.batch.job(job).detail["isTerminated"] = True
        world.batch.api.on_call = killed
        raise KilledError

    world.stopper.on_stop = stopped_and_killed
    with pytest.raises(KilledError):
        world.clean()
    assert world.outcomes() == {job: "asked"}
    world.batch.api.on_call = lambda _: None

    world.clean()
    assert world.outcomes() == {job: "run stopped"}


def test_a_job_that_outlives_its_stopped_run_is_cancelled_after_all(world: World) -> None:
    """Step Functions ends the jobs of a run as well as it can, and may lack the permission."""
    world.want(target=Target.RUN)
    job = world.unfit(run="nightly")
    world.execution("nightly")
    world.wait(minutes=20)
    world.clean()
    assert world.outcomes() == {job: "run stopped"}

    world.wait(minutes=10)
    world.clean()

    assert world.ended_by_us() == [job]
    assert world.outcomes() == {job: "cancelled"}


def test_a_job_that_batch_had_lost_for_a_moment_is_asked_for_again(world: World) -> None:
    """It was recorded as gone, and blocks its queue still."""
    job = world.unfit()
    world.wait(minutes=20)
    lost = world.batch.job(job)
    before(world, "CancelJob", 1, lambda: world.batch.api.jobs.pop(job))
    world.clean()
    assert world.outcomes() == {job: "already gone"}

    world.batch.api.jobs[job] = lost
    world.wait(minutes=10)
    world.clean()

    assert world.ended_by_us() == [job]
