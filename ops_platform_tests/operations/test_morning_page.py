"""The page of a morning, from the metrics and runs of two days."""

from datetime import timedelta

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.hours import DAY, HOUR, day_begins, of_day
from ops_platform.domain.morning import AccountDay
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.operations.morning_page import morning_page
from ops_platform.operations.roll_up_metrics import roll_up_days, roll_up_hours
from ops_platform_tests.build import NOON
from ops_platform_tests.metrics_world import ingest, job, run

TODAY, BEFORE = NOON.date(), (NOON - DAY).date()
NOW = day_begins(TODAY) + DAY + HOUR
NASTY = "Flow|<b>"


@pytest.fixture
def ledger(emptied_ledger: Ledger) -> Ledger:
    """Give a ledger in which a flow broke, another recovered, and one went on."""
    events = [
        *run("t1", NOON - DAY),
        *run("t2", NOON, status="FAILED"),
        *run("o1", NOON - DAY, status="TIMED_OUT", flow="OtherFlow"),
        *run("o2", NOON, flow="OtherFlow"),
        *run("g1", NOON - DAY, flow="GoodFlow"),
        *run("g2", NOON, flow="GoodFlow"),
        *run("g3", NOON + HOUR, status="FAILED", flow="GoodFlow"),
        *run("g4", NOON + 2 * HOUR, flow="GoodFlow"),
        *run("first", NOON, status="FAILED", flow="NewFlow"),
        *job("a", NOON - DAY, queue="slow"),
        *job("b", NOON, queue="slow", flow=NASTY),
        *job("c", NOON, queue="quick", fails=True),
    ]
    ingest(emptied_ledger, events, now=NOW)
    return emptied_ledger


def _computed(ledger: Ledger, *days: timedelta) -> None:
    for day in days:
        hours = of_day((NOON + day).date())
        roll_up_hours(ledger, hours, prices=DEFAULT_PRICES, now=NOW)
        roll_up_days(ledger, hours.days(), now=NOW)


def _production(ledger: Ledger) -> AccountDay:
    accounts = morning_page(ledger, TODAY, accounts=["staging", "production"]).accounts
    assert [each.account for each in accounts] == ["staging", "production"]
    return accounts[1]


def test_a_day_is_told_and_compared_with_the_one_before(ledger: Ledger) -> None:
    """Runs, what it cost, the slowest queue, the costliest flow."""
    _computed(ledger, -DAY, timedelta())
    shown = _production(ledger)

    assert shown.before is not None
    assert (shown.figures.runs, shown.before.runs) == (6, 3)
    assert shown.figures.ended == {"SUCCEEDED": 3, "FAILED": 3, "TIMED_OUT": 0, "ABORTED": 0}
    assert shown.figures.success_rate == 0.5
    assert shown.figures.cost == pytest.approx(2 * shown.before.cost)
    assert shown.figures.wasted == pytest.approx(shown.before.cost)
    assert shown.before.wasted == 0
    assert [(each.name, each.value, each.before) for each in shown.queues] == [
        ("quick", 10_000, None),
        ("slow", 10_000, 10_000),
    ]
    assert {each.name for each in shown.flows} == {"TrainFlow", NASTY}


def test_flows_that_broke_or_recovered_are_told_by_their_last_turn(ledger: Ledger) -> None:
    """A first failure is no turn: nobody knows of it having worked; nor is a flow that went on."""
    _computed(ledger, timedelta())
    turns = {turn.flow: turn for turn in _production(ledger).turns}

    assert {flow: turn.succeeded for flow, turn in turns.items()} == {
        "TrainFlow": False,
        "OtherFlow": True,
        "GoodFlow": True,
    }
    assert turns["TrainFlow"].error == "States.TaskFailed"
    assert turns["TrainFlow"].at == NOON + timedelta(minutes=10)
    assert turns["GoodFlow"].at == NOON + 2 * HOUR + timedelta(minutes=10)


def test_without_the_day_before_nothing_is_compared(ledger: Ledger) -> None:
    """What was not computed is no zero."""
    _computed(ledger, timedelta())
    shown = morning_page(ledger, TODAY, accounts=["production"])
    assert shown.accounts[0].before is None
    assert "| production | 6 | 50 % |" in shown.sections["summary"]
    assert "Flow&#124;&#60;b&#62;" in shown.sections["production"]


def test_an_account_that_has_left_the_settings_is_still_told(ledger: Ledger) -> None:
    """Of what it had."""
    _computed(ledger, timedelta())
    assert [each.account for each in morning_page(ledger, TODAY, accounts=[]).accounts] == [
        "production"
    ]


def test_a_day_that_is_not_put_together_is_refused_with_what_to_do(ledger: Ledger) -> None:
    """Rather than shown as a quiet one."""
    with pytest.raises(
        PlatformError, match=r"metrics of 2026-03-02 are not put together yet\. `ops"
    ):
        morning_page(ledger, TODAY, accounts=["production"])
