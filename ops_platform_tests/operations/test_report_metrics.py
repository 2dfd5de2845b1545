"""What is shown of hours and days: bounded, however many are shown, and as they are kept."""

from datetime import timedelta

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.hours import DAY, HOUR, Hours, day_begins
from ops_platform.domain.metric import Noun
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.operations.report_metrics import MOST_ROWS, Report, report_metrics
from ops_platform.operations.roll_up_metrics import roll_up_days, roll_up_hours
from ops_platform_tests.build import NOON
from ops_platform_tests.metrics_world import ingest, job

BEGIN = day_begins(NOON.date())
HOURS = Hours(BEGIN, BEGIN + DAY)
NOW = HOURS.end + HOUR


@pytest.fixture
def ledger(emptied_ledger: Ledger) -> Ledger:
    """Give a ledger with a day of jobs, at noon of many flows, of which one fails."""
    events = [each for hour in HOURS for each in job(f"{hour}", hour)]
    for number in range(MOST_ROWS + 5):
        events += job(f"noon-{number}", NOON, flow=f"Flow{number:02}", fails=number == 7)
    ingest(emptied_ledger, events, now=NOW)
    roll_up_hours(emptied_ledger, HOURS, [Noun.JOBS], prices=DEFAULT_PRICES, now=NOW)
    roll_up_days(emptied_ledger, [BEGIN.date()], [Noun.JOBS], now=NOW)
    return emptied_ledger


def _shown(ledger: Ledger, *hours: int) -> list[Report]:
    return list(report_metrics(ledger, Noun.JOBS, [BEGIN + hour * HOUR for hour in hours]))


def test_each_hour_has_its_totals_and_a_table_of_what_there_was_most_of(ledger: Ledger) -> None:
    """What failed stands first; the rest is left out."""
    (noon,) = _shown(ledger, 12)
    assert noon.totals["job_transitions"]["count"] == 4 * (MOST_ROWS + 6)
    assert noon.totals["job_wait_share"]["share"] == pytest.approx(15 / 135)
    assert len(noon.top) == MOST_ROWS
    assert noon.top[0]["flow"] == "Flow07"
    assert noon.top[0]["failed"] == 1


def test_only_the_newest_has_all_pictures(ledger: Ledger) -> None:
    """Hours that are far from each other are read apart, and each of them is a newest."""
    assert [len(each.pictures) for each in _shown(ledger, 3, 4, 5)] == [1, 1, 4]
    far = list(report_metrics(ledger, Noun.JOBS, [BEGIN, BEGIN + 23 * HOUR + timedelta(hours=1)]))
    assert [len(each.pictures) for each in far] == [4, 4]


def test_an_hour_shows_the_day_before_it_whoever_else_is_shown(ledger: Ledger) -> None:
    """The same, alone or in a range."""
    alone = _shown(ledger, 5)[0]
    among = _shown(ledger, *range(12))[5]
    assert (alone.pictures[0], alone.glance) == (among.pictures[0], among.glance)
    assert (alone.totals, alone.top) == (among.totals, among.top)


def test_a_day_is_shown_like_an_hour(ledger: Ledger) -> None:
    """By its own rows."""
    (day,) = report_metrics(ledger, Noun.JOBS, [BEGIN], daily=True)
    assert day.totals["jobs_failed"]["count"] == 1
    assert len(day.pictures) == 4


def test_an_hour_that_was_not_computed_shows_nothing(ledger: Ledger) -> None:
    """No totals, rather than zeros."""
    (none,) = report_metrics(ledger, Noun.EXECUTIONS, [BEGIN])
    assert (none.totals, none.top) == ({}, ())
