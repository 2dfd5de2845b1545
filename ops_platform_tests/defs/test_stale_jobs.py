"""The cleanup of an account as Dagster runs it: what it does, shows and checks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ops_platform.adapters.ledger import cancellations, health, incidents, watched
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.definitions import compose
from ops_platform.defs.resources import Slack
from ops_platform.settings.model import Settings
from ops_platform_tests.defs.dagster_world import SETTINGS, FakeAccounts, settings_in

JOB = "clean_up_stale_jobs_production"
ENFORCING = SETTINGS + '\nstale_jobs = "enforce"\n'
Given = dict[str, Any]


@pytest.fixture
def accounts() -> FakeAccounts:
    """Give accounts with a queue in which a job waits that asks for 999 vCPUs, and one behind."""
    accounts = FakeAccounts()
    accounts.job_queues.queue("flows")
    accounts.job_queues.submit(job_id="giant", vcpus=999)
    accounts.job_queues.submit(job_id="behind")
    return accounts


@pytest.fixture
def observing(tmp_path: Path) -> Settings:
    """Give the settings of accounts as they are at first."""
    return settings_in(tmp_path)


@pytest.fixture
def enforcing(tmp_path: Path) -> Settings:
    """Give settings by which production is cleaned."""
    return settings_in(tmp_path, ENFORCING)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give a Dagster of its own."""
    with dg.instance_for_test() as instance:
        yield instance


class Cleanup:
    """One run of the cleanup of production, and what Dagster shows of it."""

    def __init__(
        self, settings: Settings, ledger: Ledger, accounts: FakeAccounts, **config: object
    ) -> None:
        slack = Slack(token="xoxb-test", base_url="http://127.0.0.1:1/")
        resources: Given = {"ledger": ledger, "accounts": accounts, "slack": slack}
        op = {"production__stale_job_cleanup": {"config": config}}
        with dg.DagsterInstance.ephemeral() as instance:
            self.done = (
                compose(settings)
                .resolve_job_def(JOB)
                .execute_in_process(
                    resources=resources,
                    instance=instance,
                    run_config={"ops": op},
                    raise_on_error=False,
                )
            )

    @property
    def shown(self) -> Given:
        """The metadata of the materialization, as plain values."""
        (event,) = self.done.get_asset_materialization_events()
        assert event.asset_key is not None
        assert event.asset_key.path == ["production", "stale_job_cleanup"]
        metadata = event.materialization.metadata
        return {name: _plain(each) for name, each in metadata.items()}

    @property
    def check(self) -> dg.AssetCheckEvaluation:
        """What the run's check came to."""
        (evaluation,) = self.done.get_asset_check_evaluations()
        return evaluation


def _plain(shown: dg.MetadataValue[Any]) -> Any:
    if isinstance(shown, dg.TableMetadataValue):
        return [record.data for record in shown.records]
    return shown.value


def _recorded(ledger: Ledger) -> list[tuple[str, str]]:
    with ledger.transaction() as tx:
        return [(each.job_id, each.outcome) for each in cancellations.recent(tx)]


def test_a_new_account_only_shows_what_would_be_cancelled(
    emptied_ledger: Ledger, observing: Settings, accounts: FakeAccounts
) -> None:
    """And its check is red, since the queue stays blocked."""
    run = Cleanup(observing, emptied_ledger, accounts)

    assert run.done.success
    assert accounts.job_queues.status("giant") == "RUNNABLE"
    assert _recorded(emptied_ledger) == []
    first, second = run.shown["judged"]
    assert (first["job_id"], first["verdict"], first["reason"]) == (
        "giant",
        "cancel",
        "fits nothing",
    )
    assert "999" in first["diagnosis"]
    assert (second["job_id"], second["verdict"]) == ("behind", "warn")
    assert run.shown["mode"] == "observe"
    assert (run.shown["waiting"], run.shown["cancel_jobs"], run.shown["acted_on"]) == (2, 1, 0)
    assert run.shown["oldest_seconds"] == pytest.approx(3 * 3600, abs=60)
    calls = {row["action"]: row["calls"] for row in run.shown["calls_by_action"]}
    assert "CancelJob" not in calls
    assert run.shown["api_calls"] == sum(calls.values())
    assert not run.check.passed
    assert "giant" in _plain(run.check.metadata["blocked"])[0]["blocker"]


