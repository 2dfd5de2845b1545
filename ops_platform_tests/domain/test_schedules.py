"""Whether a start was missed: by the schedule, what is watched, what ran and what the time is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.cron import Cron
from ops_platform.domain.schedules import (
    COUNTED,
    Missed,
    OnTime,
    Rate,
    Unreadable,
    judge,
    parse,
    quiet_since,
)

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def _schedule(expression: str) -> Cron | Rate:
    read = parse(expression)
    assert not isinstance(read, Unreadable), read
    return read


def _judge(
    expression: str, *, since: datetime, last_start: datetime | None, until: datetime
) -> Missed | OnTime:
    return judge(_schedule(expression), since=since, last_start=last_start, until=until)


@pytest.mark.parametrize(
    ("expression", "every"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(5 minutes)", timedelta(minutes=5)),
        ("rate(1 hour)", HOUR),
        ("rate(12 hours)", 12 * HOUR),
        ("rate(7 days)", 7 * DAY),
    ],
)
def test_a_rate_is_an_interval(expression: str, every: timedelta) -> None:
    """In minutes, hours or days."""
    assert parse(expression) == Rate(every)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "it is neither cron(…) nor rate(…)"),
        ("at(2026-03-02T00:00:00)", "it is neither cron(…) nor rate(…)"),
        ("0 0 * * ? *", "it is neither cron(…) nor rate(…)"),
        ("rate(0 minutes)", "a rate is a number of minutes, hours or days"),
        ("rate(5 seconds)", "a rate is a number of minutes, hours or days"),
        ("rate(9999999 days)", "a rate is a number of minutes, hours or days"),
        ("cron(0 0 * * * *)", "one of day of the month and day of the week has to be '?'"),
    ],
)
def test_an_expression_that_cannot_be_read_says_why(expression: str, reason: str) -> None:
    """The reason is a value, for whoever looks to be shown."""
    assert parse(expression) == Unreadable(reason)


@given(st.text(max_size=60) | st.from_regex(r"(cron|rate)\([0-9a-zA-Z*?/#, -]*\)", fullmatch=True))
def test_every_expression_is_read_or_refused(expression: str) -> None:
    """None makes a crash."""
    assert isinstance(parse(expression), Cron | Rate | Unreadable)


@pytest.mark.parametrize(
    ("expression", "since"),
    [
        ("cron(0 0 * * ? *)", MONDAY - timedelta(minutes=1)),
        ("cron(0 0 30 2 ? *)", None),
        ("rate(1 hour)", MONDAY - HOUR),
    ],
)
def test_one_start_is_enough_if_it_is_young_enough(expression: str, since: datetime | None) -> None:
    """So nobody has to look for older ones, unless there are none."""
    assert quiet_since(_schedule(expression), MONDAY + HOUR) == since


def test_a_start_that_did_not_come_is_missed() -> None:
    """The run of the day before does not help."""
    verdict = _judge(
        "cron(0 0 * * ? *)", since=MONDAY - 9 * DAY, last_start=MONDAY - DAY, until=MONDAY
    )

    assert verdict == Missed(expected=MONDAY, starts=1)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=50), timedelta(hours=9)])
def test_a_run_that_started_counts_however_late(late: timedelta) -> None:
    """It did run; when it should have is another matter."""
    verdict = _judge(
        "cron(0 0 * * ? *)",
        since=MONDAY - DAY,
        last_start=MONDAY + late,
        until=MONDAY + timedelta(hours=9),
    )

    assert verdict is OnTime.STARTED


@pytest.mark.parametrize(
    ("early", "verdict"),
    [(60, OnTime.STARTED), (61, Missed(MONDAY, 1))],
)
def test_clocks_may_differ_by_a_minute(early: int, verdict: Missed | OnTime) -> None:
    """What started a little before its time is that start."""
    start = MONDAY - timedelta(seconds=early)

    assert (
        _judge("cron(0 0 * * ? *)", since=MONDAY - DAY, last_start=start, until=MONDAY) == verdict
    )


@pytest.mark.parametrize("expression", ["cron(0 0 * * ? *)", "rate(1 day)"])
def test_what_was_due_before_we_watched_is_not_missed(expression: str) -> None:
    """Nobody knows whether the rule was there then."""
    verdict = _judge(expression, since=MONDAY, last_start=None, until=MONDAY + DAY - HOUR)

    assert verdict is OnTime.NOT_DUE


def test_an_expression_that_is_never_due_is_never_missed() -> None:
    """There is no 30th of February."""
    verdict = _judge("cron(0 0 30 2 ? *)", since=MONDAY - DAY, last_start=None, until=MONDAY)

    assert verdict is OnTime.NOT_DUE


def test_missed_starts_are_counted_since_the_last_run() -> None:
    """Those before it are history, and so are those before the schedule was watched."""
    hourly = "cron(0 * * * ? *)"
    run, since = MONDAY - 5 * HOUR, MONDAY - 3 * HOUR

    assert _judge(hourly, since=MONDAY - DAY, last_start=run, until=MONDAY) == Missed(MONDAY, 5)
    assert _judge(hourly, since=since, last_start=run, until=MONDAY) == Missed(MONDAY, 3)
    assert _judge(hourly, since=since, last_start=None, until=MONDAY) == Missed(MONDAY, 3)


def test_a_run_that_came_a_little_early_is_not_a_missed_start() -> None:
    """The count knows of differing clocks too."""
    run = MONDAY - 5 * HOUR - timedelta(seconds=30)

    verdict = _judge("cron(0 * * * ? *)", since=MONDAY - DAY, last_start=run, until=MONDAY)

    assert verdict == Missed(MONDAY, 5)


@pytest.mark.parametrize("expression", ["cron(* * * * ? *)", "rate(1 minute)"])
def test_counting_ends_somewhere(expression: str) -> None:
    """A flow that was due each minute for years is not counted to the end."""
    verdict = _judge(expression, since=MONDAY - 999 * DAY, last_start=None, until=MONDAY)

    assert isinstance(verdict, Missed)
    assert verdict.starts == COUNTED


@pytest.mark.parametrize(
    ("until", "verdict"),
    [
        (MONDAY + 2 * HOUR - timedelta(seconds=1), OnTime.STARTED),
        (MONDAY + 2 * HOUR, Missed(MONDAY + 2 * HOUR, 1)),
        (MONDAY + 4 * HOUR, Missed(MONDAY + 2 * HOUR, 3)),
    ],
)
def test_a_rate_is_missed_after_two_intervals_of_quiet(
    until: datetime, verdict: Missed | OnTime
) -> None:
    """Its phase is not known, so one interval proves nothing."""
    assert _judge("rate(1 hour)", since=MONDAY - DAY, last_start=MONDAY, until=until) == verdict


def test_a_rate_that_never_ran_is_missed_after_two_intervals_of_watching() -> None:
    """The same moment is named however late we look, so it stays one incident."""
    verdict = _judge("rate(1 hour)", since=MONDAY, last_start=None, until=MONDAY + DAY)

    assert verdict == Missed(MONDAY + 2 * HOUR, 23)
