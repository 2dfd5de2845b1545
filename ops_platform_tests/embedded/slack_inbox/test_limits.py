"""Every limit of a message, at its last allowed and first refused value, over HTTP."""

from typing import Any

import pytest
from slack_sdk import WebClient

from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform_tests.embedded.slack_inbox.answers import (
    actions,
    button,
    error_of,
    mrkdwn,
    plain,
    refusal,
    section,
)

DIVIDER = {"type": "divider"}

ALLOWED: dict[str, list[dict[str, Any]]] = {
    "50 blocks": [DIVIDER] * 50,
    "section of 3000": [section("x" * 3000)],
    "section of fields only": [{"type": "section", "fields": [mrkdwn()]}],
    "10 fields": [{"type": "section", "fields": [mrkdwn()] * 10}],
    "field of 2000": [{"type": "section", "fields": [mrkdwn("x" * 2000)]}],
    "header of 150": [{"type": "header", "text": plain("x" * 150)}],
    "10 context elements": [{"type": "context", "elements": [mrkdwn()] * 10}],
    "25 action elements": [actions(*[button()] * 25)],
    "button text of 75": [actions(button(text=plain("x" * 75)))],
    "button url of 3000": [actions(button(url="h" * 3000))],
    "button value of 2000": [actions(button(value="x" * 2000))],
    "action_id of 255": [actions(button(action_id="x" * 255))],
    "block_id of 255": [section(block_id="x" * 255)],
    "accessory": [section(accessory=button())],
    "image": [{"type": "image", "image_url": "https://x/y.png", "alt_text": "a plot"}],
    "two markdown blocks of 13,297": [
        {"type": "markdown", "text": "x" * 12_000},
        {"type": "markdown", "text": "x" * 1_297},
    ],
}

REFUSED: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "51 blocks": ([DIVIDER] * 51, "no more than 50 items allowed", "/blocks"),
    "section of 3001": (
        [section("x" * 3001)],
        "must be less than 3001 characters",
        "/blocks/0/text/text",
    ),
    "empty section": ([section("")], "must be more than 0 characters", "/blocks/0/text/text"),
    "section of nothing": (
        [{"type": "section"}],
        "must define either `text` or `fields`",
        "/blocks/0",
    ),
    "11 fields": (
        [DIVIDER, {"type": "section", "fields": [mrkdwn()] * 11}],
        "no more than 10 items allowed",
        "/blocks/1/fields",
    ),
    "field of 2001": (
        [{"type": "section", "fields": [mrkdwn(), mrkdwn("x" * 2001)]}],
        "must be less than 2001 characters",
        "/blocks/0/fields/1/text",
    ),
    "header of 151": (
        [{"type": "header", "text": plain("x" * 151)}],
        "must be less than 151 characters",
        "/blocks/0/text/text",
    ),
    "header with markup": (
        [{"type": "header", "text": mrkdwn()}],
        "must be one of plain_text",
        "/blocks/0/text/type",
    ),
    "11 context elements": (
        [{"type": "context", "elements": [mrkdwn()] * 11}],
        "no more than 10 items allowed",
        "/blocks/0/elements",
    ),
    "no context elements": (
        [{"type": "context", "elements": []}],
        "missing required field: elements",
        "/blocks/0",
    ),
    "26 action elements": (
        [actions(*[button()] * 26)],
        "no more than 25 items allowed",
        "/blocks/0/elements",
    ),
    "button text of 76": (
        [actions(button(text=plain("x" * 76)))],
        "must be less than 76 characters",
        "/blocks/0/elements/0/text/text",
    ),
    "button url of 3001": (
        [actions(button(url="h" * 3001))],
        "must be less than 3001 characters",
        "/blocks/0/elements/0/url",
    ),
    "button value of 2001": (
        [actions(button(value="x" * 2001))],
        "must be less than 2001 characters",
        "/blocks/0/elements/0/value",
    ),
    "button of no known style": (
        [actions(button(style="loud"))],
        "must be one of primary, danger",
        "/blocks/0/elements/0/style",
    ),
    "action_id of 256": (
        [actions(button(action_id="x" * 256))],
        "must be less than 256 characters",
        "/blocks/0/elements/0/action_id",
    ),
    "block_id of 256": (
        [section(block_id="x" * 256)],
        "must be less than 256 characters",
        "/blocks/0/block_id",
    ),
    "block_id twice": (
        [section(block_id="a"), section(block_id="a")],
        "`block_id` already exists: a",
        "/blocks/1/block_id",
    ),
    "unknown block": ([{"type": "carousel9"}], "unsupported type: carousel9", "/blocks/0/type"),
    "text instead of a text object": (
        [{"type": "section", "text": "plain"}],
        "missing required field: text",
        "/blocks/0/text",
    ),
    "number for a text": (
        [{"type": "section", "text": {"type": "mrkdwn", "text": 7}}],
        "must be a string",
        "/blocks/0/text/text",
    ),
    "image without alt_text": (
        [{"type": "image", "image_url": "https://x/y.png"}],
        "missing required field: alt_text",
        "/blocks/0",
    ),
    "accessory of no kind": (
        [section(accessory={"type": "piano"})],
        "unsupported type: piano",
        "/blocks/0/accessory/type",
    ),
    "markdown of 12,001": (
        [{"type": "markdown", "text": "x" * 12_001}],
        "must be less than 12001 characters",
        "/blocks/0/text",
    ),
}


