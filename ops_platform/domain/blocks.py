"""Slack's blocks, as far as our messages use them; their texts are markup made safe before.

Beside the limits of each block Slack has one for all of them together, which it does not document:
their characters, and 125 for each block. ``MOST`` stays well below what it was measured to be.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from ops_platform.domain.mrkdwn import clip

Block = dict[str, Any]

MOST: Final = 12_000
PER_BLOCK: Final = 125
HEADER_LIMIT: Final = 150
SECTION_LIMIT: Final = 3000


def header(text: str) -> Block:
    """Return a headline of plain text, in which nothing is markup; foreign text is welcome."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    plain = line if len(line) <= HEADER_LIMIT else line[: HEADER_LIMIT - 1] + "…"
    return {"type": "header", "text": {"type": "plain_text", "text": plain, "emoji": False}}


def section(text: str) -> Block:
    """Return a paragraph."""
    return {"type": "section", "text": _mrkdwn(clip(text, SECTION_LIMIT))}


def sections(lines: Iterable[str]) -> list[Block]:
    """Return lines in as few paragraphs as hold them."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= SECTION_LIMIT:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return list(map(section, texts))


def context(text: str) -> Block:
    """Return a line of small print."""
    return {"type": "context", "elements": [_mrkdwn(text)]}


def moment(at: datetime) -> str:
    """Return a moment as the reader's Slack shows it, in UTC where it cannot."""
    return _dated(at, "{date_short_pretty} {time_secs}", f"{at.day} {at:%b %Y %T} UTC")


def time_of_day(at: datetime) -> str:
    """Return a moment without its day."""
    return _dated(at, "{time_secs}", f"{at:%T} UTC")


def _dated(at: datetime, tokens: str, otherwise: str) -> str:
    seconds = int(at.timestamp())
    return f"<!date^{seconds}^{tokens}|{otherwise}>" if seconds >= 0 else otherwise


def weight(blocks: Iterable[Block]) -> int:
    """Return what blocks weigh against the limit for all of them together."""
    return sum(PER_BLOCK + sum(map(len, texts(block))) for block in blocks)


def texts(block: Block) -> list[str]:
    """Return the texts of a block, in their order."""
    parts = [block.get("text"), *block.get("elements", ())]
    return [part["text"] for part in parts if part]


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}
