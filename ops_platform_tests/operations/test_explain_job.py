"""A job is explained in whatever state it is, by Batch or by what the ledger remembers."""

from typing import Any

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.causes import Cause
from ops_platform.domain.staleness import Decision, Why
from ops_platform.operations.explain_job import CHILDREN_LOOKED_AT, Explained, Explainer
from ops_platform_tests.build import ACCOUNT
from ops_platform_tests.operations.stale_world import World


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account with one queue."""
    return World(emptied_ledger)


def _explainer(world: World, *, enforce: bool = True) -> Explainer:
    return Explainer(
        ledger=world.ledger,
        api=world.batch.batch(patience=0),
        types=world.batch.types,
        account=ACCOUNT,
        policies=world.policies,
        enforce=enforce,
        clock=world.clock,
    )


def _explained(world: World, job_id: str, *, enforce: bool = True) -> Explained:
    found = _explainer(world, enforce=enforce).explain(job_id)
    assert found is not None
    return found


@pytest.mark.parametrize("heard", [True, False], ids=["by its events", "no events came"])
def test_a_young_job_that_fits_nothing_is_told_what_awaits_it(world: World, *, heard: bool) -> None:
    """Long before the cleanup looks at it."""
    job = world.unfit(heard=heard)
    world.wait(minutes=5)

    found = _explained(world, job)
    assert found.judged is not None
    assert found.judged.verdict.why is Why.YOUNG
    assert found.diagnosis is not None
    assert found.diagnosis.cause is Cause.TOO_MANY_VCPUS
    assert found.sentence.startswith("The job asks for 999 vCPUs; the most that queue flows has is")
    assert "@resources(cpu=4, memory=4096) at step work of TrainFlow" in found.advice
    assert found.next.startswith("If nothing changes, it is cancelled in 10 min")
    assert "(2026-03-02 12:15 UTC)" in found.next
    assert found.next.endswith("since it fits nothing its queue has.")
    assert (found.by_batch, found.trouble) == (True, ())


def test_an_account_that_observes_cancels_nothing(world: World) -> None:
    """Which is said."""
    job = world.unfit()
    world.wait(minutes=20)

    found = _explained(world, job, enforce=False)
    assert found.judged is not None
    assert found.judged.verdict.decision is Decision.CANCEL
    assert found.next == (
        "The next cleanup would cancel it, since it fits nothing its queue has."
        " The account observes only, so that nothing is cancelled."
    )
    assert "observes" not in _explained(world, job).next


def test_a_queue_at_fault_is_held_back(world: World) -> None:
    """As its environment was disabled."""
    job = world.submit()
    world.batch.environment("flows-spot", state="DISABLED")
    world.wait(hours=3)

    found = _explained(world, job)
    assert found.sentence == "Compute environment flows-spot is disabled."
    assert found.next.endswith(
        "The queue is at fault, so that this is held back unless an operator insists."
    )


def test_a_job_behind_another_names_it(world: World) -> None:
    """And is itself left alone."""
    first, second = world.unfit(), world.submit()
    world.wait(hours=3)

    found = _explained(world, second)
    assert found.diagnosis is not None
    assert found.diagnosis.blocker == first
    assert f"jobs explain {first}" in found.advice
    assert found.next == ("It has waited long and is told of, not cancelled: another is in front.")


def test_a_young_job_that_waits_its_turn_is_left_alone(world: World) -> None:
    """Until somebody is told of it."""
    running, waiting = world.submit(), world.submit()
    world.batch.run(running)
    world.hear(running)
    world.wait(minutes=20)

    found = _explained(world, waiting)
    assert found.sentence == "Queue flows moves, the last time 20 min ago, and this one is next."
    told = "It is left alone, since it waits its turn; it would be told of from {} on."
    assert found.next == told.format("2026-03-02 14:00 UTC")


def test_batchs_own_reason_counts(world: World) -> None:
    """It is in the status reason while a job is RUNNABLE."""
    job = world.submit()
    world.batch.explain(job, "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none of type [r5.large]")
    world.wait(hours=3)

    found = _explained(world, job)
    assert found.diagnosis is not None
    assert found.diagnosis.cause is Cause.NO_CAPACITY_AT_AWS


def test_a_pending_job_names_what_it_waits_for(world: World) -> None:
    """With their states, as far as anybody knows them."""
    done, runs, gone = world.submit(), world.submit(), "forgotten-job"
    world.batch.run(runs)
    world.batch.end(done)
    waiting = world.batch.submit(depends_on=(done, runs, gone))

    found = _explained(world, waiting)
    assert found.sentence == f"The job waits for 3 other jobs: {done}, {runs}, {gone}."
    assert dict(found.waits_for) == {
        done: "SUCCEEDED",
        runs: "RUNNING",
        gone: "forgotten by Batch",
    }
    assert found.diagnosis is not None
    assert found.diagnosis.cause is Cause.DEPENDENCY


def test_the_parent_of_an_array_names_its_jobs(world: World) -> None:
    """With their states; the ledger's, where Batch has forgotten them."""
    array = world.batch.submit_array(3)
    world.batch.run(f"{array}:0")
    world.hear(f"{array}:2")
    world.batch.forget(f"{array}:2")

    found = _explained(world, array)
    assert found.sentence.startswith("It is an array of 3 jobs")
    assert dict(found.waits_for) == {
        f"{array}:0": "RUNNING",
        f"{array}:1": "RUNNABLE",
        f"{array}:2": "RUNNABLE, by its last event",
    }


