"""Markdown as Dagster renders it (GitHub's kind): foreign text put into it stays mere text."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_WORD_JOINER: Final = "\N{WORD JOINER}"
# Control characters, halves of surrogate pairs, and marks that reverse the order of a line.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_WHITESPACE: Final = re.compile(r"\s+")
# A character reference is text wherever it stands, also in a table's cell, of which a bare pipe
# would be the end.
_MARKUP: Final = re.compile(r"[!#$&()*+<=>\[\\\]^_`{|}~]")
# These become links even when they are written as character references.
_LINKS: Final = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)
_LONGEST: Final = 120


def escape(text: str, *, longest: int = _LONGEST) -> str:
    """Return foreign text on one line that shows as it is, and neither marks up nor links."""
    line = _WHITESPACE.sub(" ", _UNPRINTABLE.sub("", text)).strip()
    short = line if len(line) <= longest else f"{line[: longest - 1]}…"
    joined = _LINKS.sub(_WORD_JOINER, short)
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", joined)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """Return a table of cells that are escaped; the last ``numbers`` columns stand to the right."""
    words = len(columns) - numbers
    ruler = ["---"] * words + ["---:"] * numbers
    return "\n".join(map(_line, [columns, ruler, *rows]))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
