"""What Slack's client makes of an answer, in words short enough for a table."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse


def refusal(call: Callable[[], object]) -> SlackResponse:
    """Return the answer to a call that must be refused."""
    with pytest.raises(SlackApiError) as caught:
        call()
    response = caught.value.response
    assert isinstance(response, SlackResponse)
    return response


def error_of(call: Callable[[], object]) -> str:
    """Return the code with which a call is refused."""
    return str(refusal(call)["error"])


def section(text: str = "x", **more: Any) -> dict[str, Any]:
    """Return a section block."""
    return {"type": "section", "text": mrkdwn(text), **more}


def mrkdwn(text: str = "x") -> dict[str, Any]:
    """Return a text object with markup."""
    return {"type": "mrkdwn", "text": text}


def plain(text: str = "x") -> dict[str, Any]:
    """Return a text object without markup."""
    return {"type": "plain_text", "text": text}


def button(**more: Any) -> dict[str, Any]:
    """Return a button."""
    return {"type": "button", "text": plain(), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    """Return an actions block."""
    return {"type": "actions", "elements": list(elements)}
