"""Of a run whose job could not start there is little to ask: the job itself says why."""

import msgspec
import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import JobEvent
from ops_platform.domain.reasons import STALE_ERROR, STALE_MARK, TIME_LIMIT_MARK, Reason
from ops_platform_tests.build import a_failure, a_job_event, after
from ops_platform_tests.domain.history_events import cause_of
from ops_platform_tests.fake_batch import FakeBatchJobs
from ops_platform_tests.operations.explain_world import World
from ops_platform_tests.operations.test_explain_failures import history_of, told_by_api

FAILURE = a_failure(60)
OURS = f"{STALE_MARK}: RUNNABLE for 15 min, and it can never start."
BATCHS = f"{TIME_LIMIT_MARK} due to reason: CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Return a world whose ledger knows nothing yet."""
    return World(emptied_ledger)


def _stale(reason: str) -> JobEvent:
    return a_job_event(
        id="end", job_id="root", status="FAILED", time=after(59), stopped_at=after(59),
        status_reason=reason, cancelled=True,
    )  # fmt: skip


@pytest.mark.parametrize("reason", [OURS, BATCHS])
def test_a_job_that_was_given_up_is_the_failure_that_was_looked_for(
    world: World, reason: str
) -> None:
    """Though it was cancelled: neither Batch nor the history is asked, nor any log."""
    world.arrive(_stale(reason), FAILURE)

    assert world.explain() == ()
    assert (world.jobs.described, world.history.read, world.log()) == ((), (), None)


def test_one_whose_end_was_missed_is_asked_of_batch(world: World) -> None:
    """The history is not read then."""
    end = _stale(OURS)
    waiting = msgspec.structs.replace(
        end, id="waits", status="RUNNABLE", stopped_at=None, status_reason=None, cancelled=False
    )
    world.arrive(waiting, FAILURE)
    world.later(300)
    world.jobs = FakeBatchJobs([told_by_api(end)])

    assert world.explain() == ()
    assert (world.incident().reason, world.incident().job_id) == (Reason.STALE, "root")
    assert world.history.read == ()


def test_one_of_which_nothing_was_heard_is_told_by_the_history(world: World) -> None:
    """Its cause describes the job, with the reason that it was given."""
    world.arrive(FAILURE)
    world.history = history_of(cause_of(_stale(OURS)))

    assert world.explain() == ()
    assert world.incident().reason == Reason.STALE
    assert world.incident().error == "RUNNABLE for 15 min, and it can never start."


def test_a_run_that_was_stopped_says_so_itself(world: World) -> None:
    """There is no job that failed by itself, and no log."""
    world.arrive(a_failure(60, status="ABORTED", error=STALE_ERROR, cause=OURS))

    world.explain()

    assert (world.incident().reason, world.incident().job_id) == (Reason.STALE, None)
    assert world.log() is None
