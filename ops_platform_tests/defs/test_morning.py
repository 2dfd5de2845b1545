"""The page of a morning as Dagster makes it."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.defs.morning import KEY
from ops_platform.domain.hours import DAY, hour_of, of_day
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.operations.roll_up_metrics import roll_up_days, roll_up_hours
from ops_platform_tests.defs.dagster_world import settings_in
from ops_platform_tests.defs.metrics_world import dagster, location, made, materialized
from ops_platform_tests.metrics_world import ingest, job, run

SCHEDULE = "write_morning_report_schedule"


def test_a_morning_shows_yesterday(emptied_ledger: Ledger, tmp_path: Path) -> None:
    """As Markdown, and in numbers that Dagster plots over the days."""
    yesterday = (hour_of(now()) - DAY).replace(hour=0)
    ingest(emptied_ledger, [*job("a", yesterday), *run("r", yesterday)], now=now())
    roll_up_hours(emptied_ledger, of_day(yesterday.date()), prices=DEFAULT_PRICES, now=now())
    roll_up_days(emptied_ledger, [yesterday.date()], now=now())

    with dagster() as instance:
        loaded = location(settings_in(tmp_path), emptied_ledger)
        done = materialized(loaded, instance, KEY, f"{yesterday:%Y-%m-%d}")

    shown = made(done)[f"{yesterday:%Y-%m-%d}"]
    assert "| production | 1 | 100 % |" in shown["summary"].value
    assert (shown["runs"].value, shown["success_rate"].value) == (1, 1.0)
    assert shown["cost_usd"].value > 0


def test_a_day_that_is_not_there_yet_fails_with_a_sentence(
    emptied_ledger: Ledger, tmp_path: Path
) -> None:
    """Not with a traceback."""
    with dagster() as instance:
        done = materialized(
            location(settings_in(tmp_path), emptied_ledger), instance, KEY, "2026-01-01"
        )
    (failed,) = (each for each in done.all_events if each.event_type_value == "STEP_FAILURE")
    told = failed.step_failure_data.user_failure_data
    assert told is not None
    assert "2026-01-01 are not put together yet" in str(told.description)


def _tick(ledger: Ledger, folder: Path, at: datetime) -> str:
    """Return the partition that the schedule asks for at a moment, or why it does not."""
    loaded = location(settings_in(folder), ledger)
    schedule = loaded.resolve_schedule_def(SCHEDULE)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "UTC")
    with (
        dagster() as instance,
        dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=at,
            repository_def=loaded.get_repository_def(),
            resources={"ledger": ledger},
        ) as context,
    ):
        told = schedule.evaluate_tick(context)
    return told.run_requests[0].partition_key or "" if told.run_requests else str(told.skip_message)


def test_each_morning_the_page_of_yesterday_is_made(emptied_ledger: Ledger, tmp_path: Path) -> None:
    """At six, when the refresh has had its time."""
    day = datetime(2026, 3, 1, tzinfo=UTC)
    roll_up_hours(emptied_ledger, of_day(day.date()), prices=DEFAULT_PRICES, now=day + 2 * DAY)
    roll_up_days(emptied_ledger, [day.date()], now=day + 2 * DAY)

    assert _tick(emptied_ledger, tmp_path, datetime(2026, 3, 2, 6, tzinfo=UTC)) == "2026-03-01"


def test_a_morning_after_nothing_is_skipped_and_says_why(
    emptied_ledger: Ledger, tmp_path: Path
) -> None:
    """As on the first morning of a new platform: that is no failed run."""
    told = _tick(emptied_ledger, tmp_path, datetime(2026, 3, 2, 6, tzinfo=UTC))

    assert "2026-03-01 are not put together yet" in str(told)
