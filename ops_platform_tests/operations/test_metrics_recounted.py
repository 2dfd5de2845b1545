"""Whatever happens and however it is told, the rollups are what the recount finds."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.schema import metrics_daily, metrics_hourly
from ops_platform.domain.events import Attempt, Event
from ops_platform.domain.hours import HOUR, Hours, hour_of, of_day
from ops_platform.domain.metric import Noun
from ops_platform.domain.rollups import METRICS
from ops_platform.operations.ingest_events import record
from ops_platform.operations.roll_up_metrics import refresh, roll_up_days, roll_up_hours
from ops_platform.operations.show_metrics import computed, show_metric
from ops_platform_tests.build import (
    ACCOUNTS,
    NOON,
    a_failure,
    a_job_event,
    after,
    an_instance_event,
    bodies,
)
from ops_platform_tests.ledger_world import POLICY, empty
from ops_platform_tests.metric_stories import BEGIN, END, PRICES, deliveries, stories
from ops_platform_tests.operations.metrics_compared import assert_same
from ops_platform_tests.recount import Recount

ALL = Hours(BEGIN, END)
DAY = BEGIN.date()
# Without shrinking, which would take minutes: a story is short enough to be read.
FEW = settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
MANY = settings(FEW, max_examples=25)
ARRIVING = stories().flatmap(deliveries)
Rows = list[tuple[Any, ...]]


@FEW
@given(portions=ARRIVING, data=st.data())
def test_hours_are_what_the_recount_finds(
    emptied_ledger: Ledger, portions: list[list[Event]], data: st.DataObject
) -> None:
    """In whatever order events come, and however often; by all dimensions, and by any."""
    told = _arrive(emptied_ledger, portions)

    roll_up_hours(emptied_ledger, ALL, prices=PRICES, now=END)

    truth = _truth(told)
    assert_same(emptied_ledger, truth, ALL)
    chosen = data.draw(st.sets(st.sampled_from(_dimensions())))
    assert_same(
        emptied_ledger,
        truth,
        ALL,
        by=lambda name: [each for each in METRICS[name].dimensions if each in chosen],
    )


@FEW
@given(portions=ARRIVING, cuts=st.sets(st.integers(1, 7), max_size=2))
@pytest.mark.slow
def test_hours_tile_the_day(
    emptied_ledger: Ledger, portions: list[list[Event]], cuts: set[int]
) -> None:
    """Wherever a computation begins and ends, each hour is the same: what lasts goes on in it."""
    _arrive(emptied_ledger, portions)
    roll_up_hours(emptied_ledger, ALL, prices=PRICES, now=END)
    at_once = _rows(emptied_ledger, metrics_hourly)

    bounds = [BEGIN, *(BEGIN + cut * HOUR for cut in sorted(cuts)), END]
    for begin, end in reversed(list(pairwise(bounds))):
        roll_up_hours(emptied_ledger, Hours(begin, end), prices=PRICES, now=END)

    in_parts = _rows(emptied_ledger, metrics_hourly)
    assert [row for row in in_parts if row not in at_once] == []
    assert len(in_parts) == len(at_once)


@FEW
@given(portions=ARRIVING)
def test_a_day_is_what_the_recount_finds_of_its_events(
    emptied_ledger: Ledger, portions: list[list[Event]]
) -> None:
    """Percentiles and greatest values included, which no sum of hours would tell."""
    told = _arrive(emptied_ledger, portions)
    day = of_day(DAY)

    roll_up_hours(emptied_ledger, day, prices=PRICES, now=END)
    roll_up_days(emptied_ledger, [DAY], now=END)

    assert_same(emptied_ledger, _truth(told), day, daily=True)
    assert_same(emptied_ledger, _truth(told), day, daily=True, by=lambda _: ())


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])
def test_a_run_that_ends_in_the_millisecond_it_starts_in_is_over(
    emptied_ledger: Ledger, status: str
) -> None:
    """Whatever it ends in, of one moment the start comes first."""
    told = [a_failure(0, status=status, started_at=NOON)]
    hours = Hours(NOON, NOON + 2 * HOUR)
    _ingest(emptied_ledger, told, hours.end)

    roll_up_hours(emptied_ledger, hours, prices=PRICES, now=hours.end)

    running = show_metric(emptied_ledger, "executions_running", begin=hours.begin, end=hours.end)
    assert [(row["last"], row["max"]) for row in running] == [(0, 0), (0, 0)]
    assert_same(emptied_ledger, _truth(told, hours.end), hours)


def test_a_job_that_is_retried_at_once_is_in_one_state_at_a_time(emptied_ledger: Ledger) -> None:
    """Though its new states are told to have begun in the whole second in which it still ran."""
    stop = Attempt(started_at=after(4.25), stopped_at=after(9.75), exit_code=1)
    told = [
        a_job_event(id="first", status="RUNNING", time=after(4), started_at=after(4.25)),
        a_job_event(id="again", status="RUNNABLE", time=after(9), attempts=(stop,)),
        a_job_event(id="placed", status="STARTING", time=after(9), attempts=(stop,)),
    ]
    hours = Hours(NOON, NOON + HOUR)
    _ingest(emptied_ledger, told, hours.end)

    roll_up_hours(emptied_ledger, hours, prices=PRICES, now=hours.end)

    (row,) = show_metric(emptied_ledger, "jobs_in_state", begin=hours.begin, end=hours.end)
    assert (row["last"], row["max"]) == (1, 1)
    assert_same(emptied_ledger, _truth(told, hours.end), hours)


@pytest.mark.parametrize(("minutes", "kind"), [(-90, "m5.xlarge"), (59, "m5.xlarge"), (60, "")])
def test_an_attempt_has_the_host_whose_events_began_by_its_hour(
    emptied_ledger: Ledger, minutes: int, kind: str
) -> None:
    """One that is told of later changes no hour that was computed without it."""
    host = an_instance_event(time=NOON + minutes * HOUR / 60)
    placed = a_job_event(status="STARTING", time=NOON, container_instance=host.instance_arn)
    _ingest(emptied_ledger, [placed, host], NOON + 3 * HOUR)

    # Together with the hours in which the host is there.
    hours = Hours(NOON, NOON + 3 * HOUR)
    roll_up_hours(emptied_ledger, hours, prices=PRICES, now=hours.end)

    by = ["instance_type"]
    rows = show_metric(emptied_ledger, "vcpu_hours", begin=NOON, end=NOON + HOUR, by=by)
    assert [row["instance_type"] for row in rows] == [kind]


@FEW
@given(portions=ARRIVING)
@pytest.mark.slow
def test_late_events_mend_their_hours(emptied_ledger: Ledger, portions: list[list[Event]]) -> None:
    """A refresh ends in the very rows that computing everything anew would make."""
    _refreshed_as_if_anew(emptied_ledger, portions)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@MANY
@given(portions=ARRIVING)
def test_late_events_mend_their_hours_in_many_stories(
    emptied_ledger: Ledger, portions: list[list[Event]]
) -> None:
    """And what they end in is what the recount finds."""
    told = _refreshed_as_if_anew(emptied_ledger, portions)
    now = END + len(portions) * HOUR / 2

    assert_same(emptied_ledger, _truth(told, now), Hours(BEGIN, hour_of(now) + HOUR))


def _refreshed_as_if_anew(ledger: Ledger, portions: Sequence[Sequence[Event]]) -> list[Event]:
    """Refresh after each portion of events; compare with computing it all once more."""
    empty(ledger)
    now = END
    for portion in portions:
        now += HOUR / 2
        _ingest(ledger, portion, now)
        refresh(ledger, prices=PRICES, now=now)
    refreshed = _rows(ledger, metrics_hourly), _rows(ledger, metrics_daily)

    known = computed(ledger, begin=BEGIN - 2 * HOUR, end=now + HOUR)
    for noun in Noun:
        hours = [row["hour"] for row in known if row["noun"] == noun]
        roll_up_hours(ledger, hours, [noun], prices=PRICES, now=now)
        days = {row[1] for row in refreshed[1] if METRICS[row[0]].noun is noun}
        roll_up_days(ledger, days, [noun], now=now)

    again = _rows(ledger, metrics_hourly), _rows(ledger, metrics_daily)
    for first, second in zip(refreshed, again, strict=True):
        assert [row for row in first if row not in second] == []
        assert [row for row in second if row not in first] == []
    return [event for portion in portions for event in portion]


def _arrive(ledger: Ledger, portions: Iterable[Sequence[Event]]) -> list[Event]:
    empty(ledger)
    for portion in portions:
        _ingest(ledger, portion, END)
    return [event for portion in portions for event in portion]


def _ingest(ledger: Ledger, told: Iterable[Event], now: datetime) -> None:
    record(ledger, bodies(told), accounts=ACCOUNTS, policy=POLICY, now=now)


def _truth(told: Iterable[Event], now: datetime = END) -> Recount:
    return Recount(bodies(told), accounts=ACCOUNTS, now=now, prices=PRICES)


def _dimensions() -> list[str]:
    return sorted({each for metric in METRICS.values() for each in metric.dimensions})


def _rows(ledger: Ledger, table: sa.Table) -> Rows:
    with ledger.transaction() as tx:
        return [tuple(row) for row in tx.execute(sa.select(table))]
