"""The sensor that takes events from a queue into the ledger, and what of it Dagster shows."""

from pathlib import Path

import pytest

from ops_platform.adapters.ledger import executions, incidents
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter, Row
from ops_platform.clock import now
from ops_platform.domain.ports import Machine
from ops_platform_tests.build import MACHINE_ARN, a_failure
from ops_platform_tests.defs.dagster_world import Dagster, FakeAccounts, metadata, settings_in
from ops_platform_tests.fakes import FakeStateMachines
from ops_platform_tests.operations.delivery_world import end_of_run

SENSOR = "ingest_events_staging"


@pytest.fixture
def dagster(emptied_ledger: Ledger, tmp_path: Path) -> Dagster:
    """Give the sensors, over an empty ledger and empty queues."""
    return Dagster(settings_in(tmp_path), emptied_ledger)


def test_an_empty_queue_is_a_skipped_tick(dagster: Dagster) -> None:
    """Nobody has to wonder whether the sensor is at work."""
    ticked = dagster.tick(SENSOR)
    assert (ticked.skip_message, ticked.asset_events) == ("The queue is empty.", [])


def test_a_tick_tells_what_it_read_how_late_it_is_and_what_is_left(dagster: Dagster) -> None:
    """New, duplicate and broken messages are counted in the tick and on an asset."""
    events = end_of_run("run-1", "staging", now(), "FAILED")
    dagster.accounts.send("staging", *events, *events[:1])
    dagster.accounts.queue("staging").send("no envelope")

    ticked = dagster.tick(SENSOR)

    assert ticked.skip_message is not None
    assert ticked.skip_message.startswith("Read 5: 3 new, 1 duplicates, 1 rejected; ")
    (observed,) = ticked.asset_events
    assert observed.asset_key.path == ["events", "staging"]
    told = metadata(observed)
    lag = told.pop("lag_seconds")
    assert isinstance(lag, float)
    assert 0 <= lag < 60
    assert told == {
        "read": 5,
        "new": 3,
        "duplicates": 1,
        "rejected": 1,
        "undeleted": 0,
        "backlog": 0,
    }


def test_each_account_has_a_sensor_of_its_own(dagster: Dagster) -> None:
    """One account's sensor leaves the other's queue alone."""
    dagster.accounts.send("production", *end_of_run("run-1", "production", now(), "FAILED"))
    assert dagster.tick(SENSOR).skip_message == "The queue is empty."
    dagster.tick("ingest_events_production")
    with dagster.ledger.transaction() as tx:
        (row,) = executions.recent(tx, Filter())
    assert (row["account"], row["run_id"]) == ("production", "sfn-run-1")


def test_a_failed_run_without_jobs_is_named_by_its_state_machine(dagster: Dagster) -> None:
    """Where not even the first job could be submitted, no job tells whose run it was."""
    machine = Machine(arn=MACHINE_ARN, flow="TrainFlow", owner="grace")
    dagster.accounts = FakeAccounts(FakeStateMachines([machine]))
    dagster.accounts.send("production", a_failure(error="Batch.ClientException"))
    dagster.tick("ingest_events_production")
    assert _incident(dagster)["owner"] == "grace"


def test_a_state_machine_that_may_not_be_read_hides_nothing_else(dagster: Dagster) -> None:
    """The events are in the ledger; the tick says what it could not find out, and goes on."""
    dagster.accounts = FakeAccounts(FakeStateMachines([], forbidden=[MACHINE_ARN]))
    dagster.accounts.send("production", a_failure())
    ticked = dagster.tick("ingest_events_production")
    assert ticked.skip_message is not None
    assert ticked.skip_message.startswith("Read 1: 1 new, ")
    assert f"Could not read the state machine {MACHINE_ARN}" in ticked.skip_message
    assert len(ticked.asset_events) == 1
    assert _incident(dagster)["owner"] is None


def test_a_state_machine_is_asked_again_though_nothing_new_came(dagster: Dagster) -> None:
    """The alert that waits for its time shall know its owner."""
    dagster.accounts = FakeAccounts(FakeStateMachines([], forbidden=[MACHINE_ARN]))
    dagster.accounts.send("production", a_failure())
    dagster.tick("ingest_events_production")
    machine = Machine(arn=MACHINE_ARN, flow="TrainFlow", owner="grace")
    dagster.accounts = FakeAccounts(FakeStateMachines([machine]))

    assert dagster.tick("ingest_events_production").skip_message == "The queue is empty."

    assert _incident(dagster)["owner"] == "grace"


def _incident(dagster: Dagster) -> Row:
    with dagster.ledger.transaction() as tx:
        (row,) = incidents.recent(tx, Filter())
    return row
