"""A running inbox and Slack's own client for it."""

from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.workspace import channel

TOKEN = "xoxb-test"


@pytest.fixture
def inbox() -> Iterator[SlackInbox]:
    """Run an inbox that keeps nothing."""
    channels = (
        channel("general"),
        channel("ops-alerts"),
        channel("old", is_archived=True),
        channel("private", is_member=False),
    )
    with SlackInbox(channels=channels) as running:
        yield running


@pytest.fixture
def slack(inbox: SlackInbox) -> WebClient:
    """Return a client of the inbox that tries nothing twice."""
    return client_of(inbox)


def client_of(inbox: SlackInbox, token: str = TOKEN, *, timeout: int = 10) -> WebClient:
    """Return a client of an inbox that tries nothing twice."""
    return WebClient(token, base_url=inbox.api_url, timeout=timeout, retry_handlers=[])
