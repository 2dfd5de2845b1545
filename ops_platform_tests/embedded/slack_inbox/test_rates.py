"""How often Slack lets itself be called, by a clock that the test turns."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from slack_sdk import WebClient

from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.rates import Limiter, Rate, Rates
from ops_platform.embedded.slack_inbox.workspace import USERS
from ops_platform_tests.embedded.slack_inbox.answers import refusal
from ops_platform_tests.embedded.slack_inbox.conftest import client_of


@dataclass
class Clock:
    """A clock that stands still until it is turned."""

    now: float = field(default=1_800_000_000.0)

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock for the inbox."""
    return Clock()


@pytest.fixture
def slow_inbox(clock: Clock) -> Iterator[SlackInbox]:
    """Run an inbox by that clock."""
    with SlackInbox(clock=clock) as running:
        yield running


@pytest.fixture
def slack(slow_inbox: SlackInbox) -> WebClient:
    """Return a client of it."""
    return client_of(slow_inbox)


def test_a_channel_takes_a_burst_and_then_one_message_a_second(
    slow_inbox: SlackInbox, slack: WebClient, clock: Clock
) -> None:
    """The answer to one too many says how long to wait; that wait is enough."""
    for number in range(5):
        slack.chat_postMessage(channel="general", text=str(number))
    answer = refusal(lambda: slack.chat_postMessage(channel="general", text="6"))
    assert answer.status_code == 429
    assert answer.data == {"ok": False, "error": "ratelimited"}
    assert answer.headers["Retry-After"] == "1"
    clock.now += 1
    slack.chat_postMessage(channel="general", text="6")
    assert len(slow_inbox.messages()) == 6


def test_one_busy_channel_does_not_hold_back_another(slack: WebClient) -> None:
    """Posts are limited by channel."""
    for number in range(5):
        slack.chat_postMessage(channel="general", text=str(number))
    slack.chat_postMessage(channel="ops-alerts", text="t")


@pytest.mark.parametrize("method", ["users.lookupByEmail", "chat.update"])
def test_tier_3_allows_fifty_a_minute(slack: WebClient, clock: Clock, method: str) -> None:
    """Look-ups and edits are limited by method."""
    post = slack.chat_postMessage(channel="general", text="t")

    def call() -> object:
        arguments = {"channel": post["channel"], "ts": post["ts"], "text": "u"}
        return slack.api_call(method, params=arguments | {"email": USERS[0].email})

    for _ in range(50):
        call()
    assert refusal(call).headers["Retry-After"] == "2"
    clock.now += 2
    call()


def test_asking_again_too_soon_is_noted(
    slow_inbox: SlackInbox, slack: WebClient, clock: Clock
) -> None:
    """The log tells who does not wait."""
    for number in range(5):
        slack.chat_postMessage(channel="general", text=str(number))
    for _ in range(2):
        refusal(lambda: slack.chat_postMessage(channel="general", text="again"))
    clock.now += 3
    slack.chat_postMessage(channel="general", text="later")
    log = slow_inbox.calls("chat.postMessage")
    assert [call.outcome for call in log] == ["ok"] * 5 + ["ratelimited"] * 2 + ["ok"]
    assert [call.too_soon for call in log] == [False] * 6 + [True, False]


def test_a_workspace_takes_only_so_many_messages(clock: Clock) -> None:
    """The ceiling of the workspace holds over all channels together."""
    limiter = Limiter(Rates(posts_together=Rate(per_second=1, burst=2)), clock)
    limiter.take_post("A")
    limiter.take_post("B")
    with pytest.raises(Exception, match="ratelimited"):
        limiter.take_post("C")
