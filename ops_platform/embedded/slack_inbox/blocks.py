"""Block Kit, as far as we use it: what each kind of block and element may hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ops_platform.embedded.slack_inbox.values import Json

_ID: Final = 255
_SECTION_TEXT: Final = 3000
_FIELDS, _FIELD_TEXT = 10, 2000
_HEADER_TEXT: Final = 150
_CONTEXT_ELEMENTS: Final = 10
_ACTION_ELEMENTS: Final = 25
_BUTTON_TEXT, _BUTTON_URL, _BUTTON_VALUE = 75, 3000, 2000
_MARKDOWN_TEXT: Final = 12_000
_IMAGE_URL, _ALT_TEXT = 3000, 2000


def breaches(blocks: list[Json]) -> Iterator[str]:
    """Yield each broken rule in Slack's words, with the JSON pointer of the place."""
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        at = f"/blocks/{index}"
        yield from _block(block, at)
        block_id = block.get("block_id")
        if isinstance(block_id, str) and block_id in seen:
            yield _at(f"`block_id` already exists: {block_id}", f"{at}/block_id")
        seen.add(str(block_id) if block_id is not None else at)


def _at(message: str, pointer: str) -> str:
    return f"{message} [json-pointer:{pointer}]"


def _block(block: dict[str, Json], at: str) -> Iterator[str]:
    check = _BLOCKS.get(str(block.get("type")))
    if check is None:
        yield _at(f"unsupported type: {block.get('type')}", f"{at}/type")
        return
    yield from _string(block, "block_id", at, limit=_ID, required=False)
    yield from check(block, at)


def _section(block: dict[str, Json], at: str) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield _at("must define either `text` or `fields`", at)
    if "text" in block:
        yield from _text(block["text"], f"{at}/text", Text(_SECTION_TEXT))
    if "fields" in block:
        yield from _each(block, "fields", at, limit=_FIELDS, check=_field)
    if "accessory" in block:
        yield from _element(block["accessory"], f"{at}/accessory")


def _field(field: Json, at: str) -> Iterator[str]:
    yield from _text(field, at, Text(_FIELD_TEXT))


def _header(block: dict[str, Json], at: str) -> Iterator[str]:
    yield from _text(block.get("text"), f"{at}/text", Text(_HEADER_TEXT, plain=True))


def _context(block: dict[str, Json], at: str) -> Iterator[str]:
    yield from _each(block, "elements", at, limit=_CONTEXT_ELEMENTS, check=_context_element)


def _context_element(element: Json, at: str) -> Iterator[str]:
    if isinstance(element, dict) and element.get("type") == "image":
        yield from _image(element, at)
    else:
        yield from _text(element, at, Text(_SECTION_TEXT))


def _actions(block: dict[str, Json], at: str) -> Iterator[str]:
    yield from _each(block, "elements", at, limit=_ACTION_ELEMENTS, check=_element)


def _element(element: Json, at: str) -> Iterator[str]:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind == "image":
        yield from _image(element, at)
    elif kind == "button":
        yield from _button(element, at)
    else:
        yield _at(f"unsupported type: {kind}", f"{at}/type")


def _button(button: dict[str, Json], at: str) -> Iterator[str]:
    yield from _text(button.get("text"), f"{at}/text", Text(_BUTTON_TEXT, plain=True))
    yield from _string(button, "action_id", at, limit=_ID, required=False)
    yield from _string(button, "url", at, limit=_BUTTON_URL, required=False)
    yield from _string(button, "value", at, limit=_BUTTON_VALUE, required=False)
    if button.get("style") not in (None, "primary", "danger"):
        yield _at("must be one of primary, danger", f"{at}/style")


def _image(image: dict[str, Json], at: str) -> Iterator[str]:
    yield from _string(image, "image_url", at, limit=_IMAGE_URL, required=True)
    yield from _string(image, "alt_text", at, limit=_ALT_TEXT, required=True)


def _markdown(block: dict[str, Json], at: str) -> Iterator[str]:
    yield from _string(block, "text", at, limit=_MARKDOWN_TEXT, required=True)


def _divider(_block: dict[str, Json], _at: str) -> Iterator[str]:
    yield from ()


_BLOCKS: Final[dict[str, Callable[[dict[str, Json], str], Iterator[str]]]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "markdown": _markdown,
    "divider": _divider,
}


@dataclass(frozen=True, slots=True)
class Text:
    """What a text object may be at one place."""

    limit: int
    plain: bool = False


def _text(value: Json, at: str, allowed: Text) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _at("missing required field: text", at)
        return
    kinds = ("plain_text",) if allowed.plain else ("plain_text", "mrkdwn")
    if value.get("type") not in kinds:
        yield _at(f"must be one of {', '.join(kinds)}", f"{at}/type")
    yield from _string(value, "text", at, limit=allowed.limit, required=True)


def _string(
    holder: dict[str, Json], name: str, at: str, *, limit: int, required: bool
) -> Iterator[str]:
    value = holder.get(name)
    pointer = f"{at}/{name}"
    if value is None:
        if required:
            yield _at(f"missing required field: {name}", at)
    elif not isinstance(value, str):
        yield _at("must be a string", pointer)
    elif len(value) > limit:
        yield _at(f"must be less than {limit + 1} characters", pointer)
    elif not value:
        yield _at("must be more than 0 characters", pointer)


def _each(
    holder: dict[str, Json],
    name: str,
    at: str,
    *,
    limit: int,
    check: Callable[[Json, str], Iterator[str]],
) -> Iterator[str]:
    values, pointer = holder.get(name), f"{at}/{name}"
    if not isinstance(values, list) or not values:
        yield _at(f"missing required field: {name}", at)
        return
    if len(values) > limit:
        yield _at(f"no more than {limit} items allowed", pointer)
    for index, value in enumerate(values):
        yield from check(value, f"{pointer}/{index}")
