"""What the ledger lacks of a failed run is asked of Batch and of Step Functions, and kept."""

import msgspec
import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import Event, JobEvent
from ops_platform.domain.execution_history import HistoryReader
from ops_platform.domain.reasons import Reason
from ops_platform_tests.build import (
    EXECUTION_ARN,
    TASK_EXITED,
    a_failure,
    a_job_event,
    after,
    an_execution_event,
)
from ops_platform_tests.build_runs import a_failing_run, a_job_history
from ops_platform_tests.domain.history_events import HistoryScript, cause_of
from ops_platform_tests.fake_batch import FakeBatchJobs, FakeHistories
from ops_platform_tests.ledger_world import contents, empty
from ops_platform_tests.operations.explain_world import World

FAILURE = a_failure(60)
ROOT = a_job_history("root", exits=[1, 137], begin=5)


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Return a world whose ledger knows nothing yet."""
    return World(emptied_ledger)


def told_by_api(job: JobEvent) -> JobEvent:
    """Return the event that `BatchJobs` makes of a job that an event has told of, too."""
    stop = job.stopped_at or job.time
    return msgspec.structs.replace(job, id=f"api:{job.job_id}:{job.status}", time=stop)


def history_of(cause: str, *, knows_job: bool = True) -> FakeHistories:
    """Return a history whose only task failed with this cause."""
    script = HistoryScript()
    asked = {
        "JobQueue": "flows",
        "Parameters": {
            "metaflow.user": "SFN",
            "metaflow.flow_name": "TrainFlow",
            "metaflow.step_name": "work",
            "metaflow.run_id": FAILURE.name,
        },
    }
    previous = script.submitted("root", asked) if knows_job else 1
    script.failed(cause, previous=previous)
    script.ended(error="States.TaskFailed", cause=cause)
    reader = HistoryReader(EXECUTION_ARN)
    reader.read(script.pages()[0])
    return FakeHistories({EXECUTION_ARN: reader.result()})


def test_a_run_that_the_ledger_knows_is_asked_about_nowhere(world: World) -> None:
    """Each question costs a call that the account's flows may need."""
    world.arrive(*ROOT, FAILURE)
    before = world.incident()

    assert world.explain() == ("The log of the job root cannot be shown: missing.",)

    assert world.incident() == before
    assert (world.jobs.described, world.history.read) == ((), ())


def test_a_job_whose_end_was_missed_is_asked_of_batch(world: World) -> None:
    """The incident gets the root failure that it lacked, and no history is read."""
    world.arrive(*ROOT[:-1], FAILURE)
    assert world.incident().job_id is None
    world.jobs = FakeBatchJobs([told_by_api(ROOT[-1])])

    world.explain()

    found = world.incident()
    assert (found.job_id, found.step, found.failed_jobs) == ("root", "work", 1)
    assert (found.reason, found.log_stream) == (Reason.KILLED, ROOT[-1].log_stream)
    assert world.history.read == ()


def test_what_was_filled_in_is_what_the_events_would_have_told(world: World) -> None:
    """Whether or not they come after all."""
    world.arrive(*ROOT, FAILURE)
    whole = _without_ids(world)
    empty(world.ledger)
    world.arrive(*ROOT[:-1], FAILURE)
    world.jobs = FakeBatchJobs([told_by_api(ROOT[-1])])
    world.explain()

    assert _without_ids(world) == whole
    world.arrive(ROOT[-1])
    assert _without_ids(world) == whole


def _without_ids(world: World) -> dict[str, list[dict[str, object]]]:
    """Return the state, but for which event told it."""
    left_out = {"event_id", "changed_at"}
    return {
        table: [{name: row[name] for name in row.keys() - left_out} for row in rows]
        for table, rows in contents(world.ledger).items()
        if table in {"jobs", "executions", "incidents", "runs"}
    }


def test_a_run_of_which_no_job_is_known_is_told_by_its_history(world: World) -> None:
    """All events of its jobs were missed; the cause describes the one that failed."""
    world.arrive(FAILURE)
    world.history = history_of(cause_of(ROOT[-1]))

    world.explain()

    found = world.incident()
    assert (found.job_id, found.step, found.owner) == ("root", "work", "ana")
    assert found.reason == Reason.KILLED
    assert world.jobs.described == ("root",)


