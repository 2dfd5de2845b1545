"""Names as people write them: patterns, and slips."""

import pytest

from ops_platform.domain.names import is_account_id, matches, nearest, no_such_account
from ops_platform.domain.routes import Route, Severity
from ops_platform.domain.silences import Silence
from ops_platform_tests.build import NOON, an_incident

ODD = "a[b]?"


@pytest.mark.parametrize("pattern", [ODD, "a[*", "*]?", "*", "a*b*?", "a[b]*?"])
def test_the_asterisk_stands_for_any_characters(pattern: str) -> None:
    """Of a silence and of a route alike."""
    assert matches(ODD, pattern)
    assert _silence(pattern).mutes(an_incident(flow=ODD))
    assert Route(("#all",), flow=pattern).takes(an_incident(flow=ODD), Severity.CRITICAL)


@pytest.mark.parametrize("pattern", ["a??b??", "?????", "a[[]b]?", "A*", ""])
def test_nothing_else_stands_for_other_characters(pattern: str) -> None:
    """As it would in a shell."""
    assert not matches(ODD, pattern)
    assert not _silence(pattern).mutes(an_incident(flow=ODD))
    assert not Route(("#all",), flow=pattern).takes(an_incident(flow=ODD), Severity.CRITICAL)


@pytest.mark.parametrize("flow", ["ab", "abc", "axb]"])
def test_brackets_and_question_marks_match_themselves_only(flow: str) -> None:
    """A name that has some is nothing but that name."""
    assert not matches(flow, ODD)


@pytest.mark.parametrize(
    ("name", "near"),
    [("prod", "production"), ("stagging", "staging"), ("else", None), ("", None)],
)
def test_the_name_that_was_meant_is_found(name: str, near: str | None) -> None:
    """One that it begins, or one like it."""
    assert nearest(name, ["staging", "production"]) == near


def test_an_account_that_is_none_is_refused_with_those_that_are() -> None:
    """In one sentence."""
    sentence = no_such_account("sandbox", ["staging", "production"])

    assert sentence == "There is no account 'sandbox'; known are: production, staging."


def test_the_number_of_an_account_is_twelve_digits() -> None:
    """Of those that all keyboards have."""
    assert is_account_id("123456789012")
    assert not is_account_id("12345678901")
    assert not is_account_id("\N{ARABIC-INDIC DIGIT ONE}" * 12)


def _silence(flow: str) -> Silence:
    return Silence(
        id=1,
        account=None,
        project=None,
        flow=flow,
        owner=None,
        author="ana",
        reason="late",
        created_at=NOON,
        ends_at=NOON,
    )