def test_an_account_that_enforces_is_cleaned(
    emptied_ledger: Ledger, enforcing: Settings, accounts: FakeAccounts
) -> None:
    """The run that did it can be found from the record."""
    run = Cleanup(enforcing, emptied_ledger, accounts)

    assert accounts.job_queues.status("giant") == "FAILED"
    assert accounts.job_queues.status("behind") == "RUNNABLE"
    assert run.check.passed
    with emptied_ledger.transaction() as tx:
        (record,) = cancellations.recent(tx)
    assert record.outcome == "cancelled"
    assert record.asked_by == f"Dagster, run {run.done.run_id}"
    assert run.shown["judged"][0]["outcome"] == "cancelled"


def test_a_dry_run_by_run_config_writes_nothing(
    emptied_ledger: Ledger, enforcing: Settings, accounts: FakeAccounts
) -> None:
    """Though the account enforces; nor is anybody told of the blocked queue."""
    run = Cleanup(enforcing, emptied_ledger, accounts, dry_run=True)

    assert accounts.job_queues.status("giant") == "RUNNABLE"
    assert run.shown["cancel_jobs"] == 1
    with emptied_ledger.transaction() as tx:
        assert incidents.recent(tx, Filter()) == []
        assert watched.since(tx, "production") is None


def test_an_observed_account_can_be_cleaned_once(
    emptied_ledger: Ledger, observing: Settings, accounts: FakeAccounts
) -> None:
    """By the word of somebody."""
    Cleanup(
        observing, emptied_ledger, accounts, enforce=True, author="ana", reason="nobody wants it"
    )

    with emptied_ledger.transaction() as tx:
        (record,) = cancellations.recent(tx)
    assert record.asked_by.startswith("ana, run ")
    assert record.asked_by.endswith(": nobody wants it")


def test_a_queue_at_fault_is_cleaned_only_for_a_reason(
    emptied_ledger: Ledger, enforcing: Settings, accounts: FakeAccounts
) -> None:
    """It is no fault of the jobs."""
    refused = Cleanup(enforcing, emptied_ledger, accounts, despite_fault=True)

    assert not refused.done.success
    assert accounts.job_queues.status("giant") == "RUNNABLE"


def test_a_blocked_queue_is_one_incident_until_it_moves(
    emptied_ledger: Ledger, observing: Settings, accounts: FakeAccounts
) -> None:
    """Told once, however often one looks."""
    Cleanup(observing, emptied_ledger, accounts)
    Cleanup(observing, emptied_ledger, accounts)
    with emptied_ledger.transaction() as tx:
        (blocked,) = incidents.recent(tx, Filter())
    accounts.job_queues.end("giant", "FAILED")
    accounts.job_queues.end("behind")
    Cleanup(observing, emptied_ledger, accounts)
    with emptied_ledger.transaction() as tx:
        (after,) = incidents.recent(tx, Filter())

    assert (blocked["kind"], blocked["state"]) == ("queue_blocked", "open")
    assert (after["id"], after["state"]) == (blocked["id"], "resolved")


def test_an_account_that_forbids_to_look_fails_the_run_and_does_not_count_as_searched(
    emptied_ledger: Ledger, observing: Settings, accounts: FakeAccounts
) -> None:
    """So that the platform's own check tells of it."""
    accounts.job_queues.api.forbidden = {"ListJobs"}

    run = Cleanup(observing, emptied_ledger, accounts)

    assert not run.done.success
    with emptied_ledger.transaction() as tx:
        assert health.cleanup(tx, "production").cleaned_at is None


def test_a_busy_aws_slows_the_run_and_fails_it_not(
    emptied_ledger: Ledger, enforcing: Settings, accounts: FakeAccounts
) -> None:
    """What was not looked at is left for the next one."""
    accounts.job_queues.api.throttle = lambda action, _: action == "ListJobs"

    run = Cleanup(enforcing, emptied_ledger, accounts)

    assert run.done.success
    assert "Not all of it was looked at. Could not list" in run.shown["summary"]
    assert (run.check.passed, run.check.severity) == (False, dg.AssetCheckSeverity.WARN)
