"""Hours and the days they make up."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.hours import DAY, HOUR, Hours, hour_of, of_day, within_days

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(days=-400), timedelta(days=400)).map(BEGIN.__add__)


@given(MOMENTS)
def test_a_moment_lies_in_one_hour_and_that_in_one_day(at: datetime) -> None:
    """Hours tile the day: no moment is in none, and none in two."""
    day = of_day(at.date())
    holding = [hour for hour in day if hour <= at < hour + HOUR]

    assert holding == [hour_of(at)]
    assert day.end - day.begin == DAY
    assert list(day) == [day.begin + number * HOUR for number in range(24)]


@given(st.sets(MOMENTS.map(hour_of), max_size=30))
def test_hours_are_computed_by_days_and_none_is_lost_or_added(hours: set[datetime]) -> None:
    """Neighbours together, and none with those of another day."""
    spans = within_days(hours)

    assert sorted(hour for span in spans for hour in span) == sorted(hours)
    assert all(len(set(span.days())) == 1 for span in spans)


def test_neighbours_of_a_day_are_one_span() -> None:
    """Midnight parts them."""
    evening = datetime(2026, 3, 1, 22, tzinfo=UTC)
    midnight = evening + timedelta(hours=2)

    assert within_days([evening, evening + HOUR, midnight]) == [
        Hours(evening, midnight),
        Hours(midnight, midnight + HOUR),
    ]
