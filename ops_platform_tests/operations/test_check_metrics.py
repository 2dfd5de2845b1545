"""The checks of rollups: each passes on what was computed, and fails on what cannot be."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.rollups.marks import mark
from ops_platform.domain.hours import HOUR, Hours
from ops_platform.domain.metric import Noun
from ops_platform.domain.rollups import METRICS
from ops_platform.operations.check_metrics import CHECKS, Checked, check_metrics
from ops_platform.operations.roll_up_metrics import roll_up_days, roll_up_hours
from ops_platform_tests.build import NOON, a_job_event, an_instance_event
from ops_platform_tests.ledger_world import empty
from ops_platform_tests.metric_stories import BEGIN, END, PRICES, deliveries, stories
from ops_platform_tests.metrics_world import ingest, job, run

FIRST = NOON - 12 * HOUR
HOURS = Hours(FIRST, FIRST + 36 * HOUR)
NOW = HOURS.end + timedelta(minutes=5)
INTERVAL = timedelta(minutes=15)
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def ledger(emptied_ledger: Ledger) -> Ledger:
    """Give a ledger with rollups of a day and a half, and of that day."""
    late = NOON + timedelta(minutes=59, seconds=50)
    events = [
        *job("one", NOON),
        *job("two", late, fails=True),
        *run("good", NOON),
        *run("bad", late, status="FAILED"),
        # What does not count: an array's parent, a notice, what only an API told of a state.
        *job("parent", NOON, array_size=3),
        a_job_event(id="notice", job_id="three", time=NOON, blocked=True),
        a_job_event(id="api:made", job_id="four", time=NOON),
        an_instance_event(time=NOON),
        an_instance_event(id="gone", time=late, status="INACTIVE", version=2),
    ]
    ingest(emptied_ledger, events, now=NOW)
    roll_up_hours(emptied_ledger, HOURS, prices=PRICES, now=NOW)
    roll_up_days(emptied_ledger, [FIRST.date()], now=NOW)
    return emptied_ledger


def _checked(
    ledger: Ledger, noun: Noun, hours: Sequence[datetime] | Hours = HOURS, *, now: datetime = NOW
) -> dict[str, Checked]:
    found = check_metrics(ledger, noun, hours, now=now, interval=INTERVAL)
    return {each.check.name: each for each in found}


def _failing(ledger: Ledger, noun: Noun, *, now: datetime = NOW) -> dict[str, str]:
    return {
        name: each.sentence for name, each in _checked(ledger, noun, now=now).items() if each.found
    }


def _change(ledger: Ledger, statement: str) -> None:
    with ledger.transaction() as tx:
        assert tx.execute(sa.text(statement)).rowcount


@pytest.mark.parametrize("noun", list(Noun))
def test_what_was_computed_passes_every_check(ledger: Ledger, noun: Noun) -> None:
    """Each check says over how many hours."""
    found = _checked(ledger, noun)
    assert set(found) == {check.name for check in CHECKS if noun in check.nouns}
    assert {each.sentence for each in found.values()} == {"All is well, in 36 hours checked."}


@pytest.mark.parametrize(
    ("noun", "metric", "told"),
    [
        (Noun.JOBS, "job_transitions", "production: 4 came to RUNNING by the rollup, 1 by"),
        (Noun.EXECUTIONS, "executions", "production: 4 came to RUNNING by the rollup, 2 by"),
    ],
)
def test_a_transition_that_no_event_tells_is_found(
    ledger: Ledger, noun: Noun, metric: str, told: str
) -> None:
    """The hour, the account and the state are named."""
    _change(
        ledger,
        f"UPDATE metrics_hourly SET count = 4 WHERE metric = '{metric}' AND count > 0"
        f" AND hour = '{NOON}' AND 'RUNNING' IN (dimensions->>'state', dimensions->>'status')",
    )
    failing = _failing(ledger, noun)
    assert list(failing) == ["transitions_recounted"]
    assert f"2026-03-02 12:00 {told}" in failing["transitions_recounted"]


def test_a_transition_that_was_never_counted_is_found(ledger: Ledger) -> None:
    """A job whose state was lost, though its events are there."""
    _change(ledger, "DELETE FROM metrics_hourly WHERE metric = 'job_transitions' AND count > 0")
    failing = _failing(ledger, Noun.JOBS)
    assert "0 came to FAILED by the rollup, 1 by the events" in " ".join(
        _checked(ledger, Noun.JOBS)["transitions_recounted"].wrong
    )
    assert "durations_complete" in failing


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE metrics_hourly SET min = -7 WHERE metric = 'job_ms' AND count > 0", "-7 ms"),
        ("DELETE FROM metrics_hourly WHERE metric = 'job_ms'", "job_ms has 0 durations"),
        ("DELETE FROM metrics_hourly WHERE metric = 'execution_ms'", "execution_ms has 0"),
        ("DELETE FROM metrics_hourly WHERE metric = 'instance_lifetime_ms'", "lifetime_ms has 0"),
    ],
)
def test_a_duration_below_zero_or_missing_is_found(
    ledger: Ledger, statement: str, told: str
) -> None:
    """Of jobs, executions and instances."""
    _change(ledger, statement)
    failing = {name: told for noun in Noun for name, told in _failing(ledger, noun).items()}
    assert list(failing) == ["durations_complete"]
    assert told in failing["durations_complete"]


@pytest.mark.parametrize(
    ("noun", "metric"),
    [
        (Noun.JOBS, "jobs_in_state"),
        (Noun.EXECUTIONS, "executions_running"),
        (Noun.INSTANCES, "instances_up"),
    ],
)
def test_a_level_that_jumps_between_hours_is_found(ledger: Ledger, noun: Noun, metric: str) -> None:
    """As when an hour was not computed anew though what it begins with changed."""
    _change(
        ledger,
        f"UPDATE metrics_hourly SET last = last + 2 WHERE metric = '{metric}'"
        f" AND hour = '{NOON}' AND values <> '{{}}'",
    )
    assert list(_failing(ledger, noun)) == ["levels_continuous"]
    wrong = _checked(ledger, noun)["levels_continuous"].wrong
    assert any(each.startswith(f"2026-03-02 13:00 {metric} of ") for each in wrong)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM rollups WHERE grain = 'hour' AND began = '{noon}'", "12:00 is behind: never"),
        ("UPDATE rollups SET partial = true WHERE began = '{noon}'", "computed only in part"),
        ("DELETE FROM rollups WHERE grain = 'day'", "the day is not put together"),
    ],
)
def test_an_hour_or_a_day_left_behind_is_found(ledger: Ledger, statement: str, told: str) -> None:
    """It is told what is the matter with it."""
    _change(ledger, statement.format(noon=NOON))
    found = _checked(ledger, Noun.JOBS, now=NOW + 2 * INTERVAL)["nothing_left_behind"]
    assert found.found
    assert told in found.sentence


def test_a_mark_is_behind_after_two_intervals(ledger: Ledger) -> None:
    """Before that the refresh has its time; the hour that now runs is nobody's fault."""
    with ledger.transaction() as tx:
        mark(tx, [(Noun.JOBS, Hours(NOON, NOON + 2 * HOUR))], NOW)
    assert _failing(ledger, Noun.JOBS, now=NOW + timedelta(minutes=29)) == {}
    failing = _failing(ledger, Noun.JOBS, now=NOW + timedelta(minutes=31))
    assert failing["nothing_left_behind"] == (
        "2026-03-02 12:00 is behind: marked and not computed since."
        " 2026-03-02 13:00 is behind: marked and not computed since."
    )


