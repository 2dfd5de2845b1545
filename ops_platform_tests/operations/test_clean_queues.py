"""What a cleaning does to the jobs of an account, and what it leaves alone."""

from datetime import timedelta

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.reasons import STALE_MARK
from ops_platform.domain.stale_policy import Policies, Policy, Rule, Target
from ops_platform_tests.operations.stale_world import HUGE, World, counts, verdicts


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account in which nothing waits."""
    return World(emptied_ledger)


def test_a_job_that_fits_nothing_is_cancelled_after_its_time(world: World) -> None:
    """Batch is told why, in words that name us and the policy; the record says the same."""
    job = world.unfit()
    world.wait(minutes=14)
    assert world.clean().cancelled == ()

    world.wait(minutes=2)
    (record,) = world.clean().cancelled

    assert world.ended_by_us() == [job]
    reason = world.batch.job(job).detail["statusReason"]
    assert reason.startswith(f"{STALE_MARK}: RUNNABLE for 15 min 59 s, and it can never start. ")
    assert reason.endswith("(policy: default)")
    assert "asks for 999 vCPUs" in reason
    assert (record.job_id, record.outcome, record.outcome_reason) == (job, "cancelled", reason)
    assert (record.reason, record.cause, record.tries) == ("fits nothing", "too many vCPUs", 1)
    assert (record.queue, record.flow, record.owner) == ("flows", "TrainFlow", "ana")
    assert (record.asked_by, record.judged_at) == ("the schedule", world.clock())


def test_what_is_cancelled_is_cancelled_once(world: World) -> None:
    """The next cleaning finds nothing to do."""
    world.unfit()
    world.wait(minutes=20)
    world.clean()

    again = world.clean()

    assert (again.waiting, again.cancelled, world.calls("CancelJob")) == (0, (), 1)


def test_a_dry_run_changes_nothing_anywhere(world: World) -> None:
    """It says what would be done, of each job and of the queue."""
    job, behind = world.unfit(), world.submit()
    world.wait(hours=3)
    before = world.everything()

    cleaned = world.clean(enforce=False)

    assert world.everything() == before
    assert world.calls("CancelJob") == 0
    assert verdicts(cleaned) == {
        job: ("cancel", "fits nothing"),
        behind: ("warn", "behind a blocked job"),
    }
    assert (cleaned.cancelled, cleaned.waiting) == ((), 2)
    assert cleaned.oldest == timedelta(hours=3) - timedelta(seconds=1)
    assert [queue.blocker for queue in cleaned.blocked] == [job]


def test_a_job_of_which_no_event_came_is_described(world: World) -> None:
    """Then its age counts from its creation, as nothing else is known of it."""
    job = world.unfit(heard=False)
    world.wait(minutes=14)
    assert world.clean().counts.total() == 1
    assert world.calls("DescribeJobs") == 0

    world.wait(minutes=2)
    world.clean()

    assert world.ended_by_us() == [job]


def test_only_suspects_are_described(world: World) -> None:
    """What the ledger knows to wait its turn costs no call but those that list."""
    for _ in range(5):
        world.submit()
    world.batch.start(world.submit())
    world.hear("job-000006")
    world.wait(hours=1)

    cleaned = world.clean(enforce=False)

    assert counts(cleaned) == {("keep", "young"): 5}
    assert world.calls("DescribeJobs") == 0
    assert world.calls("ListJobs") == 2


def test_a_job_that_waits_its_turn_is_warned_about(world: World) -> None:
    """A queue that moves is not stuck, however long one waits in it."""
    job = world.submit()
    world.wait(hours=5)
    world.batch.run(world.submit())
    world.hear("job-000002")
    world.wait(minutes=5)

    cleaned = world.clean()

    assert verdicts(cleaned) == {job: ("warn", "waits its turn")}
    assert (cleaned.cancelled, cleaned.blocked) == ((), ())


def test_by_age_a_job_is_cancelled_that_only_waits_its_turn(world: World) -> None:
    """That is the rule of old, for who opts into it."""
    job = world.submit()
    world.wait(hours=3)
    world.batch.run(world.submit())
    world.hear("job-000002")
    world.want(by_age=True)

    (record,) = world.clean().cancelled

    assert (record.job_id, record.reason, record.outcome) == (job, "too old", "cancelled")


def test_only_the_head_of_a_stuck_queue_is_cancelled(world: World) -> None:
    """Those behind it may start once it is gone."""
    head, behind = world.submit(), world.submit()
    world.wait(hours=3)

    cleaned = world.clean()

    assert world.ended_by_us() == [head]
    assert verdicts(cleaned)[behind] == ("warn", "behind a blocked job")
    assert cleaned.blocked == ()


def test_the_young_are_counted_and_looked_at_no_further(world: World) -> None:
    """Neither Batch nor the ledger is asked for them."""
    for _ in range(3):
        world.submit(heard=False)
    world.wait(minutes=10)

    cleaned = world.clean()

    assert counts(cleaned) == {("keep", "young"): 3}
    assert (cleaned.judged, cleaned.oldest) == ((), timedelta(minutes=10))
    assert set(cleaned.calls) == {"DescribeJobQueues", "DescribeComputeEnvironments", "ListJobs"}


def test_children_of_an_array_are_judged_one_by_one(world: World) -> None:
    """Their parent is PENDING meanwhile, and in no list of what waits."""
    parent = world.batch.submit_array(3, vcpus=HUGE)
    world.batch.run(f"{parent}:1")
    world.wait(minutes=20)

    world.clean()

    assert sorted(world.outcomes()) == [f"{parent}:0", f"{parent}:2"]
    assert world.batch.status(parent) == "PENDING"


def test_what_waits_for_other_jobs_is_left_alone(world: World) -> None:
    """When it becomes RUNNABLE, its age begins then, be the event lost or not."""
    job = world.batch.submit(vcpus=HUGE, depends_on=["job-000077"])
    world.wait(days=2)
    assert world.clean().waiting == 0

    world.batch.ready(job)
    world.wait(minutes=14)
    assert world.clean().cancelled == ()

    world.wait(minutes=2)
    world.clean()
    assert world.ended_by_us() == [job]


def test_of_an_account_no_more_are_cancelled_than_allowed(world: World) -> None:
    """The head of a queue first, then whoever waits longest."""
    world.want(most=2)
    world.batch.queue("other")
    ids = [world.unfit(), world.unfit()]
    world.wait(minutes=1)
    ids += [world.unfit("other"), world.unfit("other")]
    world.wait(minutes=20)

    assert len(world.clean().cancelled) == 2
    assert world.ended_by_us() == [ids[0], ids[2]]

    assert len(world.clean().cancelled) == 2
    assert sorted(world.ended_by_us()) == ids


def test_one_queue_alone_can_be_cleaned(world: World) -> None:
    """The others are not even listed."""
    world.batch.queue("other")
    jobs = [world.unfit(), world.unfit("other")]
    world.wait(minutes=20)

    cleaned = world.clean(queue="other")

    assert (cleaned.queues, cleaned.whole) == (("other",), False)
    assert world.ended_by_us() == jobs[1:]


def test_a_queue_that_is_not_there_is_no_queue(world: World) -> None:
    """Those that are there are named, and the lease is given back."""
    world.batch.queue("gpu")

    with pytest.raises(PlatformError, match=r"no queue named cpu\. It has flows, gpu"):
        world.clean(queue="cpu")
    assert world.clean().whole


def test_each_job_is_judged_by_its_own_policy(world: World) -> None:
    """By the first rule that takes it: here those that ask for GPUs have all day."""
    patient = Rule(name="gpus wait", gpu=True, changes={"unfit_after": timedelta(days=1)})
    world.policies = Policies(Policy(), (patient,))
    job = world.unfit()
    world.unfit(gpus=1)
    world.wait(minutes=20)

    cleaned = world.clean()

    assert world.ended_by_us() == [job]
    assert counts(cleaned) == {("cancel", "fits nothing"): 1, ("keep", "young"): 1}


def test_the_progress_is_shown(world: World) -> None:
    """As the number of jobs looked at, whatever their queue."""
    world.batch.queue("other")
    world.batch.api.page = 2
    for _ in range(3):
        world.submit()
    world.submit("other")

    world.clean()

    assert world.seen[-1] == 4


def test_a_run_is_stopped_in_the_place_of_its_job(world: World) -> None:
    """If the policy asks for it: the execution is told why, and Batch not at all."""
    world.want(target=Target.RUN)
    job = world.unfit(run="nightly")
    sibling = world.unfit(run="nightly")
    arn = world.execution("nightly")
    world.stopper.on_stop = lambda _: world.batch.end(job, "FAILED", "by AWS Step Functions")
    world.wait(minutes=20)

    (record,) = world.clean().cancelled

    ((stopped, error, cause),) = world.stopper.stopped
    assert (stopped, error) == (arn, "OpsPlatform.StaleJob")
    assert cause.startswith(STALE_MARK)
    assert (record.outcome, record.execution_arn) == ("run stopped", arn)
    assert (world.calls("CancelJob"), world.batch.status(sibling)) == (0, "RUNNABLE")


def test_without_an_execution_to_stop_the_job_is_cancelled(world: World) -> None:
    """Be it unknown, over by what the ledger knows, or over by what Step Functions says."""
    world.want(target=Target.RUN)
    unknown, over, gone = (world.unfit(run=name) for name in ("unknown", "over", "gone"))
    world.execution("over", status="FAILED", stopped_at=world.clock())
    world.stopper.over.add(world.execution("gone"))
    world.wait(minutes=20)

    world.clean()

    assert world.ended_by_us() == [unknown, over, gone]
    assert set(world.outcomes().values()) == {"cancelled"}
