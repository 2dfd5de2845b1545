"""Reading channels, threads and users back."""

import pytest
from slack_sdk import WebClient

from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.workspace import USERS, channel_id
from ops_platform_tests.embedded.slack_inbox.answers import error_of

GENERAL = channel_id("general")


def test_history_is_paged_newest_first(inbox: SlackInbox, slack: WebClient) -> None:
    """Cursors lead through every message once."""
    for number in range(7):
        inbox.say("general", str(number))
    pages = [
        ([one["text"] for one in page["messages"]], page["has_more"])
        for page in slack.conversations_history(channel=GENERAL, limit=3)
    ]
    assert pages == [(["6", "5", "4"], True), (["3", "2", "1"], True), (["0"], False)]


@pytest.mark.parametrize(("inclusive", "texts"), [(False, ["2"]), (True, ["3", "2", "1"])])
def test_history_is_bounded_by_time(
    inbox: SlackInbox, slack: WebClient, *, inclusive: bool, texts: list[str]
) -> None:
    """The bounds themselves belong to it only if asked for."""
    stamps = [inbox.say("general", str(number)).ts for number in range(5)]
    answer = slack.conversations_history(
        channel=GENERAL, oldest=stamps[1], latest=stamps[3], inclusive=inclusive
    )
    assert [one["text"] for one in answer["messages"]] == texts


def test_metadata_is_shown_only_if_asked_for(slack: WebClient) -> None:
    """Without the flag a reader sees none."""
    metadata = {"event_type": "a", "event_payload": {"key": "1"}}
    slack.chat_postMessage(channel="general", text="t", metadata=metadata)
    [without] = slack.conversations_history(channel=GENERAL)["messages"]
    [with_it] = slack.conversations_history(channel=GENERAL, include_all_metadata=True)["messages"]
    assert "metadata" not in without
    assert with_it["metadata"] == metadata


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "general"}, "channel_not_found"),
        ({"channel": channel_id("private")}, "not_in_channel"),
        ({"channel": GENERAL, "limit": 5000}, "invalid_limit"),
        ({"channel": GENERAL, "cursor": "?"}, "invalid_cursor"),
        ({"channel": GENERAL, "oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"channel": GENERAL, "latest": "now"}, "invalid_ts_latest"),
    ],
)
def test_history_refuses_what_it_cannot_read(
    slack: WebClient, arguments: dict[str, object], error: str
) -> None:
    """Bad arguments have Slack's codes."""
    assert error_of(lambda: slack.api_call("conversations.history", params=arguments)) == error


def test_a_thread_that_is_not_there_is_named(slack: WebClient) -> None:
    """Replies of nothing are refused."""
    assert (
        error_of(lambda: slack.conversations_replies(channel=GENERAL, ts="1.000001"))
        == "thread_not_found"
    )


def test_channels_are_listed(slack: WebClient) -> None:
    """Each with its name and what the bot may do there."""
    pages = slack.conversations_list(limit=3)
    found = {one["name"]: one for page in pages for one in page["channels"]}
    assert set(found) == {"general", "ops-alerts", "old", "private"}
    assert found["old"]["is_archived"]
    assert not found["private"]["is_member"]
    open_ones = slack.conversations_list(exclude_archived=True)["channels"]
    assert "old" not in {one["name"] for one in open_ones}
    assert slack.conversations_info(channel=GENERAL)["channel"]["name"] == "general"
    assert error_of(lambda: slack.conversations_info(channel="C0NOSUCHID")) == "channel_not_found"


def test_users_are_found_by_address_and_id(slack: WebClient) -> None:
    """Whoever left is found too, and marked."""
    assert slack.users_lookupByEmail(email="ADA@example.com")["user"]["id"] == USERS[0].id
    assert slack.users_lookupByEmail(email="alan@example.com")["user"]["deleted"]
    assert slack.users_info(user=USERS[1].id)["user"]["real_name"] == "Grace"
    assert error_of(lambda: slack.users_lookupByEmail(email="x@example.com")) == "users_not_found"
    assert error_of(lambda: slack.users_info(user="U0NOBODY99")) == "user_not_found"
