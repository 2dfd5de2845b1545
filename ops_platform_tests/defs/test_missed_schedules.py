"""A reconciliation looks for flows that should have started, too, and Dagster shows them."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ops_platform.adapters.ledger import schedules
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.definitions import compose
from ops_platform_tests.build import ACCOUNT
from ops_platform_tests.defs.dagster_world import FakeAccounts, metadata, observations, settings_in
from ops_platform_tests.operations.schedule_world import DAY, a_rule

JOB = f"reconcile_executions_{ACCOUNT}"


@pytest.fixture
def accounts() -> FakeAccounts:
    """Give accounts with one flow that should start each minute."""
    accounts = FakeAccounts()
    arn = accounts.step_functions.deploy("Train", flow="TrainFlow", owner="ana")
    accounts.rules[arn] = [a_rule("cron(* * * * ? *)")]
    return accounts


def _run(folder: Path, ledger: Ledger, accounts: FakeAccounts) -> dg.ExecuteInProcessResult:
    resources: dict[str, Any] = {"ledger": ledger, "accounts": accounts}
    job = compose(settings_in(folder)).resolve_job_def(JOB)
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(resources=resources, instance=instance, raise_on_error=False)


def _watched_since_yesterday(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        (known,) = schedules.watched(tx, ACCOUNT)
        schedules.watch(
            tx,
            ACCOUNT,
            known.arn,
            rule=known.rule,
            schedule=known.schedule,
            since=now() - DAY,
        )


def test_what_was_missed_is_an_observation(
    emptied_ledger: Ledger, tmp_path: Path, accounts: FakeAccounts
) -> None:
    """It tells how many were looked at, and the incident is in the ledger."""
    _run(tmp_path, emptied_ledger, accounts)
    _watched_since_yesterday(emptied_ledger)

    done = _run(tmp_path, emptied_ledger, accounts)

    assert done.success
    _, observed = observations(done)
    assert observed.asset_key.path == ["schedules", ACCOUNT]
    assert metadata(observed) == {"machines": 1, "scheduled": 1, "missed": 1, "resolved": 0}
    assert observed.description == (
        "Looked at 1 state machines, 1 of them with a schedule: 1 newly missed, 0 made up for."
    )
    with emptied_ledger.transaction() as tx:
        assert [each.flow for each in schedules.open_incidents(tx, ACCOUNT)] == ["TrainFlow"]


def test_an_expression_that_cannot_be_read_is_shown(
    emptied_ledger: Ledger, tmp_path: Path, accounts: FakeAccounts
) -> None:
    """It is no failure of ours."""
    accounts.rules = {arn: [a_rule("at(noon)")] for arn in accounts.rules}

    done = _run(tmp_path, emptied_ledger, accounts)

    assert done.success
    assert "'at(noon)'" in str(metadata(observations(done)[1])["unreadable"])


def test_what_aws_does_not_let_us_read_fails_the_run(
    emptied_ledger: Ledger, tmp_path: Path, accounts: FakeAccounts
) -> None:
    """After it has told what it did; what was reconciled stands."""
    _run(tmp_path, emptied_ledger, accounts)
    _watched_since_yesterday(emptied_ledger)
    accounts.step_functions.forbidden = set(accounts.rules)

    done = _run(tmp_path, emptied_ledger, accounts)

    assert not done.success
    assert [each.asset_key.path[0] for each in observations(done)] == ["executions", "schedules"]
