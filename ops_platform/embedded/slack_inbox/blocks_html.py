"""Block Kit as HTML."""

import html
import re
from collections.abc import Callable, Mapping
from typing import Final

from ops_platform.embedded.slack_inbox.markup import link, mrkdwn, plain
from ops_platform.embedded.slack_inbox.values import Json

Names = Mapping[str, str]

_HEX_COLOUR: Final = re.compile(r"#?([0-9a-fA-F]{6})\Z")
_NAMED_COLOURS: Final = {"good": "2eb67d", "warning": "ecb22e", "danger": "e01e5a"}


def blocks(values: list[Json], names: Names) -> str:
    """Return the HTML of a message's blocks."""
    return "".join(_block(value, names) for value in values if isinstance(value, dict))


def attachments(values: list[Json], names: Names) -> str:
    """Return the HTML of a message's attachments, each with its colour bar."""
    return "".join(_attachment(value, names) for value in values if isinstance(value, dict))


def _block(block: dict[str, Json], names: Names) -> str:
    render = _BLOCKS.get(str(block.get("type")))
    if render is None:
        return f'<div class="unknown">[{html.escape(str(block.get("type")))}]</div>'
    return render(block, names)


def _section(block: dict[str, Json], names: Names) -> str:
    text = f"<div>{_text(block['text'], names)}</div>" if "text" in block else ""
    fields = "".join(f"<div>{_text(field, names)}</div>" for field in block.get("fields", ()))
    grid = f'<div class="fields">{fields}</div>' if fields else ""
    beside = _element(block["accessory"], names) if "accessory" in block else ""
    side = f'<div class="accessory">{beside}</div>' if beside else ""
    return f'<div class="section"><div>{text}{grid}</div>{side}</div>'


def _header(block: dict[str, Json], names: Names) -> str:
    return f"<h3>{_text(block.get('text'), names)}</h3>"


def _context(block: dict[str, Json], names: Names) -> str:
    parts = (f"<span>{_element(one, names)}</span>" for one in block.get("elements", ()))
    return f'<div class="context">{"".join(parts)}</div>'


def _actions(block: dict[str, Json], names: Names) -> str:
    buttons = (_element(one, names) for one in block.get("elements", ()))
    return f'<div class="actions">{"".join(buttons)}</div>'


def _divider(_block: dict[str, Json], _names: Names) -> str:
    return "<hr>"


def _markdown(block: dict[str, Json], names: Names) -> str:
    return f"<div>{mrkdwn(str(block.get('text', '')), names)}</div>"


def _image(block: dict[str, Json], _names: Names) -> str:
    # Never fetched: the page asks nothing of any other server.
    return link(str(block.get("image_url", "")), html.escape(f"🖼 {block.get('alt_text', '')}"))


_BLOCKS: Final[dict[str, Callable[[dict[str, Json], Names], str]]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
    "markdown": _markdown,
    "image": _image,
}


def _element(element: Json, names: Names) -> str:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind == "button":
        return _button(element, names)
    if kind == "image":
        return _image(element, names)
    return _text(element, names)


def _button(button: dict[str, Json], names: Names) -> str:
    style = button.get("style")
    css = f"button {style}" if style in ("primary", "danger") else "button"
    label = _text(button.get("text"), names)
    shown = link(str(button.get("url", "")), label, css)
    return shown if shown != label else f'<span class="{css}">{label}</span>'


def _text(value: Json, names: Names) -> str:
    if not isinstance(value, dict):
        return ""
    text = str(value.get("text", ""))
    return mrkdwn(text, names) if value.get("type") == "mrkdwn" else plain(text)


def _attachment(value: dict[str, Json], names: Names) -> str:
    title = mrkdwn(str(value.get("title", "")), names)
    text = mrkdwn(str(value.get("text", "")), names)
    nested = value.get("blocks")
    inner = blocks(nested, names) if isinstance(nested, list) else ""
    body = f"{f'<b>{title}</b><br>' if title else ''}{text}{inner}"
    # A presentation attribute, since the page's policy forbids inline styles.
    bar = f'<svg class="bar"><rect width="4" height="100%" fill="#{_colour(value)}"/></svg>'
    return f'<div class="attachment">{bar}<div>{body}</div></div>'


def _colour(value: dict[str, Json]) -> str:
    asked = str(value.get("color", ""))
    found = _HEX_COLOUR.match(_NAMED_COLOURS.get(asked, asked))
    return found[1] if found else "dddddd"
