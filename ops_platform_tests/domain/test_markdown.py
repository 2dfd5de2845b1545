"""Foreign text in Markdown stays text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.markdown import escape, table
from ops_platform_tests.nasty import texts

MARKUP = frozenset("!$()*+<=>[\\]^_`{|}~\n\r")


@given(text=st.text())
def test_nothing_that_marks_up_is_left(text: str) -> None:
    """Whatever a flow is called; ``#`` and ``&`` are those of the references."""
    assert MARKUP.isdisjoint(escape(text))


@given(text=texts)
def test_what_has_broken_other_messages_breaks_no_line(text: str) -> None:
    """One line, of bounded length, of printable characters."""
    shown = escape(text)
    assert MARKUP.isdisjoint(shown)
    assert not any(each in shown for each in "\x00\x1b\u202e\ud83d\n")
    assert len(shown) <= 120 * len("&#123;")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("TrainFlow", "TrainFlow"),
        ("a|b", "a&#124;b"),
        ("<img src=x>", "&#60;img src&#61;x&#62;"),
        ("&amp;", "&#38;amp;"),
        ("[here](http://x)", "&#91;here&#93;&#40;http:\N{WORD JOINER}//x&#41;"),
        ("www.x.com", "www\N{WORD JOINER}.x.com"),
        ("ana@x.com", "ana@\N{WORD JOINER}x.com"),
        (" two\n lines ", "two lines"),
    ],
)
def test_foreign_text_shows_as_it_is(text: str, shown: str) -> None:
    """By references to its characters; what would link is joined by what nobody sees."""
    assert escape(text) == shown


def test_a_table_puts_numbers_to_the_right() -> None:
    """The last columns are numbers."""
    assert table(["flow", "cost"], [["A", "$1"]], numbers=1) == (
        "| flow | cost |\n| --- | ---: |\n| A | $1 |"
    )
