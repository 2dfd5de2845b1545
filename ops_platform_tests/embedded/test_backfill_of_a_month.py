"""A month of rollups is backfilled through Dagster's API: twice, and killed half-way."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.metric_keys import daily_asset, hourly_asset
from ops_platform.domain.events import Event
from ops_platform.domain.hours import DAY, HOUR, Hours
from ops_platform.domain.metric import Noun
from ops_platform_tests.defs.metrics_world import RANGE
from ops_platform_tests.embedded.dagster_backfills import Backfills, dagster_of_metrics
from ops_platform_tests.ledger_world import open_ledger
from ops_platform_tests.metrics_world import Rows, ingest, job, rolled, run

MONTH = Hours(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC))
PARTITIONS = [f"{hour:%Y-%m-%d-%H:%M}" for hour in MONTH]
HOURLY, DAILY = hourly_asset(Noun.JOBS), daily_asset(Noun.JOBS)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def _events() -> Iterator[Event]:
    """Yield three jobs and a run of each hour, some of which fail, or go on for days."""
    for number, hour in enumerate(MONTH):
        for place in range(3):
            at = hour + timedelta(minutes=17 * place)
            fails = (number + place) % 7 == 0
            yield from job(f"job-{number}-{place}", at, fails=fails, flow=f"Flow{number % 5}")
        status = "FAILED" if number % 11 == 0 else "SUCCEEDED"
        yield from run(f"run-{number}", hour, status=status)
    yield from list(job("long", MONTH.begin, step="wait"))[:2]


def _computed(ledger: Ledger) -> int:
    with ledger.transaction() as tx:
        query = sa.select(sa.func.count()).select_from(schema.rollups)
        return tx.scalar(query) or 0


def _backfilled(dagster: Backfills, ledger: Ledger) -> Rows:
    """Backfill the month; return the rows of it."""
    runs = dagster.awaited(dagster.launch([HOURLY, DAILY], PARTITIONS))
    assert {each["status"] for each in runs} == {"SUCCESS"}
    spans = [{tag["key"]: tag["value"] for tag in each["tags"]} for each in runs]
    # Days may be two runs: Dagster starts with those whose hours it sees first.
    assert [tuple(map(tags.get, RANGE)) for tags in spans].count(
        (PARTITIONS[0], PARTITIONS[-1])
    ) == 1, "all hours are one run"
    assert dagster.materialized(HOURLY) == len(MONTH)
    assert dagster.materialized(DAILY) == len(MONTH.days())
    return rolled(ledger)


def test_a_month_is_one_run_and_the_same_however_often_and_whoever_is_killed(
    tmp_path: Path,
) -> None:
    """First a run is killed half-way; what it had computed stays, the next does the rest."""
    with (
        dagster_of_metrics(tmp_path / "state") as dagster,
        open_ledger(dagster.ledger_url) as ledger,
    ):
        ingest(ledger, _events(), now=MONTH.end + DAY)

        dagster.launch([HOURLY], PARTITIONS)
        deadline = time.monotonic() + 200
        while _computed(ledger) < 5 * 24:
            assert time.monotonic() < deadline, "nothing was computed"
            time.sleep(0.05)
        dagster.kill_run()
        half = _computed(ledger)
        assert 5 * 24 <= half < len(MONTH)
        assert half % 24 == 0, "a day is computed whole or not at all"

        first = _backfilled(dagster, ledger)
        again = _backfilled(dagster, ledger)

    assert again == first
    starts = {row["hour"] for row in first if "hour" in row and row["metric"] == "jobs_submitted"}
    assert starts == set(MONTH)
    assert min(starts) + len(MONTH) * HOUR == MONTH.end
