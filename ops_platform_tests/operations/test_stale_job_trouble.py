"""AWS throttles, forbids, forgets page tokens or loses a queue: what can be done is done."""

import pytest

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.stale_policy import Target
from ops_platform_tests.fake_queues import FakeInstanceTypes
from ops_platform_tests.operations.stale_world import World, counts

ACTIONS = (
    "DescribeJobQueues",
    "DescribeComputeEnvironments",
    "ListJobs",
    "GetJobQueueSnapshot",
    "DescribeJobs",
    "CancelJob",
)


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account in which nothing waits."""
    return World(emptied_ledger)


def test_throttling_of_every_call_slows_a_cleaning(world: World) -> None:
    """Each call is refused twice before it is answered."""
    jobs = [world.unfit(), world.unfit()]
    world.wait(minutes=20)
    world.batch.api.throttle = lambda _, number: number % 3 != 0
    began = world.clock()

    cleaned = world.clean()

    assert world.ended_by_us() == jobs
    assert (cleaned.unfinished, cleaned.trouble) == (False, ())
    assert world.clock() > began


@pytest.mark.parametrize("busy", ACTIONS)
def test_throttling_that_lasts_leaves_the_rest_for_the_next_time(world: World, busy: str) -> None:
    """It is no exception, says what could not be done, and cancels nobody in the dark."""
    jobs = [world.unfit(), world.unfit()]
    world.wait(minutes=20)
    world.batch.api.throttle = lambda action, _: action == busy

    cleaned = world.clean()

    assert cleaned.unfinished
    assert "TooManyRequests" in cleaned.delays[0]
    assert cleaned.trouble == ()
    assert world.ended_by_us() == []

    world.batch.api.throttle = lambda *_: False
    world.wait(minutes=10)
    assert len(world.clean().cancelled) == 2
    assert world.ended_by_us() == jobs


def test_throttling_right_after_the_cancellation_is_repaired_later(world: World) -> None:
    """What came of it is found out by the next cleaning, and nobody is asked twice."""
    job = world.unfit()
    world.wait(minutes=20)
    world.batch.api.throttle = lambda action, _: (
        action == "DescribeJobs" and bool(world.calls("CancelJob"))
    )

    assert world.clean().unfinished
    assert world.outcomes() == {job: "asked"}

    world.batch.api.throttle = lambda *_: False
    assert [each.outcome for each in world.clean().settled] == ["cancelled"]
    assert world.calls("CancelJob") == 1


def test_a_page_token_that_expires_counts_no_job_twice(world: World) -> None:
    """The list is begun anew."""
    world.batch.api.page = 2
    for _ in range(5):
        world.unfit(run="wide")
    world.wait(minutes=20)
    world.batch.api.expired_tokens = 2

    cleaned = world.clean()

    assert cleaned.waiting == len(world.ended_by_us()) == 5
    assert world.calls("CancelJob") == 5


def test_a_refused_cancellation_is_recorded_and_the_others_go_on(world: World) -> None:
    """The trouble says what to allow; once it is, the job is asked for again."""
    jobs = [world.unfit(), world.unfit()]
    world.wait(minutes=20)
    world.batch.api.forbidden = {"CancelJob"}

    cleaned = world.clean()

    assert world.outcomes() == dict.fromkeys(jobs, "refused")
    assert len(cleaned.trouble) == 2
    assert "Allow this action" in cleaned.trouble[0]
    assert not cleaned.unfinished
    assert world.records()[0].outcome_reason == cleaned.trouble[0]
    assert [queue.blocker for queue in cleaned.blocked] == jobs[:1]

    world.batch.api.forbidden = set()
    assert world.clean().blocked == ()
    assert [(each.outcome, each.tries) for each in world.records()] == [("cancelled", 2)] * 2


@pytest.mark.parametrize("forbidden", ["DescribeJobQueues", "ListJobs", "DescribeJobs"])
def test_what_we_may_not_read_is_trouble(world: World, forbidden: str) -> None:
    """And nothing is done that rests on it."""
    world.unfit()
    world.wait(minutes=20)
    world.batch.api.forbidden = {forbidden}

    cleaned = world.clean()

    assert (cleaned.unfinished, cleaned.queues, cleaned.cancelled) == (True, (), ())
    assert "Allow this action" in cleaned.trouble[0]


def test_the_trouble_of_one_queue_is_not_that_of_others(world: World) -> None:
    """Such as one that is deleted while the account is cleaned."""
    world.batch.queue("gone")
    job = world.unfit()
    world.wait(minutes=20)

    def deleted(action: str) -> None:
        if action == "ListJobs":
            world.batch.api.queues.pop("gone", None)

    world.batch.api.on_call = deleted

    cleaned = world.clean()

    assert (cleaned.queues, world.ended_by_us()) == (("flows",), [job])
    assert "gone does not exist" in cleaned.trouble[0]


def test_without_a_snapshot_a_stuck_queue_is_still_known(world: World) -> None:
    """Nobody knows its head then, so each job may be it, and the breaker is what protects them."""
    world.want(breaker=3)
    world.batch.api.missing = {"GetJobQueueSnapshot"}
    jobs = [world.submit(), world.submit()]
    world.wait(hours=3)

    assert len(world.clean(enforce=False).blocked) == 1
    assert len(world.clean().cancelled) == 2
    assert world.ended_by_us() == jobs


def test_types_that_nobody_knows_prove_nothing(world: World) -> None:
    """A job may fit what EC2 does not tell us of; what a queue may have at most is no secret."""
    world.batch.types = FakeInstanceTypes(())
    job = world.submit(vcpus=6)
    world.wait(minutes=20)
    assert counts(world.clean()) == {("keep", "young"): 1}

    world.batch.types = FakeInstanceTypes()
    world.clean()
    assert world.ended_by_us() == [job]


def test_when_time_is_up_nothing_is_done_by_halves(world: World) -> None:
    """Of a queue not read to its end nobody knows how many of its jobs are stale at once."""
    world.batch.api.page = 1
    for _ in range(3):
        world.unfit(heard=False)
    world.wait(minutes=20)
    world.batch.api.on_call = lambda _: world.wait(seconds=20)

    cleaned = world.clean(seconds=50)

    assert (cleaned.unfinished, cleaned.whole, cleaned.queues) == (True, False, ())
    assert world.calls("CancelJob") == 0


def test_each_time_another_queue_is_the_first(world: World) -> None:
    """Lest one be never come to, if time is always up before."""
    for name in ("second", "third"):
        world.batch.queue(name)
    for name in ("flows", "second", "third"):
        world.unfit(name)
    world.wait(minutes=20)
    world.batch.api.on_call = lambda _: world.wait(seconds=30)
    seen: set[str] = set()

    for _ in range(12):
        seen |= set(world.clean(enforce=False, seconds=400).queues)
        world.wait(minutes=1)

    assert seen == {"flows", "second", "third"}


@pytest.mark.parametrize(
    ("code", "outcome", "unfinished"),
    [("AccessDeniedException", "refused", False), ("ThrottlingException", "asked", True)],
)
def test_a_run_that_cannot_be_stopped_is_recorded(
    world: World, code: str, outcome: str, *, unfinished: bool
) -> None:
    """As a cancellation is; the job is not cancelled in its place, since nobody asked for that."""
    world.want(target=Target.RUN)
    job = world.unfit(run="nightly")
    world.execution("nightly")
    world.wait(minutes=20)

    def refuse(arn: str) -> None:
        raise AwsError(f"Could not stop the execution {arn}.", code=code)

    world.stopper.on_stop = refuse
    cleaned = world.clean()

    assert (world.outcomes(), cleaned.unfinished) == ({job: outcome}, unfinished)
    assert "Could not stop" in cleaned.trouble[0]
    assert world.calls("CancelJob") == 0
