"""What somebody asks for in a comment on a pull request: an exact grammar, a few slips forgiven.

A comment is a command if it is one line that begins with a command's words and holds nothing but
its arguments; upper case and backticks around it do not matter. Whatever is nearly one is answered,
and all else is somebody talking to somebody else.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_LONGEST = 300
# A sentence that goes on after a command's words is none.
_MOST_ARGUMENTS = 3
_ALIKE = 0.85
_FLOW = re.compile(r"[A-Za-z_][\w./-]{0,199}")
CANARY = "--canary"


class Verb(StrEnum):
    """What can be asked for, in the words that it is asked with."""

    CHECK = "run sanity checks"
    PROMOTE = "productionize flow"
    ROLL_BACK = "roll back flow"
    UNLOCK = "unlock flow"
    STATUS = "soteria status"
    HELP = "soteria help"

    @property
    def usage(self) -> str:
        """How it is written."""
        if self in {Verb.STATUS, Verb.HELP}:
            return str(self)
        return f"{self} [FLOW] [{CANARY}]" if self is Verb.PROMOTE else f"{self} [FLOW]"


@dataclass(frozen=True, slots=True)
class Command:
    """A command; without a flow, each one that the pull request touches is meant."""

    verb: Verb
    flow: str | None = None
    canary: bool = False

    def __str__(self) -> str:
        """Return it as it is written."""
        return " ".join(filter(None, (self.verb, self.flow, CANARY if self.canary else "")))


@dataclass(frozen=True, slots=True)
class Slip:
    """Nearly a command: which one was meant, and what is wrong with it."""

    meant: Verb
    why: str


def parse(comment: str) -> Command | Slip | None:
    """Return what a comment asks for; None if it asks for nothing."""
    line = comment.strip().strip("`").strip()
    if not line or line.startswith(">") or "\n" in line or len(line) > _LONGEST:
        return None
    words = line.split()
    for verb in Verb:
        named = verb.split()
        if [word.lower() for word in words[: len(named)]] == named:
            return _with_arguments(verb, words[len(named) :])
    return next(_slips(words), None)


def _with_arguments(verb: Verb, given: Sequence[str]) -> Command | Slip | None:
    if len(given) > _MOST_ARGUMENTS:
        return None
    flows = [word for word in given if not word.startswith("-")]
    options = [word.lower() for word in given if word.startswith("-")]
    if odd := [option for option in options if option != CANARY or verb is not Verb.PROMOTE]:
        return Slip(verb, f"It knows no {odd[0][:40]}.")
    if verb in {Verb.STATUS, Verb.HELP} and flows:
        return Slip(verb, "It takes nothing more.")
    if len(flows) > 1:
        return Slip(verb, "It takes one flow at a time.")
    if flows and not _FLOW.fullmatch(flows[0].strip("`")):
        return Slip(verb, "This is no name of a flow, nor the path of its file.")
    return Command(verb, flows[0].strip("`") if flows else None, canary=bool(options))


def _slips(words: Sequence[str]) -> Iterator[Slip]:
    """Yield the commands that the words may have been meant for, as ``rollback flow``."""
    for verb in Verb:
        named = verb.split()
        for count in (len(named), len(named) - 1, len(named) + 1):
            begun = words[:count]
            arguments = len(words) - len(begun)
            if arguments <= _MOST_ARGUMENTS and _alike("".join(begun).lower(), "".join(named)):
                yield Slip(verb, "It is not written so.")


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(a=one, b=other, autojunk=False).ratio() >= _ALIKE
