"""The history of events as Dagster keeps it: what it drops and shows."""

from datetime import timedelta
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.defs.history import CRON, JOB, KEY, history_assets, history_schedules
from ops_platform.settings.model import Settings
from ops_platform_tests.defs.dagster_world import SETTINGS, settings_in
from ops_platform_tests.operations.history_world import (
    FIRST,
    day,
    dropped,
    moved,
    partitions,
    resolve_all,
    some_days,
    tell,
)

# The last of six days of runs is the day before yesterday.
_BY = timedelta(days=(now().date() - FIRST).days - 7)


@pytest.fixture
def keeping(tmp_path: Path) -> Settings:
    """Give settings by which three days before today are kept."""
    return settings_in(tmp_path, f"{SETTINGS}\n[metrics]\nkeep_events_days = 3\n")


@pytest.fixture
def kept(ledger: Ledger) -> Ledger:
    """Give a ledger with runs of six days, three of which are older."""
    tell(ledger, [moved(event, lambda at: at + _BY) for event in some_days(6)], now=now())
    resolve_all(ledger)
    return ledger


def _run(
    settings: Settings, ledger: Ledger, **config: object
) -> tuple[dg.ExecuteInProcessResult, dict[str, Any]]:
    """Run the schedule's job; return it with what the materialization shows."""
    (schedule,) = history_schedules(settings)
    defs = dg.Definitions(
        assets=history_assets(settings), schedules=[schedule], resources={"ledger": ledger}
    )
    with dg.DagsterInstance.ephemeral() as instance:
        done = defs.resolve_job_def(JOB).execute_in_process(
            instance=instance,
            run_config={"ops": {"event_history": {"config": config}}},
            raise_on_error=False,
        )
    (event,) = done.get_asset_materialization_events()
    assert event.asset_key == KEY
    return done, {name: each.value for name, each in event.materialization.metadata.items()}


def test_old_days_are_dropped_and_shown(kept: Ledger, keeping: Settings) -> None:
    """By the settings; all that is left is shown, too."""
    done, shown = _run(keeping, kept)

    assert done.success
    assert partitions(kept) == [day(number) + _BY for number in (4, 5)]
    assert dropped(kept) == [day(number) + _BY for number in range(4)]
    assert shown["summary"] == "4 days dropped; 2 days of events in the ledger."
    assert (shown["days_kept"], shown["days_dropped"]) == (2, 4)
    assert (shown["oldest_day"], shown["kept_from"]) == (str(day(4) + _BY), str(day(4) + _BY))
    assert shown["bytes_kept"] > 0 < shown["bytes_dropped"]
    by_table = {row.data["table"]: row.data["rows"] for row in shown["rows_by_table"].records}
    assert (by_table["events"], by_table["jobs"], by_table["executions"]) == (4 * 34, 24, 4)


def test_a_dry_run_drops_nothing(kept: Ledger, keeping: Settings) -> None:
    """It says what would be."""
    done, shown = _run(keeping, kept, dry_run=True)

    assert done.success
    assert shown["summary"] == "4 days would be dropped; 6 days of events in the ledger."
    assert len(partitions(kept)) == 6


@pytest.mark.slow
def test_a_run_that_left_a_day_fails_after_it_showed_the_rest(
    kept: Ledger, keeping: Settings
) -> None:
    """Whoever looks sees why, and the next run takes it up."""
    reads, ends = Signal(), Signal()

    def read() -> None:
        with kept.transaction() as tx:
            tx.execute(sa.text("SELECT count(*) FROM events"))
            reads.set()
            ends.wait(60)

    reader = Thread(target=read)
    reader.start()
    reads.wait(60)
    try:
        settings = keeping.model_copy(
            update={"metrics": keeping.metrics.model_copy(update={"keep_events_days": 6})}
        )
        done, shown = _run(settings, kept)
    finally:
        ends.set()
        reader.join()

    assert not done.success
    assert shown["summary"].endswith(f"Left for the next run: {day(0) + _BY}.")
    assert _run(settings, kept)[1]["days_dropped"] == 1


def test_the_schedule_is_on_and_runs_each_night(keeping: Settings) -> None:
    """By UTC, as days are."""
    (schedule,) = history_schedules(keeping)

    assert (schedule.cron_schedule, schedule.execution_timezone) == (CRON, "UTC")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_the_asset_says_how_long_events_are_kept(keeping: Settings) -> None:
    """In its description, with its kinds and owners."""
    (asset,) = history_assets(keeping)

    spec = asset.get_asset_spec(KEY)
    assert "the last 3 days" in str(spec.description)
    assert spec.kinds == {"postgres", "python"}
    assert list(spec.owners) == ["team:ops_platform"]
