"""Slack's blocks, as far as our messages use them; their texts are markup made safe before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ops_platform.domain.mrkdwn import clip

Block = dict[str, Any]

HEADER_LIMIT: Final = 150
SECTION_LIMIT: Final = 3000
_DATE: Final = "{date_short_pretty} {time_secs}"


def header(text: str) -> Block:
    """Return a headline of plain text, in which nothing is markup; foreign text is welcome."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    plain = line if len(line) <= HEADER_LIMIT else line[: HEADER_LIMIT - 1] + "…"
    return {"type": "header", "text": {"type": "plain_text", "text": plain, "emoji": False}}


def section(text: str) -> Block:
    """Return a paragraph."""
    return {"type": "section", "text": _mrkdwn(clip(text, SECTION_LIMIT))}


def fields(facts: Sequence[tuple[str, str]]) -> Block:
    """Return up to ten facts in two columns, each by its name."""
    return {"type": "section", "fields": [_mrkdwn(f"*{name}*\n{value}") for name, value in facts]}


def context(text: str) -> Block:
    """Return a line of small print."""
    return {"type": "context", "elements": [_mrkdwn(text)]}


def moment(at: datetime, tokens: str = _DATE) -> str:
    """Return a moment as the reader's Slack shows it, in UTC where it cannot."""
    shown = f"{at:%F %T}Z"
    seconds = int(at.timestamp())
    return shown if seconds < 0 else f"<!date^{seconds}^{tokens}|{shown}>"


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}
