"""Numbers, lengths of time and days read as people say them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.words import counted, day, duration, listed, ordinal, roughly


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 jobs"), (1, "1 job"), (2, "2 jobs"), (10_000, "10,000 jobs")]
)
def test_a_number_has_its_word(number: int, words: str) -> None:
    """In the singular for one alone."""
    assert counted(number, "job", "jobs") == words


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (10, "10th"), (11, "11th"), (12, "12th"),
        (13, "13th"), (21, "21st"), (22, "22nd"), (101, "101st"), (111, "111th"), (1003, "1,003rd"),
    ],
)  # fmt: skip
def test_ordinals(number: int, word: str) -> None:
    """The teens are all th."""
    assert ordinal(number) == word


@pytest.mark.parametrize(
    ("length", "exact", "rough"),
    [
        ({"seconds": -5}, "0 s", "0 s"),
        ({"seconds": 0.9}, "0 s", "0 s"),
        ({"seconds": 31}, "31 s", "31 s"),
        ({"minutes": 3, "seconds": 4}, "3 min 4 s", "3 min"),
        ({"hours": 1}, "1 h", "1 h"),
        ({"hours": 1, "seconds": 30}, "1 h", "1 h"),
        ({"hours": 23, "minutes": 59, "seconds": 59}, "23 h 59 min", "23 h"),
        ({"days": 1}, "1 day", "1 day"),
        ({"days": 2, "hours": 3, "minutes": 4}, "2 days 3 h", "2 days"),
        ({"days": 1234}, "1,234 days", "1,234 days"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(
    length: dict[str, float], exact: str, rough: str
) -> None:
    """The largest, and the next one."""
    assert duration(timedelta(**length)) == exact
    assert roughly(timedelta(**length)) == rough


@given(st.timedeltas(min_value=timedelta(0)))
def test_a_duration_begins_with_the_rough_one(length: timedelta) -> None:
    """So that both can stand in one message."""
    assert duration(length).startswith(roughly(length))


def test_a_day_of_another_year_has_its_year() -> None:
    """One of this year has none."""
    now = datetime(2026, 3, 2, tzinfo=UTC)

    assert day(datetime(2026, 3, 1, tzinfo=UTC), now) == "1 Mar"
    assert day(datetime(2025, 12, 31, tzinfo=UTC), now) == "31 Dec 2025"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d"], "a, b and 2 more"),
    ],
)
def test_names_are_listed_as_a_sentence_has_them(names: list[str], expected: str) -> None:
    """The first few, and how many more."""
    assert listed(names, most=2 if len(names) > 3 else 3) == expected
