"""Slack's text markup: put foreign text into a message so that it stays mere text.

Escape first, then clip, then wrap: ``escape`` takes foreign text, ``clip`` takes escaped text,
``code``, ``fence`` and ``link`` take foreign text and do it all.
"""

import re
from typing import Final
from urllib.parse import quote

_ELLIPSIS: Final = "…"
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LOOKALIKE_BACKTICK: Final = "\N{MODIFIER LETTER GRAVE ACCENT}"
_WORD_JOINER: Final = "\N{WORD JOINER}"

# Neither printed nor harmless: control characters, halves of surrogate pairs, and the marks that
# reverse the order in which a line is shown.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
# The colours of a terminal; without their first character, the rest would be printed.
_TERMINAL: Final = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]")
# Slack parses these without any brackets in a text object that is not `verbatim`, and in the
# text of an edit, where `parse` is not `none` by default. A longer word counts as well: clipped,
# @hereabouts would be one.
_BARE_MENTION: Final = re.compile(r"(?<!\w)@(?=channel|here|everyone|group)", re.IGNORECASE)
_SPECIAL: Final = re.compile("[&<>]")
_WHITESPACE: Final = re.compile(r"\s+")
_UNFINISHED: Final = re.compile(r"(?:&[a-z]{0,3}|<[^<>]*)\Z")
_WEB_ADDRESS: Final = re.compile(r"https?://[^\s]", re.IGNORECASE)
_USER_ID: Final = re.compile(r"[UW][A-Z0-9]{2,}\Z")
_GROUP_ID: Final = re.compile(r"S[A-Z0-9]{2,}\Z")


def escape(text: str) -> str:
    """Return foreign text that can neither mention, link, nor open or close code in Slack.

    A backtick becomes its look-alike, because Slack knows no escape for it.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    printable = _UNPRINTABLE.sub("", _TERMINAL.sub("", lines)).replace("`", _LOOKALIKE_BACKTICK)
    entities = _SPECIAL.sub(lambda found: _ENTITIES[found[0]], printable)
    return _BARE_MENTION.sub(f"@{_WORD_JOINER}", entities)


def clip(text: str, limit: int) -> str:
    """Return escaped text of at most ``limit`` characters, an ellipsis where it was cut.

    The cut never falls inside an entity such as ``&amp;`` or a link or mention.
    """
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    return _UNFINISHED.sub("", text[: limit - 1]) + _ELLIPSIS


def code(text: str, limit: int | None = None) -> str:
    """Return foreign text as inline code on one line, of at most ``limit`` characters."""
    inner = escape(_WHITESPACE.sub(" ", text)).strip()
    shown = inner if limit is None else clip(inner, limit - 2)
    return f"`{shown}`" if shown else ""


def fence(text: str, limit: int) -> str:
    """Return the last lines of foreign text as a block of code, as many as the limit has room for.

    Of a last line that is too long by itself, its beginning is shown.
    """
    lines = escape(text).strip("\n").split("\n")
    room, first = limit - 8, len(lines)
    while first and len(lines[first - 1]) <= room:
        first -= 1
        room -= len(lines[first]) + 1
    kept = lines[first:] or [clip(lines[-1], limit - 8)]
    shown = "\n".join(kept).strip("\n")
    return f"```\n{shown}\n```" if shown.strip() else ""


def link(url: str, label: str) -> str:
    """Return a link, or only the label if the address is not one of the web.

    Anything but http(s) is refused since ``<!channel|label>`` is a mention of everybody.
    """
    shown = escape(_WHITESPACE.sub(" ", label)).strip()
    printable = _UNPRINTABLE.sub("", url)
    if not _WEB_ADDRESS.match(printable):
        return shown
    # Percent-encoding keeps the characters that would end the address or start the label out.
    address = quote(printable, safe="!#$%&'()*+,-./:;=?@[]_~")
    target = address.replace("&", "&amp;")
    return f"<{target}|{shown}>" if shown else f"<{target}>"


def mention(member_id: str) -> str:
    """Return the mention of a user (``U…``, ``W…``) or a user group (``S…``) by its Slack id.

    Anything else is shown as text, so that a wrong setting pings nobody.
    """
    if _USER_ID.match(member_id):
        return f"<@{member_id}>"
    if _GROUP_ID.match(member_id):
        return f"<!subteam^{member_id}>"
    return escape(member_id)