def test_of_a_large_array_the_first_thousand_are_looked_at(world: World) -> None:
    """A hundred at a time."""
    array = world.batch.submit_array(CHILDREN_LOOKED_AT + 5)
    found = _explained(world, array)
    assert len(found.waits_for) == CHILDREN_LOOKED_AT
    # The parent is described as well, with its children.
    assert world.calls("DescribeJobs") == 2 + CHILDREN_LOOKED_AT // 100


def test_a_job_that_starts_is_told_so(world: World) -> None:
    """For how long, if its event came."""
    job = world.submit()
    world.batch.start(job)
    assert _explained(world, job).sentence == ("Batch found room for it and starts its container.")
    world.hear(job)
    world.wait(minutes=7)
    assert _explained(world, job).sentence == (
        "Batch found room for it and starts its container, for 7 min now."
    )


def test_a_job_that_runs_is_told_so(world: World) -> None:
    """In which attempt."""
    job = world.submit(attempts=3)
    world.batch.run(job)
    world.batch.retry(job)
    world.batch.run(job)
    world.wait(minutes=2)

    assert _explained(world, job).sentence == "It runs for 2 min, attempt 2 of 3."


def test_a_job_that_ended_is_told_how(world: World) -> None:
    """In Batch's words if it failed."""
    good, bad = world.submit(), world.submit()
    for job in (good, bad):
        world.batch.run(job)
    world.wait(minutes=2)
    world.batch.end(good)
    world.batch.end(bad, "FAILED", "Host EC2 (instance i-1) terminated.")

    assert _explained(world, good).sentence == "It succeeded after 2 min."
    assert _explained(world, bad).sentence == (
        "It failed: host lost. Host EC2 (instance i-1) terminated.; no exit code."
    )


def test_a_cancelled_job_tells_who_cancelled_it_and_why(world: World) -> None:
    """By the record, and by its status reason."""
    job = world.unfit()
    world.wait(minutes=20)
    world.clean()

    found = _explained(world, job)
    assert found.sentence.startswith("It failed: cancelled as stale. RUNNABLE for 19 min 59 s, and")
    (record,) = found.cancellations
    assert (record.outcome, record.cause) == ("cancelled", Cause.TOO_MANY_VCPUS)


def test_what_batch_has_forgotten_the_ledger_tells(world: World) -> None:
    """How it ended, or what it was when its events ended."""
    ended, lost = world.submit(), world.submit()
    world.batch.end(ended, "FAILED", "Too expensive.")
    world.hear(ended)
    for job in (ended, lost):
        world.batch.forget(job)

    found = _explained(world, ended)
    assert (found.by_batch, found.trouble) == (False, ())
    assert found.sentence == "It failed: unknown. Too expensive.; no exit code."
    assert _explained(world, lost).sentence == (
        "Batch has forgotten it, which its last event showed as RUNNABLE."
    )


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (None, "It is RUNNABLE."),
        (
            "UNDETERMINED - Batch job is blocked",
            (
                "It is RUNNABLE. Batch says that the job blocks its queue and that it cannot tell"
                " why."
            ),
        ),
    ],
)
def test_where_batch_does_not_answer_the_ledger_tells(
    world: World, said: str | None, sentence: str
) -> None:
    """What it knows, and that more could not be asked."""
    job = world.submit(heard=False)
    if said is not None:
        world.batch.explain(job, said)
    world.hear(job)
    world.batch.api.forbidden.add("DescribeJobs")

    found = _explained(world, job)
    assert (found.sentence, found.by_batch) == (sentence, False)
    (trouble,) = found.trouble
    assert trouble.startswith("Could not describe 1 jobs: AccessDeniedException")


@pytest.mark.parametrize("action", ["DescribeJobQueues", "DescribeComputeEnvironments"])
def test_a_queue_that_cannot_be_read_is_said_to_be_so(world: World, action: str) -> None:
    """The job itself is told of all the same."""
    job = world.submit()
    world.batch.api.forbidden.add(action)

    found = _explained(world, job)
    assert found.sentence == "It is RUNNABLE, and how its queue stands could not be asked."
    assert found.judged is None
    assert len(found.trouble) == 1


def test_a_queue_that_is_gone_is_said_to_be_gone(world: World) -> None:
    """It was deleted, and its jobs are on their way out."""
    job = world.submit()
    world.batch.api.queues.clear()

    assert _explained(world, job).trouble == ("Batch lists no queue flows.",)


def test_a_job_nobody_knows_is_none(world: World) -> None:
    """And whatever stood in the way is kept."""
    assert _explainer(world).explain("nothing") is None
    world.batch.api.forbidden.add("DescribeJobs")
    explainer = _explainer(world)
    assert explainer.explain("nothing") is None
    assert len(explainer.trouble) == 1


def test_explaining_changes_nothing(world: World) -> None:
    """Neither here nor there."""
    jobs: list[Any] = [world.unfit(), world.submit(), world.batch.submit_array(2)]
    world.wait(hours=3)
    before = world.everything()

    for job in jobs:
        _explained(world, job)

    assert world.everything() == before
    assert world.calls("CancelJob") == 0
