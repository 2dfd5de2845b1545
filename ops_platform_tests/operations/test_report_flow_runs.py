"""A flow's history: each run that ended, told once, in the order in which it became known."""

from datetime import timedelta

import msgspec

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import Event, ExecutionEvent
from ops_platform.operations.ingest_events import record
from ops_platform.operations.report_flow_runs import flow_runs_after
from ops_platform_tests.build import (
    ACCOUNT,
    ACCOUNTS,
    FOREIGN,
    RUN,
    a_failure,
    after,
    an_execution_event,
    bodies,
)
from ops_platform_tests.build_runs import a_failing_run
from ops_platform_tests.ledger_world import POLICY


def _record(ledger: Ledger, *events: Event) -> None:
    record(ledger, bodies(events), accounts=ACCOUNTS, policy=POLICY, now=after(120))


def _ended(name: str, **changes: object) -> ExecutionEvent:
    failure = a_failure(id=name, name=name, execution_arn=f"arn:{name}")
    return msgspec.structs.replace(failure, **changes)


def test_a_run_that_ended_is_told_with_what_its_jobs_know(ledger: Ledger) -> None:
    """Project and branch come from the machine's name, flow and owner from the jobs."""
    _record(ledger, *a_failing_run())

    [run] = flow_runs_after(ledger, ACCOUNT, 0)

    assert (run.project, run.branch, run.flow) == ("fraud", "prod", "TrainFlow")
    assert (run.run_id, run.owner, run.status) == (f"sfn-{RUN}", "ana", "FAILED")
    assert run.duration == timedelta(seconds=46.5)


def test_a_run_is_told_once_and_later_ones_after_it(ledger: Ledger) -> None:
    """The number of the last one told is where the next question begins."""
    _record(ledger, _ended("a"))
    [first] = flow_runs_after(ledger, ACCOUNT, 0)
    _record(ledger, _ended("b"), _ended("c"))

    rest = flow_runs_after(ledger, ACCOUNT, first.seq)

    assert {run.run_id for run in rest} == {"sfn-b", "sfn-c"}
    assert flow_runs_after(ledger, ACCOUNT, rest[-1].seq) == []


def test_no_more_than_asked_for_are_told_at_once(ledger: Ledger) -> None:
    """And none is skipped."""
    _record(ledger, *(_ended(name) for name in "abcde"))
    told: list[str] = []
    seq = 0
    while page := flow_runs_after(ledger, ACCOUNT, seq, limit=2):
        told += [run.run_id for run in page]
        seq = page[-1].seq

    assert sorted(told) == [f"sfn-{name}" for name in "abcde"]


def test_what_has_not_ended_or_is_not_ours_is_not_told(ledger: Ledger) -> None:
    """Nor what happened in another account."""
    running = an_execution_event(id="running", name="running", execution_arn="running")
    foreign = _ended("foreign", **FOREIGN)
    staging = _ended("staging", aws_account_id="111111111111")
    _record(ledger, running, foreign, staging)

    assert flow_runs_after(ledger, ACCOUNT, 0) == []


def test_a_repeated_or_late_event_does_not_tell_a_run_again(ledger: Ledger) -> None:
    """Only a change of the execution does."""
    _record(ledger, _ended("a"))
    [run] = flow_runs_after(ledger, ACCOUNT, 0)
    _record(ledger, _ended("a"), _ended("a", id="late", status="RUNNING", stopped_at=None))

    assert flow_runs_after(ledger, ACCOUNT, run.seq) == []


def test_an_end_that_events_tell_after_the_api_did_is_told_once(ledger: Ledger) -> None:
    """Each has an id and a time of its own for it, and the later one overrules."""
    _record(ledger, _ended("a", id="api:a"))
    [run] = flow_runs_after(ledger, ACCOUNT, 0)
    _record(ledger, _ended("a", id="f-by-event", time=after(62)))

    assert flow_runs_after(ledger, ACCOUNT, run.seq) == []


def test_a_redriven_run_is_told_again_when_it_ends(ledger: Ledger) -> None:
    """It failed first and then succeeded: both are its history."""
    _record(ledger, _ended("a"))
    [failed] = flow_runs_after(ledger, ACCOUNT, 0)
    done = {"id": "b", "status": "SUCCEEDED", "time": after(99), "stopped_at": after(99)}
    _record(ledger, _ended("a", **done))

    [succeeded] = flow_runs_after(ledger, ACCOUNT, failed.seq)

    assert (failed.status, succeeded.status) == ("FAILED", "SUCCEEDED")


def test_a_flow_nobody_names_is_called_after_its_state_machine(ledger: Ledger) -> None:
    """Not after the execution, which would make a flow of every run."""
    hashed = "fraud.user.ana.a_branch_with_a_very_long_name_indeed_so_long-abcdefghijklmnop"
    _record(ledger, _ended("a", machine_arn=f"arn:aws:states:r:1:stateMachine:{hashed}"))

    [run] = flow_runs_after(ledger, ACCOUNT, 0)

    assert run.flow == hashed


def test_a_run_without_a_start_has_no_duration(ledger: Ledger) -> None:
    """And one without a stop ended when its event says."""
    _record(ledger, _ended("a", started_at=None, stopped_at=None))

    [run] = flow_runs_after(ledger, ACCOUNT, 0)

    assert run.duration is None
    assert run.stopped_at == after(60)
