"""A Slack workspace for the tests of the notifier."""

from datetime import UTC, datetime

from slack_sdk import WebClient

from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.delivery import Delivery, Sent
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.rates import Rates, per_minute
from ops_platform.embedded.slack_inbox.workspace import CHANNELS, channel, channel_id

TOKEN = "xoxb-test"
CHANNEL = channel_id("ops-alerts")
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}


def patient_inbox() -> SlackInbox:
    """Return an inbox that keeps nothing and takes more than one message a second."""
    channels = (*CHANNELS, channel("old", is_archived=True), channel("private", is_member=False))
    rates = Rates(post=per_minute(6000), posts_together=per_minute(6000))
    return SlackInbox(channels=channels, rates=rates)


def client_at(url: str, *, timeout: int = 10) -> WebClient:
    """Return a client that tries nothing twice."""
    return WebClient(TOKEN, base_url=url, timeout=timeout, retry_handlers=[])


def notifier_at(url: str, *, timeout: int = 10) -> SlackNotifier:
    """Return a notifier whose client tries nothing twice."""
    return SlackNotifier(client_at(url, timeout=timeout))


def post(notifier: SlackNotifier, where: str = "ops-alerts", key: str = "incident-1") -> Delivery:
    """Post an alert."""
    return notifier.post(channel=where, text="failed", blocks=[SECTION], metadata_key=key)


def sent(notifier: SlackNotifier, key: str = "incident-1") -> Sent:
    """Post an alert that must arrive."""
    outcome = post(notifier, key=key)
    assert isinstance(outcome, Sent)
    return outcome


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
