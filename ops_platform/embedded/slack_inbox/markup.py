"""Slack's text markup as HTML. Every character that came from outside is escaped on the way."""

import html
import re
from collections.abc import Mapping
from typing import Final

from ops_platform.embedded.slack_inbox.emoji import EMOJI

# In the order in which Slack reads them: code first, since nothing inside it is markup.
_TOKENS: Final = re.compile(
    r"```(?P<fence>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<entity>[^<>\n]+)>"
    r"|:(?P<emoji>[a-z0-9_+'-]+):"
    r"|(?P<bare>https?://[^\s<>|]+)",
    re.DOTALL,
)
_STYLES: Final = tuple(
    # Not inside a word: 2*3*4 and snake_case stay as they are.
    (re.compile(rf"(?<![^\W_])(?<!\{m})\{m}(?=\S)([^{m}\n]+?)(?<=\S)\{m}(?![^\W_]|\{m})"), tag)
    for m, tag in (("*", "strong"), ("_", "em"), ("~", "del"))
)
_QUOTE: Final = re.compile(r"(?m)((?:^&gt; ?.*(?:\n|\Z))+)")
_WEB: Final = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
_EVERYBODY: Final = frozenset({"channel", "here", "everyone"})
# Pieces already rendered stand aside as these while styles are applied around them.
_MARK: Final = "\ue000{}\ue001"
_MARKS: Final = re.compile("\ue000(\\d+)\ue001")
_PRIVATE: Final = re.compile("[\ue000\ue001]")


def mrkdwn(text: str, names: Mapping[str, str]) -> str:
    """Return the HTML of a text in Slack's markup; ``names`` has users and channels by id."""
    pieces: list[str] = []

    def aside(match: re.Match[str]) -> str:
        pieces.append(_piece(match, names))
        return _MARK.format(len(pieces) - 1)

    kept = _TOKENS.sub(aside, _PRIVATE.sub("", text))
    styled = _style(_text(kept))
    return _MARKS.sub(lambda mark: pieces[int(mark[1])], styled)


def plain(text: str) -> str:
    """Return the HTML of a text in which nothing but emoji is markup."""
    return re.sub(r":([a-z0-9_+'-]+):", _emoji_name, _text(text))


def link(url: str, label: str, css: str = "") -> str:
    """Return the HTML of a link, or of its label alone if the address is not of the web."""
    if not _WEB.match(url):
        return label
    kind = f' class="{css}"' if css else ""
    address = html.escape(url)
    return f'<a{kind} href="{address}" rel="noopener noreferrer" target="_blank">{label}</a>'


def _style(escaped: str) -> str:
    for pattern, tag in _STYLES:
        escaped = pattern.sub(rf"<{tag}>\1</{tag}>", escaped)
    return _QUOTE.sub(_quoted, escaped).replace("\n", "<br>")


def _quoted(match: re.Match[str]) -> str:
    lines = [line.removeprefix("&gt;").strip() for line in match[0].splitlines()]
    return f"<blockquote>{'<br>'.join(lines)}</blockquote>"


def _piece(match: re.Match[str], names: Mapping[str, str]) -> str:
    kind, value = match.lastgroup, match[match.lastgroup or 0]
    if kind == "fence":
        return f"<pre>{_text(value.strip(chr(10)))}</pre>"
    if kind == "code":
        return f"<code>{_text(value)}</code>"
    if kind == "entity":
        return _entity(value, names)
    if kind == "bare":
        return link(_resolved(value), _text(value))
    return _emoji(value)


def _entity(value: str, names: Mapping[str, str]) -> str:
    target, _, label = value.partition("|")
    if target.startswith("@"):
        return _mention(f"@{names.get(target[1:], label or target[1:])}", target[1:] in names)
    if target.startswith("#"):
        return _mention(f"#{names.get(target[1:], label or target[1:])}", target[1:] in names)
    if target.startswith("!date^"):  # a client writes it in its reader's zone; this page in UTC
        return _text(label)
    if target.startswith("!"):
        name = target[1:].partition("^")[0]
        return _mention(f"@{label.lstrip('@') or name}", name in _EVERYBODY)
    return link(_resolved(target), _text(label or target))


def _mention(shown: str, real: bool) -> str:  # noqa: FBT001 - private, and read at a glance
    css = "mention" if real else "mention unknown"
    return f'<span class="{css}">{_text(shown)}</span>'


def _emoji(name: str) -> str:
    return EMOJI.get(name) or html.escape(f":{name}:")


def _emoji_name(match: re.Match[str]) -> str:
    return _emoji(match[1])


def _text(value: str) -> str:
    return html.escape(_resolved(value))


def _resolved(value: str) -> str:
    """Return text with Slack's three entities resolved, and no other."""
    return value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
