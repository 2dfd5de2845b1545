"""Periods in whole hours and days, and what of them is missing."""

from datetime import UTC, datetime, timedelta, timezone

import click
import pytest

from ops_platform.cli.period import Period, days_of, hours_of, say_missing, written
from ops_platform.domain.hours import DAY, HOUR, Hours

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
TEN = NOW.replace(hour=10, minute=0)
MIDNIGHT = NOW.replace(hour=0, minute=0)
INDIA = timezone(timedelta(hours=5, minutes=30))


def _asked(since: datetime | None = None, until: datetime | None = None) -> Period:
    return {"since": since, "until": until}


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        pytest.param(_asked(), 13 - 24, 13, id="the last 24, the one that runs included"),
        pytest.param(_asked(TEN, TEN + HOUR), 10, 11, id="whole hours"),
        pytest.param(_asked(TEN + HOUR / 2, TEN + HOUR), 10, 11, id="down"),
        pytest.param(_asked(TEN, TEN + HOUR / 2), 10, 11, id="up"),
        pytest.param(_asked(TEN), 10, 13, id="until now"),
        pytest.param(_asked(until=TEN), 10 - 24, 10, id="a day until then"),
        pytest.param(_asked(TEN, TEN + 90 * DAY), 10, 13, id="no further than now"),
        pytest.param(_asked(TEN.astimezone(INDIA), TEN.astimezone(INDIA) + HOUR), 10, 11, id="UTC"),
    ],
)
def test_a_period_is_of_whole_hours(asked: Period, begin: int, end: int) -> None:
    """The first is begun before, the last is ended."""
    assert hours_of(asked, NOW) == Hours(MIDNIGHT + begin * HOUR, MIDNIGHT + end * HOUR)


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        pytest.param(_asked(), -7, 0, id="the last week"),
        pytest.param(_asked(TEN - 2 * DAY, TEN - DAY), -2, 0, id="from day to day"),
        pytest.param(_asked(MIDNIGHT - 2 * DAY, MIDNIGHT - DAY), -2, -1, id="a whole day"),
        pytest.param(_asked(TEN - DAY, NOW + 9 * DAY), -1, 0, id="today is not over"),
        pytest.param(_asked(until=MIDNIGHT - DAY), -8, -1, id="a week until then"),
    ],
)
def test_a_period_of_days_is_of_those_that_are_over(asked: Period, begin: int, end: int) -> None:
    """What is not over cannot be shown."""
    assert days_of(asked, NOW) == Hours(MIDNIGHT + begin * DAY, MIDNIGHT + end * DAY)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (_asked(TEN, TEN), "no hour that has begun from 2026-03-0"),
        (_asked(TEN, TEN - HOUR), "--to is before --from"),
        (_asked(NOW + DAY, NOW + 2 * DAY), "--from is still to come; it is 2026-03-"),
    ],
)
def test_a_period_of_nothing_is_refused(asked: Period, sentence: str) -> None:
    """With what is wrong about it, by hours and by days."""
    for period in (hours_of, days_of):
        with pytest.raises(click.UsageError, match=sentence if period is hours_of else "."):
            period(asked, NOW)


def test_many_gaps_are_named_in_part(capsys: pytest.CaptureFixture[str]) -> None:
    """The command covers them all."""
    asked = Hours(MIDNIGHT, MIDNIGHT + DAY)

    say_missing([MIDNIGHT + number * HOUR for number in range(0, 24, 2)], HOUR, asked)

    told = capsys.readouterr().err
    assert told.startswith("Not all of it is computed. 12 hours missing: 2026-03-02T00:00:00Z to")
    assert told.count(" to 2026") == 5
    assert "T09:00:00Z, and others.\n" in told
    assert told.endswith("--from 2026-03-02T00:00:00Z --to 2026-03-02T23:00:00Z\n")


def test_neighbours_are_one_gap(capsys: pytest.CaptureFixture[str]) -> None:
    """Across midnight, too; and without any nothing is said."""
    asked = Hours(MIDNIGHT - HOUR, MIDNIGHT + HOUR)

    say_missing(set(asked), HOUR, asked)
    say_missing(set(), HOUR, asked)

    span = "2026-03-01T23:00:00Z to 2026-03-02T01:00:00Z"
    told = capsys.readouterr().err
    assert told.startswith(f"None of it is computed. 2 hours missing: {span}.\n")
    assert told.count("\n") == 2


def test_times_are_written_in_utc() -> None:
    """Whatever offset they have."""
    assert written(TEN.astimezone(INDIA)) == "2026-03-02T10:00:00Z"
    assert written(TEN.date()) == "2026-03-02"
