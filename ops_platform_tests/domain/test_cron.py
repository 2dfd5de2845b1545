"""When EventBridge's cron expressions are due: by its own examples, and by brute force."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ops_platform.domain.cron import CronSyntaxError, parse_cron
from ops_platform_tests.domain.cron_by_hand import last_due_by_hand

YEARS = 5


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# 2026-03-02 is a Monday.
@pytest.mark.parametrize(
    ("fields", "before", "due"),
    [
        # The examples of EventBridge's user guide.
        ("0 10 * * ? *", "2026-03-02 09:59", "2026-03-01 10:00"),
        ("15 12 * * ? *", "2026-03-02 12:15", "2026-03-02 12:15"),
        ("0 18 ? * MON-FRI *", "2026-03-02 17:59", "2026-02-27 18:00"),
        ("0 8 1 * ? *", "2026-03-01 07:59", "2026-02-01 08:00"),
        ("0/15 * * * ? *", "2026-03-02 09:14", "2026-03-02 09:00"),
        ("0/10 * ? * MON-FRI *", "2026-03-02 00:00", "2026-03-02 00:00"),
        ("0/5 8-17 ? * MON-FRI *", "2026-03-02 07:00", "2026-02-27 17:55"),
        ("0/30 20-2 ? * MON-FRI *", "2026-03-03 19:00", "2026-03-03 02:30"),
        ("1/10 * * * ? *", "2026-03-02 09:20", "2026-03-02 09:11"),
        ("0 0 ? * 3#2 *", "2026-03-31 00:00", "2026-03-10 00:00"),
        ("0 0 3W * ? *", "2026-05-31 00:00", "2026-05-04 00:00"),
        # What Metaflow's @schedule writes for hourly, daily and weekly.
        ("0 * * * ? *", "2026-03-02 09:59", "2026-03-02 09:00"),
        ("0 0 * * ? *", "2026-03-02 09:00", "2026-03-02 00:00"),
        ("0 0 ? * SUN *", "2026-03-02 09:00", "2026-03-01 00:00"),
        # Days that not every month has, and those at its ends.
        ("0 0 L * ? *", "2026-03-30 00:00", "2026-02-28 00:00"),
        ("0 0 LW * ? *", "2026-03-30 00:00", "2026-02-27 00:00"),
        ("0 0 1W * ? *", "2026-08-31 00:00", "2026-08-03 00:00"),
        ("0 0 31W * ? *", "2026-06-30 00:00", "2026-05-29 00:00"),
        ("0 0 31 * ? *", "2026-06-30 00:00", "2026-05-31 00:00"),
        ("0 0 29 2 ? *", "2026-03-02 00:00", "2024-02-29 00:00"),
        ("0 0 ? * 5L *", "2026-03-25 00:00", "2026-02-26 00:00"),
        ("0 0 ? * FRIL *", "2026-03-26 00:00", "2026-02-27 00:00"),
        ("0 0 ? * L *", "2026-03-02 00:00", "2026-02-28 00:00"),
        ("0 0 ? * TUE#5 *", "2026-03-02 00:00", "2025-12-30 00:00"),
        ("0 0 ? * FRI-MON *", "2026-03-05 00:00", "2026-03-02 00:00"),
        ("0 0 1,15 JAN,jul-sep ? 2020-2025", "2026-03-02 00:00", "2025-09-15 00:00"),
        ("59 23 31 12 ? 1999", "2026-03-02 00:00", "1999-12-31 23:59"),
    ],
)
def test_the_last_time_that_was_due(fields: str, before: str, due: str) -> None:
    """Known answers, the user guide's examples first."""
    assert parse_cron(fields).last_due(_at(before)) == _at(due)


@pytest.mark.parametrize("fields", ["0 0 30 2 ? *", "0 0 1 1 ? 2199", "0 0 ? 2 SUN#5 2026"])
def test_what_was_never_due_has_no_last_time(fields: str) -> None:
    """The search ends all the same."""
    assert parse_cron(fields).last_due(_at("2026-03-02 00:00")) is None


