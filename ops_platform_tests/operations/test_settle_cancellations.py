"""What became of a job is found out by looking at it, by whoever asked or by the next one."""

from collections.abc import Callable

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.stale_policy import Target
from ops_platform_tests.operations.stale_world import World, before, verdicts


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account in which nothing waits."""
    return World(emptied_ledger)


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
