"""The sensor that gives each flow its history."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.domain.events import Event
from ops_platform_tests.build import FOREIGN, REGION, a_job_event, after, an_execution_event
from ops_platform_tests.defs.dagster_world import Dagster, metadata, settings_in
from ops_platform_tests.operations.delivery_world import end_of_run
from ops_platform_tests.operations.failing_runs import Run

SENSOR = "report_flow_runs"


@pytest.fixture
def dagster(emptied_ledger: Ledger, tmp_path: Path) -> Dagster:
    """Give the sensors, over an empty ledger and empty queues."""
    return Dagster(settings_in(tmp_path), emptied_ledger)


def ingest(dagster: Dagster, *events: Event) -> None:
    """Bring events into the ledger the way they come: by the sensors of the accounts."""
    for account, number in (("staging", "111111111111"), ("production", "222222222222")):
        dagster.accounts.send(account, *(one for one in events if one.aws_account_id == number))
        dagster.tick(f"ingest_events_{account}")


def reported(dagster: Dagster) -> list[tuple[str, str]]:
    """Tick; return the kind of each event and its run."""
    return [
        (type(event).__name__, str(metadata(event)["run_id"]))
        for event in dagster.tick(SENSOR).asset_events
    ]


def test_a_successful_run_is_a_materialization_of_its_flow(dagster: Dagster) -> None:
    """It shows run, duration, owner and links."""
    run = Run("run-1")
    job = run.failed_job(0, after(90), status="SUCCEEDED", exit_code=0)
    ingest(dagster, job, *run.ended(after(90), "SUCCEEDED"))
    ticked = dagster.tick(SENSOR)

    assert ticked.skip_message == "Reported 1 runs."
    (event,) = ticked.asset_events
    assert isinstance(event, dg.AssetMaterialization)
    assert event.asset_key.path == ["flows", "staging", "TrainFlow"]
    told = metadata(event)
    execution = str(told.pop("execution"))
    assert execution.startswith(f"https://{REGION}.console.aws.amazon.com/states/home")
    assert execution.endswith("execution:TrainFlow:run-1")
    assert told == {
        "run_id": "sfn-run-1",
        "status": "SUCCEEDED",
        "owner": "ada",
        "branch": "none",
        "duration_seconds": 600.0,
        "stopped_at": after(90).timestamp(),
        "metaflow_ui": "https://metaflow.example.com/TrainFlow/sfn-run-1",
    }


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_run_that_failed_is_an_observation_of_its_flow(dagster: Dagster, status: str) -> None:
    """A failure does not make the flow's data newer."""
    ingest(dagster, *end_of_run("run-1", "staging", after(90), status))
    (event,) = dagster.tick(SENSOR).asset_events
    assert isinstance(event, dg.AssetObservation)
    assert (event.description, metadata(event)["status"]) == (f"sfn-run-1: {status}", status)


def test_a_flow_of_a_project_is_an_asset_below_its_project(dagster: Dagster) -> None:
    """Branches of a project share the flow's history, each run naming its branch."""
    ingest(dagster, an_execution_event(status="SUCCEEDED", stopped_at=after(5)))
    (event,) = dagster.tick(SENSOR).asset_events
    assert event.asset_key.path == ["flows", "production", "fraud", "TrainFlow"]
    assert metadata(event)["branch"] == "prod"


def test_runs_that_go_on_and_foreign_state_machines_are_not_reported(dagster: Dagster) -> None:
    """Only ended runs of Metaflow flows have a place in a flow's history."""
    foreign = an_execution_event(
        id="foreign", execution_arn="arn:foreign", status="FAILED", **FOREIGN
    )
    ingest(dagster, an_execution_event(status="RUNNING"), foreign)
    ticked = dagster.tick(SENSOR)
    assert ticked.skip_message == "No run has ended since the last tick."
    assert ticked.asset_events == []


def test_each_run_is_reported_once_and_none_is_skipped(dagster: Dagster) -> None:
    """The cursor moves on by account; a tick that was lost is repeated as a whole."""
    ingest(dagster, *end_of_run("run-1", "staging", now(), "FAILED"))
    assert reported(dagster) == [("AssetObservation", "sfn-run-1")]
    assert reported(dagster) == []

    before = dagster.cursors[SENSOR]
    later = now() + timedelta(seconds=1)
    ingest(
        dagster,
        *end_of_run("run-2", "production", later, "SUCCEEDED"),
        *end_of_run("run-3", "staging", later, "SUCCEEDED"),
    )
    lost = reported(dagster)
    assert lost == [
        ("AssetMaterialization", "sfn-run-3"),
        ("AssetMaterialization", "sfn-run-2"),
    ]
    dagster.cursors[SENSOR] = before
    assert reported(dagster) == lost
    assert reported(dagster) == []


def test_a_long_history_is_reported_in_several_ticks(dagster: Dagster) -> None:
    """None of 450 runs is skipped, whatever fits into one tick."""
    number = "111111111111"
    runs = [
        an_execution_event(
            id=f"event-{index}",
            aws_account_id=number,
            execution_arn=f"arn:aws:states:{REGION}:{number}:execution:TrainFlow:run-{index}",
            machine_arn=f"arn:aws:states:{REGION}:{number}:stateMachine:TrainFlow",
            name=f"run-{index}",
            status="SUCCEEDED",
        )
        for index in range(450)
    ]
    ingest(dagster, *runs)
    told = [run for _ in range(4) for _, run in reported(dagster)]
    assert len(told) == 450
    assert set(told) == {f"sfn-run-{index}" for index in range(450)}


@pytest.mark.parametrize("letter", ["x", "\N{GREEK SMALL LETTER OMEGA}", "\N{FIRECRACKER}"])
def test_a_name_too_long_for_dagster_is_cut(dagster: Dagster, letter: str) -> None:
    """Else its run could not be stored, and no run after it would ever be reported."""
    names = [letter * 500 + end for end in "ab"]
    machine = f"arn:aws:states:{REGION}:111111111111:stateMachine:{letter * 128}.prod"
    for name in names:
        ended = an_execution_event(
            id=name, aws_account_id="111111111111", status="SUCCEEDED", machine_arn=machine,
            execution_arn=name, name=name, stopped_at=after(90),
        )  # fmt: skip
        job = a_job_event(id=f"job {name}", aws_account_id="111111111111", job_id=name, flow=name,
                          run_id=f"sfn-{name}")  # fmt: skip
        ingest(dagster, ended, job)

    keys = {event.asset_key.to_string() for event in dagster.tick(SENSOR).asset_events}

    assert len(keys) == len(names)
    assert max(map(len, keys)) <= 512  # the width of its column


def test_a_failure_that_is_told_late_does_not_repeat_the_success_after_it(
    dagster: Dagster,
) -> None:
    """The run was redriven and succeeded: one materialization, in whatever order that came."""
    done = {"time": after(90), "stopped_at": after(90), "redriven_at": after(50)}
    ingest(dagster, an_execution_event(id="done", status="SUCCEEDED", **done))
    assert len(reported(dagster)) == 1

    failed = an_execution_event(id="end", status="FAILED", time=after(40), stopped_at=after(40))
    ingest(dagster, failed)

    assert reported(dagster) == []
