"""The job that reconciles an account, its schedule, and what of it Dagster shows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.runs.schema import RunsTable

from ops_platform.adapters.ledger import incidents
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.definitions import compose
from ops_platform.settings.model import Settings
from ops_platform_tests.defs.dagster_world import (
    SETTINGS,
    FakeAccounts,
    metadata,
    observations,
    settings_in,
)

JOB = "reconcile_executions_production"
RUNNING = dg.DagsterRunStatus.STARTED


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of two accounts."""
    return settings_in(tmp_path)


@pytest.fixture
def accounts() -> FakeAccounts:
    """Give accounts with one flow that has failed."""
    accounts = FakeAccounts()
    api = accounts.step_functions
    api.end(api.start(api.deploy("TrainFlow", flow="TrainFlow", owner="ana"), "run"), "FAILED")
    return accounts


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give a Dagster of its own."""
    with dg.instance_for_test() as instance:
        yield instance


def _run(
    settings: Settings, ledger: Ledger, accounts: FakeAccounts, instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    resources: dict[str, Any] = {"ledger": ledger, "accounts": accounts}
    job = compose(settings).resolve_job_def(JOB)
    return job.execute_in_process(resources=resources, instance=instance, raise_on_error=False)


def _tick(settings: Settings, instance: dg.DagsterInstance, account: str = "production") -> Any:
    schedule = compose(settings).resolve_schedule_def(f"reconcile_executions_{account}_schedule")
    with dg.build_schedule_context(instance, scheduled_execution_time=datetime.now(UTC)) as context:
        return schedule.evaluate_tick(context)


def test_a_run_of_the_job_fills_what_was_missed_and_tells_how_much(
    emptied_ledger: Ledger, settings: Settings, accounts: FakeAccounts, instance: dg.DagsterInstance
) -> None:
    """The numbers are an observation of the account's executions."""
    done = _run(settings, emptied_ledger, accounts, instance)

    assert done.success
    observed, _ = observations(done)
    assert observed.asset_key.path == ["executions", "production"]
    assert metadata(observed) == {"machines": 1, "read": 1, "filled": 1, "unfinished": 0}
    assert observed.description == (
        "Read 1 executions of 1 state machines: 1 had been missed, 0 machines are unfinished."
    )
    with emptied_ledger.transaction() as tx:
        (row,) = incidents.recent(tx, Filter())
    assert (row["account"], row["flow"]) == ("production", "TrainFlow")


def test_an_account_that_cannot_be_read_fails_the_run(
    emptied_ledger: Ledger, settings: Settings, accounts: FakeAccounts, instance: dg.DagsterInstance
) -> None:
    """It says why, after it has told what it did."""
    accounts.step_functions.busy_after = {"ListExecutions": 0}

    done = _run(settings, emptied_ledger, accounts, instance)

    assert not done.success
    (failure,) = [e for e in done.all_events if e.is_step_failure]
    shown = failure.step_failure_data.user_failure_data
    assert shown is not None
    assert shown.description == "Could not call ListExecutions: too many."
    assert observations(done)[0].asset_key.path == ["executions", "production"]


def test_much_trouble_is_told_in_short(
    emptied_ledger: Ledger, settings: Settings, accounts: FakeAccounts, instance: dg.DagsterInstance
) -> None:
    """Nobody reads a sentence for each of a hundred machines."""
    api = accounts.step_functions
    api.forbidden = {api.deploy(f"secret-{n}") for n in range(9)}

    done = _run(settings, emptied_ledger, accounts, instance)

    (failure,) = [e for e in done.all_events if e.is_step_failure]
    shown = failure.step_failure_data.user_failure_data
    assert shown is not None
    assert str(shown.description).endswith(" And 4 more.")
    assert str(shown.description).count("AccessDenied") == 5


@pytest.mark.parametrize(
    ("minutes", "cron"), [(1, "*/1 * * * *"), (7, "*/7 * * * *"), (60, "0 * * * *")]
)
def test_the_interval_is_a_setting(tmp_path: Path, minutes: int, cron: str) -> None:
    """In minutes, up to an hour."""
    text = SETTINGS.replace("[timing]", f"[timing]\nreconcile_minutes = {minutes}")
    settings = settings_in(tmp_path, text)
    schedule = compose(settings).resolve_schedule_def(f"{JOB}_schedule")
    assert schedule.cron_schedule == cron


def test_each_interval_a_run_is_asked_for(settings: Settings, instance: dg.DagsterInstance) -> None:
    """Whatever the one before came to."""
    instance.create_run_for_job(
        compose(settings).resolve_job_def(JOB), status=dg.DagsterRunStatus.FAILURE
    )
    assert len(_tick(settings, instance).run_requests) == 1


def test_a_run_that_is_still_at_work_is_left_alone(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    """That of another account is none of its business."""
    instance.create_run_for_job(compose(settings).resolve_job_def(JOB), status=RUNNING)

    assert _tick(settings, instance).skip_message == "The last run is still at work."
    assert len(_tick(settings, instance, "staging").run_requests) == 1


def test_a_run_that_was_killed_does_not_stop_the_schedule(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    """Nobody tells Dagster that it is over."""
    instance.create_run_for_job(compose(settings).resolve_job_def(JOB), status=RUNNING)
    long_ago = datetime.now(UTC) - timedelta(minutes=11)
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(RunsTable.update().values(create_timestamp=long_ago))

    assert len(_tick(settings, instance).run_requests) == 1
