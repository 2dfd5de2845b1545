"""The blocks that messages are made of, and what they weigh together."""

from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.blocks import (
    HEADER_LIMIT,
    SECTION_LIMIT,
    context,
    header,
    moment,
    section,
    sections,
    texts,
    time_of_day,
    weight,
)
from ops_platform.embedded.slack_inbox.limits import aggregate, check_blocks
from ops_platform_tests.build import NOON


def test_a_moment_is_shown_in_the_readers_time_zone() -> None:
    """And in UTC where no client reads it."""
    assert moment(NOON) == (
        "<!date^1772452800^{date_short_pretty} {time_secs}|2 Mar 2026 12:00:00 UTC>"
    )
    assert time_of_day(NOON) == "<!date^1772452800^{time_secs}|12:00:00 UTC>"


def test_a_moment_that_slack_cannot_show_is_shown_in_utc() -> None:
    """It knows none before 1970."""
    assert moment(NOON.replace(year=1969)) == "2 Mar 1969 12:00:00 UTC"


def test_a_headline_is_cut_to_its_limit() -> None:
    """With a mark where it was cut."""
    assert header("a\n b")["text"]["text"] == "a b"
    assert header("x" * 151)["text"]["text"] == "x" * 149 + "…"
    assert len(header("🧨" * 151)["text"]["text"]) == HEADER_LIMIT


@given(st.lists(st.text(min_size=1, max_size=1200), max_size=20))
def test_lines_are_packed_into_paragraphs_in_their_order(lines: list[str]) -> None:
    """None is cut while each fits into one."""
    packed = [texts(block)[0] for block in sections(lines)]

    assert all(len(text) <= SECTION_LIMIT for text in packed)
    assert "\n".join(packed) == "\n".join(lines)


@given(st.lists(st.text(min_size=1, max_size=100), min_size=1, max_size=9))
def test_blocks_weigh_what_slack_says(words: list[str]) -> None:
    """By the formula that fits what was measured."""
    blocks = [header("x"), *map(section, words), *map(context, words)]

    assert weight(blocks) == aggregate(blocks)
    check_blocks(blocks)
