"""What AWS cannot tell of a failed run is said, and nothing is worse for it."""

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.execution_history import History
from ops_platform.domain.reasons import Reason
from ops_platform_tests.build import EXECUTION_ARN, a_failure
from ops_platform_tests.build_runs import a_job_history
from ops_platform_tests.fake_batch import FakeBatchJobs, FakeHistories
from ops_platform_tests.operations.explain_world import World

FAILURE = a_failure(60)
ROOT = a_job_history("root", exits=[1, 137], begin=5)


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Return a world whose ledger knows nothing yet."""
    return World(emptied_ledger)


def test_a_job_that_could_not_be_submitted_is_told_by_the_history(world: World) -> None:
    """The event of the execution may leave its error out."""
    world.arrive(a_failure(60, error=None))
    error, cause = "Batch.AWSBatchException", "User is not authorized to perform batch:SubmitJob"
    world.history = FakeHistories({EXECUTION_ARN: History(error=error, cause=cause)})

    world.explain()

    found = world.incident()
    assert (found.reason, found.error) == (Reason.SUBMIT_FAILED, f"{error}; {cause}")
    assert found.job_id is None
    assert world.log() is None


def test_an_error_that_the_event_told_is_kept(world: World) -> None:
    """The history is asked for jobs, and has none."""
    world.arrive(a_failure(60, error="States.Runtime", cause="no such field"))
    world.history = FakeHistories({EXECUTION_ARN: History(error="Other", cause="else")})

    world.explain()

    assert world.incident().error == "States.Runtime; no such field"


def test_trouble_with_aws_is_told_and_not_raised(world: World) -> None:
    """An alert that knows less is better than none."""
    world.arrive(*ROOT[:-1], FAILURE)
    before = world.incident()
    world.jobs = FakeBatchJobs(forbidden=True)
    world.history = FakeHistories(forbidden=[EXECUTION_ARN])

    said = world.explain()

    assert [sentence.split(" ")[0] for sentence in said] == ["Could", "Could"]
    assert world.incident() == before


def test_a_history_that_is_gone_is_told(world: World) -> None:
    """AWS keeps it for 90 days."""
    world.arrive(FAILURE)

    assert world.explain() == (f"AWS has no history any more of the execution {EXECUTION_ARN}.",)


def test_a_history_that_was_read_in_part_is_told(world: World) -> None:
    """There may be more to know."""
    world.arrive(FAILURE)
    world.history = FakeHistories({EXECUTION_ARN: History(truncated=True)})

    (said,) = world.explain()
    assert "Not all of the history" in said


def test_without_time_nobody_is_asked(world: World) -> None:
    """The sender has other alerts to send."""
    world.arrive(*ROOT[:-1], FAILURE)

    said = world.explain(seconds=0)

    assert len(said) == 2
    assert (world.jobs.described, world.history.read) == ((), ())