def test_hours_that_are_over_and_not_computed_are_behind(ledger: Ledger) -> None:
    """As when the schedule was turned off."""
    found = _checked(ledger, Noun.PLATFORM, now=LATER)["nothing_left_behind"]
    assert found.sentence == "2026-03-03 12:00 is behind: never computed."


def test_what_was_ingested_since_is_no_mistake(ledger: Ledger) -> None:
    """The hour is marked: it is the refresh's, and not the check's."""
    ingest(ledger, [*job("late", NOON), *run("later", NOON)], now=NOW)
    assert _failing(ledger, Noun.JOBS) == _failing(ledger, Noun.EXECUTIONS) == {}


def test_a_day_whose_events_were_dropped_is_not_counted_anew(ledger: Ledger) -> None:
    """Its rollups stay as they were."""
    _change(ledger, "DELETE FROM events")
    assert "transitions_recounted" in _failing(ledger, Noun.JOBS)
    _change(ledger, f"INSERT INTO dropped_days VALUES ('{NOON.date()}', '{NOW}')")
    assert _failing(ledger, Noun.JOBS) == {}


def test_of_much_that_is_wrong_some_is_shown(ledger: Ledger) -> None:
    """And how much more there is."""
    names = [each.name for each in METRICS.values() if each.noun is Noun.JOBS]
    _change(
        ledger,
        f"UPDATE metrics_hourly SET min = -1 WHERE metric = ANY(ARRAY{names!r})"
        " AND count > 0 AND values IS NOT NULL",
    )
    found = _checked(ledger, Noun.JOBS)["durations_complete"]
    assert found.found > 3
    assert found.sentence.endswith(f" And {found.found - 3} more.")


def test_nothing_to_check_passes(ledger: Ledger) -> None:
    """No hours, no mistakes."""
    found = check_metrics(ledger, Noun.JOBS, [], now=NOW, interval=INTERVAL)
    assert [each.found for each in found] == [0, 0, 0, 0]


@settings(
    max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data())
def test_the_checks_pass_whatever_happens(emptied_ledger: Ledger, data: st.DataObject) -> None:
    """In whatever order, however often, and whichever events were lost."""
    empty(emptied_ledger)
    for portion in data.draw(stories().flatmap(deliveries)):
        ingest(emptied_ledger, portion, now=END)
    roll_up_hours(emptied_ledger, Hours(BEGIN, END), prices=PRICES, now=END)
    for noun in Noun:
        hours = Hours(BEGIN, END)
        found = check_metrics(emptied_ledger, noun, hours, now=END, interval=INTERVAL)
        assert {each.check.name: each.wrong for each in found if each.found} == {}