def test_seconds_do_not_matter_but_the_time_zone_does() -> None:
    """EventBridge counts in UTC, whatever the clock that asks."""
    before = datetime.fromisoformat("2026-03-02T01:30:59.9+02:00")

    assert parse_cron("30 23 * * ? *").last_due(before) == _at("2026-03-01 23:30")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("0 0 * * *", "it has 5 fields, not 6"),
        ("", "it has 0 fields, not 6"),
        ("0 0 * * * *", "one of day of the month and day of the week has to be '?'"),
        ("0 0 ? * ? *", "one of day of the month and day of the week has to be '?'"),
        ("60 0 * * ? *", "'60' is no minute"),
        ("0 24 * * ? *", "'24' is no hour"),
        ("0 0 0 * ? *", "'0' is no day of the month"),
        ("0 0 32W * ? *", "'32' is no day of the month"),
        ("0 0 * 13 ? *", "'13' is no month"),
        ("0 0 ? * 0 *", "'0' is no day of the week"),
        ("0 0 ? * 8L *", "'8' is no day of the week"),
        ("0 0 ? * MON#6 *", "'MON#6' is no day of the week"),
        ("0 0 ? * MONDAY *", "'MONDAY' is no day of the week"),
        ("0 0 * * ? 1969", "'1969' is no year"),
        ("*/0 0 * * ? *", "'*/0' is no minute"),
        ("1,,2 0 * * ? *", "'' is no minute"),
        ("-5 0 * * ? *", "'-5' is no minute"),
        ("L 0 * * ? *", "'L' is no minute"),
        ("٣ 0 * * ? *", "'٣' is no minute"),
        ("99999 0 * * ? *", "'99999' is no minute"),
        ("0/99999 0 * * ? *", "'0/99999' is no minute"),
    ],
)
def test_what_eventbridge_does_not_take_is_named(fields: str, problem: str) -> None:
    """The error says which field is wrong."""
    with pytest.raises(CronSyntaxError) as raised:
        parse_cron(fields)

    assert str(raised.value) == problem


def _field(low: int, high: int, names: str = "") -> st.SearchStrategy[str]:
    value = st.integers(low, high).map(str)
    if names:
        value |= st.sampled_from(names.split())
    step = st.integers(1, 30).map(lambda number: f"/{number}")
    through = st.tuples(value, value).map("-".join)
    item = st.tuples(st.just("*") | value | through, st.just("") | step).map("".join)
    return st.lists(item, min_size=1, max_size=3).map(",".join)


_WEEKDAYS = "SUN MON TUE WED THU FRI SAT"
_weekday = st.integers(1, 7).map(str) | st.sampled_from(_WEEKDAYS.split())
_days_of_month = (
    _field(1, 31)
    | st.sampled_from(["L", "LW", "*"])
    | st.integers(1, 31).map(lambda day: f"{day}W")
)
_days_of_week = (
    _field(1, 7, _WEEKDAYS)
    | st.just("L")
    | _weekday.map(lambda day: f"{day}L")
    | st.tuples(_weekday, st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}")
)
_days = _days_of_month.map(lambda days: (days, "?")) | _days_of_week.map(lambda days: ("?", days))


_month = _field(1, 12, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
_expressions = st.tuples(
    _field(0, 59),
    _field(0, 23),
    _days,
    st.just("*") | _month,
    st.just("*") | st.integers(2020, 2028).map(str),
).map(lambda parts: " ".join([*parts[:2], parts[2][0], parts[3], parts[2][1], parts[4]]))
_moments = st.integers(0, 7 * 365 * 24 * 60).map(
    lambda minutes: _at("2022-01-01 00:00") + timedelta(minutes=minutes)
)


@given(fields=_expressions, before=_moments)
@example("0 0 31W * ? *", _at("2026-01-31 23:59"))
@example("0 0 ? 2 SUN#5 *", _at("2026-03-01 23:59"))
def test_it_is_what_a_walk_back_by_the_minute_finds(fields: str, before: datetime) -> None:
    """For any expression and any time, up to the years that the walk goes."""
    found = last_due_by_hand(fields, before, days=365 * YEARS)

    due = parse_cron(fields).last_due(before)

    if found is None:
        assume(due is None or (before - due).days < 365 * YEARS)
    assert due == found


@given(st.text(max_size=40) | st.text(alphabet="0123456789*/-,?LW# ", max_size=20))
def test_no_text_does_worse_than_a_named_problem(text: str) -> None:
    """Whatever a rule holds, it is read or refused."""
    with suppress(CronSyntaxError):
        parse_cron(text).last_due(_at("2026-03-02 00:00"))
