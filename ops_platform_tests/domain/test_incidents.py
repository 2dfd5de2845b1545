"""A failed run as one incident: what broke it, and what it dragged along."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.events import ExecutionEvent
from ops_platform.domain.incidents import (
    Incident,
    Kind,
    Run,
    State,
    Tally,
    correlate,
    incident_id,
    split_failures,
)
from ops_platform.domain.lifecycle import Execution, Job
from ops_platform.domain.reasons import STALE_MARK, TIME_LIMIT_MARK
from ops_platform_tests.build import (
    ACCOUNT,
    EXECUTION_ARN,
    FOREIGN,
    RUN,
    a_failed_execution,
    a_failed_job,
    a_failure,
    after,
    an_execution_event,
)

STOP = 60
ABORTED: dict[str, Any] = {"exit_code": 143, "terminated": True}


def _correlate(
    *failed: Job, execution: Execution | None = None, succeeded: dict[str, int] | None = None
) -> Incident:
    run = Run(execution or a_failed_execution(STOP), failed, succeeded or {}, "TrainFlow", "ana")
    incident = correlate(run)
    assert incident is not None
    return incident


@dataclass(frozen=True)
class Case:
    """Failed jobs, given by how each ended, and how they count."""

    failed: Sequence[Job]
    roots: Sequence[str]
    collateral: Sequence[str]


CASES = {
    "none": Case([], [], []),
    "one that failed": Case([a_failed_job("a")], ["a"], []),
    "at exactly the stop": Case([a_failed_job("a", stop=STOP)], ["a"], []),
    "a millisecond after it": Case([a_failed_job("a", stop=STOP + 0.001)], [], ["a"]),
    "two before and one after": Case(
        [a_failed_job("a"), a_failed_job("b", stop=59), a_failed_job("c", stop=61)],
        ["a", "b"],
        ["c"],
    ),
    "aborted before the stop": Case(
        [a_failed_job("a"), a_failed_job("b", stop=45, **ABORTED)], ["a"], ["b"]
    ),
    "cancelled before the stop": Case(
        [a_failed_job("a"), a_failed_job("b", stop=45, exit_code=None, cancelled=True)],
        ["a"],
        ["b"],
    ),
    "all aborted": Case(
        [a_failed_job("a", **ABORTED), a_failed_job("b", stop=40, **ABORTED)], ["a", "b"], []
    ),
    "all aborted, one after the stop": Case(
        [a_failed_job("a", **ABORTED), a_failed_job("b", stop=70, **ABORTED)], ["a"], ["b"]
    ),
    "all after the stop": Case([a_failed_job("a", stop=70)], [], ["a"]),
    "an array and its children": Case(
        [a_failed_job("a", array_size=2), a_failed_job("a:0"), a_failed_job("a:1", stop=70)],
        ["a:0"],
        ["a:1"],
    ),
    "without a stop, by its envelope": Case(
        [a_failed_job("a", stopped_at=None), a_failed_job("b", stop=61.5, stopped_at=None)],
        ["a"],
        ["b"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_job_that_failed_by_itself_is_a_root_and_others_are_collateral(name: str) -> None:
    """By when it ended and by whether somebody ended it."""
    case = CASES[name]

    roots, collateral = split_failures(case.failed, after(STOP))

    assert sorted(job.latest.job_id for job in roots) == list(case.roots)
    assert sorted(job.latest.job_id for job in collateral) == list(case.collateral)


jobs = st.builds(
    a_failed_job,
    st.uuids().map(str),
    stop=st.sampled_from([10, 59.999, 60, 60.001, 90]),
    terminated=st.booleans(),
    cancelled=st.booleans(),
    status_reason=st.sampled_from([None, STALE_MARK, TIME_LIMIT_MARK]),
    step=st.sampled_from(["work", "join", None]),
    exit_code=st.sampled_from([None, 0, 1]),
)


@given(failed=st.lists(jobs, max_size=8), data=st.data())
def test_an_incident_does_not_depend_on_the_order_of_its_jobs(
    failed: list[Job], data: st.DataObject
) -> None:
    """And each job counts once."""
    incident = _correlate(*failed)

    assert _correlate(*data.draw(st.permutations(failed))) == incident
    assert incident.failed_jobs + incident.collateral_jobs == len(failed)
    assert sum(tally.failed for tally in incident.steps.values()) == incident.failed_jobs
    assert sum(tally.collateral for tally in incident.steps.values()) == incident.collateral_jobs


def test_an_incident_names_the_run_and_where_it_comes_from() -> None:
    """From the execution, its machine's name, and what jobs tell."""
    incident = _correlate(a_failed_job())

    assert incident.id == incident_id(EXECUTION_ARN)
    assert (incident.account, incident.flow, incident.run_id) == (
        ACCOUNT,
        "TrainFlow",
        f"sfn-{RUN}",
    )
    assert (incident.project, incident.branch, incident.owner) == ("fraud", "prod", "ana")
    assert (incident.kind, incident.state) == (Kind.RUN_FAILED, State.OPEN)
    assert incident.opened_at == after(STOP)


def test_an_incident_shows_the_first_root_failure() -> None:
    """Its step, job, log, reason and error; the first by time, then by id."""
    late = a_failed_job("late", stop=50, exit_code=2)
    first = a_failed_job("b", stop=20, exit_code=7, log_stream="its/log", step="fit")
    same = a_failed_job("c", stop=20, exit_code=8)
    dragged = a_failed_job("a", stop=5, **ABORTED)

    incident = _correlate(late, same, first, dragged)

    assert (incident.job_id, incident.step, incident.log_stream) == ("b", "fit", "its/log")
    assert incident.reason == "user exception"
    assert incident.error == "Essential container in task exited; exit code 7"


