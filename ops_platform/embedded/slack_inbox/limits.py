"""Slack's rules for a message: text, blocks, metadata. Each breach has Slack's own code."""

import json
from collections.abc import Iterator
from typing import Final

from ops_platform.embedded.slack_inbox.blocks import breaches
from ops_platform.embedded.slack_inbox.errors import SlackError
from ops_platform.embedded.slack_inbox.values import Json

TEXT: Final = 40_000
"""Longer text is cut, with a warning."""
MARKDOWN_TEXT: Final = 12_000
BLOCKS: Final = 50
ATTACHMENTS: Final = 100
METADATA_BYTES: Final = 16_000

# Slack documents no ceiling for all blocks together, yet has one. Measured by others: two
# markdown blocks pass up to 13,297 characters, and up to 13,172 with a divider more. A sum of
# characters and 125 for each block fits both.
AGGREGATE: Final = 13_547
PER_BLOCK: Final = 125


def check_blocks(blocks: Json) -> None:
    """Refuse blocks that Slack would not take."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format")
    if len(blocks) > BLOCKS:
        details = [f"no more than {BLOCKS} items allowed [json-pointer:/blocks]"]
        raise SlackError("invalid_blocks", details=details)
    if details := list(breaches(blocks)):
        raise SlackError("invalid_blocks", details=details)
    if aggregate(blocks) > AGGREGATE:
        raise SlackError("msg_blocks_too_long")


def aggregate(blocks: list[Json]) -> int:
    """Return what the blocks weigh together against the undocumented ceiling."""
    return sum(map(len, _texts(blocks))) + PER_BLOCK * len(blocks)


def check_attachments(attachments: Json) -> None:
    """Refuse attachments that Slack would not take."""
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for one in attachments:
        check_blocks(one.get("blocks") or [])


def check_metadata(metadata: Json) -> None:
    """Refuse message metadata that Slack would not take; an empty object removes it."""
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    if not metadata:
        return
    event_type = metadata.get("event_type")
    if not isinstance(event_type, str) or not event_type:
        raise SlackError("invalid_metadata_format", details=["event_type is required"])
    if not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format", details=["event_payload must be an object"])
    if set(metadata) - {"event_type", "event_payload"}:
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise SlackError("metadata_too_large")


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(text := value.get("text"), str):
            yield text
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _texts(part)