@pytest.mark.parametrize("blocks", ALLOWED.values(), ids=ALLOWED.keys())
def test_blocks_at_their_limit_are_taken(
    inbox: SlackInbox, slack: WebClient, blocks: list[dict[str, Any]]
) -> None:
    """What Slack allows just so is stored as it came."""
    slack.chat_postMessage(channel="ops-alerts", text="t", blocks=blocks)
    assert [message.blocks for message in inbox.messages("ops-alerts")] == [blocks]


@pytest.mark.parametrize(("blocks", "message", "pointer"), REFUSED.values(), ids=REFUSED.keys())
def test_blocks_beyond_a_limit_are_refused_with_the_place(
    inbox: SlackInbox,
    slack: WebClient,
    blocks: list[dict[str, Any]],
    message: str,
    pointer: str,
) -> None:
    """The answer names the rule and points at the place; nothing is stored."""
    answer = refusal(lambda: slack.chat_postMessage(channel="ops-alerts", text="t", blocks=blocks))
    expected = f"{message} [json-pointer:{pointer}]"
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [expected]
    assert answer["response_metadata"] == {"messages": [f"[ERROR] {expected}"]}
    assert inbox.messages() == []


def test_blocks_together_have_a_ceiling(slack: WebClient) -> None:
    """Five sections within their limits are too long together, as nowhere documented."""
    blocks = [section("x" * 3000)] * 4 + [section("x" * 1000)]
    assert (
        error_of(lambda: slack.chat_postMessage(channel="ops-alerts", text="t", blocks=blocks))
        == "msg_blocks_too_long"
    )


@pytest.mark.parametrize(
    ("texts", "error"),
    [(["x" * 12_000, "x" * 1_172], None), (["x" * 12_000, "x" * 1_173], "msg_blocks_too_long")],
)
def test_the_ceiling_is_the_one_that_was_measured(
    slack: WebClient, texts: list[str], error: str | None
) -> None:
    """With a divider, 13,172 characters of markdown pass and one more does not."""
    blocks = [*({"type": "markdown", "text": text} for text in texts), DIVIDER]

    def post() -> object:
        return slack.chat_postMessage(channel="ops-alerts", text="t", blocks=blocks)

    if error:
        assert error_of(post) == error
    else:
        post()


@pytest.mark.parametrize(
    ("length", "kept", "warned"), [(40_000, 40_000, False), (40_001, 40_000, True)]
)
def test_long_text_is_cut_with_a_warning(
    inbox: SlackInbox, slack: WebClient, length: int, kept: int, *, warned: bool
) -> None:
    """Slack stores 40,000 characters and says so."""
    answer = slack.chat_postMessage(channel="ops-alerts", text="x" * length)
    assert len(inbox.messages()[0].text) == kept
    assert (answer.get("warning") == "message_truncated") is warned


METADATA: dict[str, tuple[object, str | None]] = {
    "whole": ({"event_type": "a", "event_payload": {"k": 1}}, None),
    "empty": ({}, None),
    "a list": ([1], "invalid_metadata_format"),
    "not JSON": ("{", "invalid_metadata_format"),
    "no type": ({"event_payload": {}}, "invalid_metadata_format"),
    "no payload": ({"event_type": "a"}, "invalid_metadata_format"),
    "payload no object": ({"event_type": "a", "event_payload": "x"}, "invalid_metadata_format"),
    "a key too many": (
        {"event_type": "a", "event_payload": {}, "more": 1},
        "invalid_metadata_schema",
    ),
    "too large": (
        {"event_type": "a", "event_payload": {"k": "x" * 20_000}},
        "metadata_too_large",
    ),
}


@pytest.mark.parametrize(("metadata", "error"), METADATA.values(), ids=METADATA.keys())
def test_metadata_has_a_shape(slack: WebClient, metadata: object, error: str | None) -> None:
    """Metadata is a typed event with a payload, or nothing."""
    body = {"channel": "ops-alerts", "text": "t", "metadata": metadata}

    def post() -> object:
        return slack.api_call("chat.postMessage", json=body)

    if error:
        assert error_of(post) == error
    else:
        post()


CONTENT: dict[str, tuple[dict[str, object], str]] = {
    "nothing": ({}, "no_text"),
    "empty text": ({"text": ""}, "no_text"),
    "empty blocks": ({"blocks": []}, "no_text"),
    "blocks not JSON": ({"blocks": "[{"}, "invalid_blocks_format"),
    "blocks an object": ({"blocks": {"type": "divider"}}, "invalid_blocks_format"),
    "blocks of text": ({"blocks": ["divider"]}, "invalid_blocks_format"),
    "attachments of text": ({"attachments": ["x"]}, "invalid_attachments"),
    "101 attachments": ({"attachments": [{"text": "x"}] * 101}, "too_many_attachments"),
    "bad blocks in one": ({"attachments": [{"blocks": [{"type": "?"}]}]}, "invalid_blocks"),
    "markdown beside text": ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
    "long markdown": ({"markdown_text": "x" * 12_001}, "msg_too_long"),
}


@pytest.mark.parametrize(("content", "error"), CONTENT.values(), ids=CONTENT.keys())
def test_content_that_slack_cannot_show_is_refused(
    slack: WebClient, content: dict[str, object], error: str
) -> None:
    """A message needs text, blocks or attachments, each in its format."""
    body = {"channel": "ops-alerts"} | content
    assert error_of(lambda: slack.api_call("chat.postMessage", json=body)) == error