def test_steps_are_counted_by_how_their_jobs_ended() -> None:
    """Steps in which nothing failed are among them, and jobs that name none."""
    incident = _correlate(
        a_failed_job("a"),
        a_failed_job("b", step=None),
        a_failed_job("c", stop=70),
        succeeded={"start": 1, "work": 5},
    )

    assert incident.steps == {
        "start": Tally(succeeded=1),
        "unknown": Tally(failed=1),
        "work": Tally(failed=1, collateral=1, succeeded=5),
    }


@pytest.mark.parametrize(
    ("failure", "failed", "kind", "reason", "error"),
    [
        ({}, [a_failed_job()], "run_failed", "user exception", "exit code 1"),
        ({"status": "TIMED_OUT", "error": "States.Timeout"}, [], "run_timed_out", "run timed out",
         "States.Timeout"),
        ({"status": "ABORTED", "error": None}, [], "run_aborted", "aborted by a person", None),
        ({"status": "ABORTED", "error": "Stop", "cause": "by ana"}, [a_failed_job(stop=70)],
         "run_aborted", "aborted by a person", "Stop; by ana"),
        ({"status": "ABORTED"}, [a_failed_job(**ABORTED)], "run_aborted",
         "aborted by a person", "exit code 143 (SIGTERM)"),
        ({"status": "ABORTED", "error": None, "cause": "bad data"},
         [a_failed_job(exit_code=1, status_reason="Essential container in task exited")],
         "run_aborted", "user exception",
         "bad data; Essential container in task exited; exit code 1"),
        ({"error": "Batch.AWSBatchException", "cause": "Too many requests"}, [], "run_failed",
         "submit failed", "Batch.AWSBatchException; Too many requests"),
        ({"error": "States.Runtime", "cause": "no such field"}, [], "run_failed", "unknown",
         "States.Runtime; no such field"),
        ({"error": None}, [], "run_failed", "unknown", None),
    ],
    ids=["failed", "timed out", "aborted", "by a person", "all aborted", "aborted after a failure",
         "submit failed", "machine", "nothing known"],
)  # fmt: skip
def test_a_run_has_a_kind_a_reason_and_an_error(
    failure: dict[str, Any], failed: list[Job], kind: str, reason: str, error: str | None
) -> None:
    """From its first root failure, or where there is none from the execution."""
    incident = _correlate(*failed, execution=a_failed_execution(STOP, **failure))

    assert (incident.kind, incident.reason) == (kind, reason)
    assert incident.error == error or (error and incident.error and incident.error.endswith(error))


REDRIVEN = an_execution_event(id="redriven", time=after(90))
SUCCEEDED = an_execution_event(id="done", status="SUCCEEDED", time=after(99), stopped_at=after(99))


@pytest.mark.parametrize(
    ("latest", "state"),
    [(a_failure(STOP), "open"), (REDRIVEN, "open"), (SUCCEEDED, "resolved")],
    ids=["failed", "runs again", "succeeded"],
)
def test_a_redrive_that_succeeds_resolves_the_incident(latest: ExecutionEvent, state: str) -> None:
    """One that only runs does not, and the failure stays what it was."""
    execution = Execution(ACCOUNT, latest, a_failure(STOP))

    incident = _correlate(a_failed_job(), execution=execution)

    assert (incident.state, incident.opened_at) == (state, after(STOP))


def test_a_run_that_never_failed_is_no_incident() -> None:
    """Whatever its jobs did before they were tried again."""
    run = Run(Execution(ACCOUNT, SUCCEEDED), (a_failed_job(),), {}, "TrainFlow", "ana")

    assert correlate(run) is None


THEIRS = a_failed_execution(STOP, **FOREIGN)
NO_INPUT = a_failed_execution(STOP, metaflow_input=False)
NAMELESS = a_failed_execution(STOP, machine_arn="arn:aws:states:r:1:stateMachine:night-ly")


@pytest.mark.parametrize(
    ("run", "ours"),
    [
        (Run(THEIRS, (), {}), False),
        (Run(THEIRS, (a_failed_job(),), {}), True),
        (Run(THEIRS, (), {"start": 1}), True),
        (Run(THEIRS, (), {}, flow="TrainFlow"), True),
        (Run(a_failed_execution(STOP), (), {}), True),
        (Run(NO_INPUT, (), {}), True),
    ],
    ids=["foreign", "failed jobs", "succeeded jobs", "jobs ran", "Metaflow's input", "its name"],
)
def test_only_runs_of_metaflows_are_incidents(run: Run, *, ours: bool) -> None:
    """Told by their jobs or by the input they began with."""
    assert (correlate(run) is not None) is ours


@pytest.mark.parametrize(
    ("run", "flow"),
    [
        (Run(a_failed_execution(), (), {}, flow="Named"), "Named"),
        (Run(a_failed_execution(), (), {}), "TrainFlow"),
        (Run(NAMELESS, (), {}), "night-ly"),
    ],
    ids=["jobs", "the machine's name", "a name of somebody's own"],
)
def test_a_flow_is_named_by_its_jobs_before_its_machine(run: Run, flow: str) -> None:
    """And by the whole name of the machine where that is all there is."""
    incident = correlate(run)

    assert incident is not None
    assert incident.flow == flow


@given(st.text(max_size=60))
def test_an_incidents_id_is_short_and_its_executions_alone(arn: str) -> None:
    """The same whenever and wherever it is made."""
    assert incident_id(arn) == incident_id(arn)
    assert len(incident_id(arn)) == 16
    assert incident_id(arn) != incident_id(f"{arn}x")