def test_batch_tells_more_than_a_history_that_was_cut_off(world: World) -> None:
    """It is asked for the job that the history names."""
    world.arrive(FAILURE)
    world.history = history_of(cause_of(ROOT[-1])[:60])
    world.jobs = FakeBatchJobs([told_by_api(ROOT[-1])])

    world.explain()

    assert world.incident().reason == Reason.KILLED


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (cause_of(ROOT[-1])[:60], Reason.UNKNOWN),
        (cause_of(ROOT[-1])[:2000].split('"Container"', 3)[0], Reason.UNKNOWN),
        ("Host EC2 (instance i-0a1b) terminated.", Reason.HOST_LOST),
        ("Somebody's words", Reason.UNKNOWN),
    ],
    ids=["cut off", "cut off early", "plain text", "plain words"],
)
def test_a_job_that_batch_has_forgotten_is_told_by_its_history(
    world: World, cause: str, reason: Reason
) -> None:
    """As far as it goes: the step is known, and why perhaps."""
    world.arrive(FAILURE)
    world.history = history_of(cause)

    world.explain()

    found = world.incident()
    assert (found.job_id, found.step, found.failed_jobs) == ("root", "work", 1)
    assert found.reason == reason


def test_an_event_that_comes_after_all_tells_more_than_a_history_did(world: World) -> None:
    """Even of a job without attempts, where both tell of the same moment."""
    end = a_job_event(id="end", job_id="root", status="FAILED", stopped_at=after(3), time=after(3))
    event = msgspec.structs.replace(end, status_reason="Task failed to start")
    world.arrive(FAILURE)
    world.history = history_of(cause_of(event)[:30])
    world.explain()
    assert world.incident().reason == Reason.UNKNOWN

    world.arrive(event)

    assert world.incident().reason == Reason.COULD_NOT_START


def test_where_only_aborted_jobs_are_known_the_one_that_failed_is_looked_for(
    world: World,
) -> None:
    """Its event was missed, and those of its siblings were not."""
    sibling = a_job_event(
        job_id="sibling", id="s", status="FAILED", terminated=True, stopped_at=after(40)
    )
    world.arrive(sibling, FAILURE)
    assert world.incident().job_id == "sibling"
    world.history = history_of(cause_of(ROOT[-1]))

    world.explain()

    found = world.incident()
    assert (found.job_id, found.failed_jobs, found.collateral_jobs) == ("root", 1, 1)


def test_jobs_still_open_long_after_the_stop_are_counted_in_the_end(world: World) -> None:
    """Right after the stop they need not have ended yet, and nobody is asked."""
    dragged = a_job_history("dragged", exits=[143], begin=20)
    world.arrive(*ROOT, *dragged[:-1], FAILURE)
    ended = msgspec.structs.replace(dragged[-1], terminated=True, stopped_at=after(63))
    world.jobs = FakeBatchJobs([told_by_api(ended)])

    world.explain()
    assert world.jobs.described == ()

    world.later(120)
    world.explain()
    assert (world.incident().failed_jobs, world.incident().collateral_jobs) == (1, 1)


def test_a_redriven_run_is_explained_by_its_last_failure(world: World) -> None:
    """What failed before belongs to an earlier failure."""
    again = a_job_history("again", exits=[1], begin=200)
    redriven = an_execution_event(id="redriven", time=after(190), redriven_at=after(190))
    world.later(400)
    world.arrive(*ROOT, FAILURE, redriven, *again[:-1])
    world.arrive(a_failure(300, id="second", redriven_at=after(190)))
    assert world.incident().job_id is None
    world.jobs = FakeBatchJobs(map(told_by_api, [again[-1], ROOT[-1]]))

    world.explain()

    assert (world.incident().job_id, world.incident().failed_jobs) == ("again", 1)


def test_a_wide_run_takes_a_bounded_number_of_questions(world: World) -> None:
    """Ten thousand jobs, of which the end of each last one was missed."""
    waiting = [
        a_job_event(id=f"waiting-{number}", job_id=f"job-{number:05}") for number in range(10_000)
    ]
    world.arrive(*waiting, FAILURE)
    ended = (
        a_job_event(
            id=f"api-{job.job_id}",
            time=after(50),
            job_id=job.job_id,
            status="FAILED",
            exit_code=1,
            stopped_at=after(50),
            status_reason=TASK_EXITED,
        )
        for job in waiting
    )
    world.jobs = FakeBatchJobs(ended)

    world.explain()

    assert len(world.jobs.described) == 1000
    assert world.incident().failed_jobs == 1000


def test_events_of_a_whole_run_leave_nothing_to_ask(world: World) -> None:
    """Root failures and those dragged along are told apart by events alone."""
    events: list[Event] = a_failing_run()
    world.arrive(*events)
    world.later(600)
    before = world.incident()

    world.explain()

    assert world.incident() == before
    assert (world.jobs.described, world.history.read) == ((), ())


def test_a_run_by_hand_has_no_execution_to_ask(world: World) -> None:
    """Its jobs are all there is."""
    by_hand = a_job_history("root", exits=[1], begin=5)
    world.arrive(*(msgspec.structs.replace(event, run_id="17") for event in by_hand))

    world.explain()

    assert (world.jobs.described, world.history.read) == ((), ())
    assert world.log() is not None
