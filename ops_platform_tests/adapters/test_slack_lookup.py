"""What the notifier finds out: whether a message landed, who an owner is, where a message is."""

from datetime import timedelta

import pytest

from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.delivery import LookupUnavailable, Sent
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.workspace import USERS
from ops_platform_tests.adapters.slack_world import (
    CHANNEL,
    client_at,
    now,
    post,
    sent,
)

HISTORY = "conversations.history"


def test_the_look_up_reads_every_page(inbox: SlackInbox, notifier: SlackNotifier) -> None:
    """Hundreds of later messages, of people and of ours, do not hide one."""
    alert = sent(notifier, key="wanted")
    for number in range(450):
        inbox.say("ops-alerts", f"chatter {number}")
    post(notifier, key="other")
    assert notifier.find(channel=CHANNEL, metadata_key="wanted", since=now()) == alert
    assert len(inbox.calls(HISTORY)) == 3


def test_the_look_up_gives_up_rather_than_denies(
    inbox: SlackInbox, notifier: SlackNotifier
) -> None:
    """Where there is too much to read, it does not say that the message is not there."""
    post(notifier, key="wanted")
    for number in range(2_000):
        inbox.say("ops-alerts", f"chatter {number}")
    found = notifier.find(channel=CHANNEL, metadata_key="wanted", since=now())
    assert found == LookupUnavailable("too many messages since")


def test_the_look_up_allows_for_a_clock_that_is_ahead(notifier: SlackNotifier) -> None:
    """A message is found though our clock is minutes ahead of Slack's, not hours."""
    alert = sent(notifier)
    for ahead, expected in ((timedelta(minutes=4), alert), (timedelta(hours=1), None)):
        found = notifier.find(channel=CHANNEL, metadata_key="incident-1", since=now() + ahead)
        assert found == expected


def test_a_reply_is_looked_up_in_its_thread(notifier: SlackNotifier) -> None:
    """A channel's history has no replies."""
    alert = sent(notifier)
    reply = notifier.post(
        channel=CHANNEL, text="r", blocks=[], metadata_key="reply", thread_ts=alert.ts
    )
    assert isinstance(reply, Sent)
    wanted = {"channel": CHANNEL, "metadata_key": "reply"}
    assert notifier.find(**wanted, since=now()) is None
    assert notifier.find(**wanted, since=now(), thread_ts=alert.ts) == reply


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"event_type": "other", "event_payload": {"key": "incident-1"}},
        {"event_type": "ops_alert", "event_payload": {"key": 7}},
    ],
)
def test_the_look_up_knows_only_its_own_metadata(
    inbox: SlackInbox, notifier: SlackNotifier, metadata: dict[str, object] | None
) -> None:
    """What another application posted is not taken for ours."""
    client = client_at(inbox.api_url)
    client.chat_postMessage(channel=CHANNEL, text="theirs", metadata=metadata)
    assert notifier.find(channel=CHANNEL, metadata_key="incident-1", since=now()) is None


UNAVAILABLE: dict[str, tuple[Fault, LookupUnavailable]] = {
    "no scope": (
        Fault(method=HISTORY, error="missing_scope"),
        LookupUnavailable("missing_scope"),
    ),
    "too often": (
        Fault(method=HISTORY, status=429, retry_after=9),
        LookupUnavailable("ratelimited", 9, passing=True),
    ),
    "broken": (Fault(method=HISTORY, status=500), LookupUnavailable("HTTP 500", passing=True)),
}


@pytest.mark.parametrize(("fault", "answer"), UNAVAILABLE.values(), ids=UNAVAILABLE.keys())
def test_a_look_up_that_fails_says_so(
    inbox: SlackInbox, notifier: SlackNotifier, fault: Fault, answer: LookupUnavailable
) -> None:
    """No answer is not an answer in the negative."""
    inbox.fail(fault)
    assert notifier.find(channel=CHANNEL, metadata_key="incident-1", since=now()) == answer


def test_a_channel_that_slack_does_not_list_cannot_be_looked_up(notifier: SlackNotifier) -> None:
    """A name is turned into an id through the list of channels, which is asked once."""
    found = notifier.find(channel="#nowhere", metadata_key="1", since=now())
    assert found == LookupUnavailable("no channel #nowhere among those Slack lists")


def test_a_channel_is_learnt_once(inbox: SlackInbox, notifier: SlackNotifier) -> None:
    """The list of channels is long in a large workspace."""
    for _ in range(3):
        notifier.find(channel="#ops-alerts", metadata_key="1", since=now())
    assert len(inbox.calls("conversations.list")) == 1


@pytest.mark.parametrize(
    ("email", "user"),
    [("ada@example.com", USERS[0].id), ("alan@example.com", None), ("nobody@example.com", None)],
)
def test_an_owner_is_found_by_address(
    notifier: SlackNotifier, email: str, user: str | None
) -> None:
    """Whoever left the company is not mentioned."""
    assert notifier.lookup_user(email) == user


def test_an_owner_who_cannot_be_looked_up_is_not_denied(
    inbox: SlackInbox, notifier: SlackNotifier
) -> None:
    """The caller can fall back without remembering that nobody is there."""
    inbox.fail(Fault(method="users.lookupByEmail", status=429, retry_after=3))
    assert notifier.lookup_user("ada@example.com") == LookupUnavailable(
        "ratelimited", 3, passing=True
    )


def test_a_permalink_is_told_if_there_is_one(notifier: SlackNotifier, inbox: SlackInbox) -> None:
    """It is a convenience: without it the alert is sent all the same."""
    alert = sent(notifier)
    link = notifier.permalink(channel=alert.channel, ts=alert.ts)
    assert link == f"{inbox.url}/archives/{CHANNEL}/p{alert.ts.replace('.', '')}"
    none = notifier.permalink(channel=alert.channel, ts="1.000001")
    assert none == LookupUnavailable("message_not_found")
