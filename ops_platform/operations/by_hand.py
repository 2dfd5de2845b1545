"""What an operator does by hand: by whose word and why, and what came of each thing asked for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ops_platform.domain.errors import PlatformError

LONGEST_WORD = 500


class RefusedError(PlatformError):
    """It was not done; the text says why not, and what would help."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one of the things that were asked for."""

    id: str
    done: bool
    text: str


def signed(who: str, why: str) -> str:
    """Return by whose word something is done and why, as it is recorded.

    Raises:
        RefusedError: It does not say who or why.
    """
    return f"{author(who)}: {reason(why)}"


def author(who: str) -> str:
    """Return who does something by hand, or refuse if nobody does."""
    return _said(who, "say who you are, such as ana@example.com")


def reason(why: str) -> str:
    """Return why something is done by hand, or refuse if it is not said."""
    return _said(why, "say why, in a few words that a colleague understands")


def attempt_each(ids: Iterable[str], act: Callable[[str], str]) -> list[Outcome]:
    """Do something to each of many, and tell what came of it; one refused stops no other.

    Raises:
        RefusedError: There is none.
    """
    outcomes = []
    for each in dict.fromkeys(ids):
        try:
            outcomes.append(Outcome(each, done=True, text=act(each)))
        except RefusedError as refusal:
            outcomes.append(Outcome(each, done=False, text=str(refusal)))
    if not outcomes:
        raise RefusedError("Nothing is named: give at least one.")
    return outcomes


def _said(text: str, otherwise: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise RefusedError(f"This is recorded for others to read: {otherwise}.")
    if len(words) > LONGEST_WORD:
        raise RefusedError(f"This is more than {LONGEST_WORD} characters: {otherwise}.")
    return words
