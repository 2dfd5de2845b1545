"""Posting, editing and threads, over HTTP with Slack's own client."""

from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient

from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.workspace import USERS, channel_id
from ops_platform_tests.embedded.slack_inbox.answers import error_of, mrkdwn, section
from ops_platform_tests.embedded.slack_inbox.conftest import TOKEN, client_of


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-", "invalid_auth"), ("xoxp-user", "invalid_auth")],
)
def test_a_token_of_no_bot_opens_nothing(inbox: SlackInbox, token: str, error: str) -> None:
    """Only tokens that begin like a bot's are taken."""
    client = client_of(inbox, token)
    assert error_of(client.auth_test) == error


def test_a_revoked_token_opens_nothing(inbox: SlackInbox, slack: WebClient) -> None:
    """A token that worked is refused once it is revoked."""
    assert slack.auth_test()["user"] == "ops-platform"
    inbox.revoke(TOKEN)
    assert error_of(slack.auth_test) == "token_revoked"


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("nowhere", "channel_not_found"),
        ("C0NOSUCHID", "channel_not_found"),
        ("old", "is_archived"),
        ("private", "not_in_channel"),
    ],
)
def test_a_channel_that_cannot_be_posted_to_says_why(
    slack: WebClient, channel: str, error: str
) -> None:
    """Each kind of closed channel has its own code."""
    assert error_of(lambda: slack.chat_postMessage(channel=channel, text="t")) == error


@pytest.mark.parametrize("asked", ["ops-alerts", "#ops-alerts", channel_id("ops-alerts")])
def test_a_post_may_name_its_channel_or_give_its_id(
    inbox: SlackInbox, slack: WebClient, asked: str
) -> None:
    """The answer has the id, whatever was asked for."""
    answer = slack.chat_postMessage(channel=asked, text="t")
    assert answer["channel"] == channel_id("ops-alerts")
    assert [message.ts for message in inbox.messages("ops-alerts")] == [answer["ts"]]


def test_an_edit_wants_the_id(slack: WebClient) -> None:
    """All methods but posting refuse a name."""
    ts = slack.chat_postMessage(channel="ops-alerts", text="t")["ts"]
    assert (
        error_of(lambda: slack.chat_update(channel="ops-alerts", ts=ts, text="u"))
        == "channel_not_found"
    )


def test_a_form_is_read_like_json(inbox: SlackInbox) -> None:
    """A form-encoded call with the token among its fields, and blocks as JSON, is taken."""
    fields = {
        "token": TOKEN,
        "channel": "ops-alerts",
        "text": "t",
        "blocks": '[{"type": "divider"}]',
        "metadata": '{"event_type": "a", "event_payload": {}}',
    }
    request = Request(f"{inbox.api_url}chat.postMessage", data=urlencode(fields).encode())
    with urlopen(request) as answer:
        assert answer.status == 200
    [message] = inbox.messages()
    assert message.blocks == [{"type": "divider"}]
    assert message.metadata == {"event_type": "a", "event_payload": {}}


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"[" * 200_000, "invalid_json"),
        ("application/json", b"[1]", "json_not_object"),
        ("text/plain", b"x", "invalid_post_type"),
    ],
)
def test_a_body_that_is_no_call_is_refused(
    inbox: SlackInbox, kind: str, body: bytes, error: str
) -> None:
    """Broken bodies have Slack's codes and break nothing."""
    headers = {"Content-Type": kind, "Authorization": f"Bearer {TOKEN}"}
    request = Request(f"{inbox.api_url}chat.postMessage", data=body, headers=headers)
    with urlopen(request) as answer:
        assert f'"error": "{error}"' in answer.read().decode()


def test_an_unknown_method_is_refused(slack: WebClient) -> None:
    """A method we do not speak is named as such."""
    assert error_of(lambda: slack.api_call("chat.sing")) == "unknown_method"


def test_every_ts_of_a_channel_is_later_than_the_one_before(
    inbox: SlackInbox, slack: WebClient
) -> None:
    """Even where the clock stands still, no two messages share a ts."""
    stamps = [slack.chat_postMessage(channel="general", text=str(n))["ts"] for n in range(5)]
    assert stamps == sorted(set(stamps))
    assert [message.text for message in inbox.messages("general")] == list("01234")


def test_an_edit_in_text_drops_the_blocks_and_is_marked(
    inbox: SlackInbox, slack: WebClient
) -> None:
    """Text alone replaces the blocks, and Slack shows that it was edited."""
    post = slack.chat_postMessage(channel="general", text="t", blocks=[section()])
    slack.chat_update(channel=post["channel"], ts=post["ts"], text="u")
    [message] = inbox.messages()
    assert (message.text, message.blocks, message.edited) == ("u", [], True)
    assert [version.text for version in inbox.versions(message)] == ["t", "u"]


def test_an_edit_with_blocks_is_not_marked(inbox: SlackInbox, slack: WebClient) -> None:
    """With blocks, Slack does not show that it was edited."""
    post = slack.chat_postMessage(channel="general", text="t", blocks=[section("a")])
    slack.chat_update(channel=post["channel"], ts=post["ts"], text="u", blocks=[section("b")])
    [message] = inbox.messages()
    assert (message.blocks, message.edited, message.revision) == ([section("b")], False, 1)


def test_an_edit_without_metadata_keeps_it(inbox: SlackInbox, slack: WebClient) -> None:
    """Metadata stays until an edit brings other metadata."""
    metadata = {"event_type": "a", "event_payload": {"key": "1"}}
    post = slack.chat_postMessage(channel="general", text="t", metadata=metadata)
    slack.chat_update(channel=post["channel"], ts=post["ts"], text="u")
    assert inbox.messages()[0].metadata == metadata


def test_an_edit_pings_nobody_new(inbox: SlackInbox, slack: WebClient) -> None:
    """A mention notifies when it is posted, not when it is edited in."""
    post = slack.chat_postMessage(channel="general", text="t")
    slack.chat_update(channel=post["channel"], ts=post["ts"], text=f"<@{USERS[0].id}>")
    assert inbox.messages()[0].pings == ()


def test_a_message_of_another_cannot_be_edited(inbox: SlackInbox, slack: WebClient) -> None:
    """The bot edits its own messages only, and only those that are there."""
    theirs = inbox.say("general", "mine")
    where = theirs.channel
    assert (
        error_of(lambda: slack.chat_update(channel=where, ts=theirs.ts, text="u"))
        == "cant_update_message"
    )
    assert (
        error_of(lambda: slack.chat_update(channel=where, ts="1.000001", text="u"))
        == "message_not_found"
    )


def test_a_reply_stands_in_the_thread_of_its_parent(inbox: SlackInbox, slack: WebClient) -> None:
    """Replies are read through the thread and counted at the parent."""
    parent = slack.chat_postMessage(channel="general", text="p")
    slack.chat_postMessage(channel="general", text="r", thread_ts=parent["ts"])
    [message, reply] = inbox.messages()
    assert inbox.replies(message) == [reply]
    [shown] = slack.conversations_history(channel=parent["channel"])["messages"]
    assert (shown["text"], shown["reply_count"], shown["latest_reply"]) == ("p", 1, reply.ts)
    thread = slack.conversations_replies(channel=parent["channel"], ts=parent["ts"])
    assert [one["text"] for one in thread["messages"]] == ["p", "r"]


def test_a_thread_hangs_on_a_message_that_is_there(slack: WebClient) -> None:
    """A reply to nothing, or to a reply, is refused."""
    parent = slack.chat_postMessage(channel="general", text="p")["ts"]
    reply = slack.chat_postMessage(channel="general", text="r", thread_ts=parent)["ts"]

    def answer_to(ts: str) -> object:
        return slack.chat_postMessage(channel="general", text="x", thread_ts=ts)

    assert error_of(lambda: answer_to("1.000001")) == "thread_not_found"
    assert error_of(lambda: answer_to(reply)) == "cannot_reply_to_message"


PINGS = {
    "a user": (f"<@{USERS[0].id}>", [], (USERS[0].id,)),
    "a user with a label": (f"<@{USERS[0].id}|ada>", [], (USERS[0].id,)),
    "nobody": ("<@U0NOBODY99>", [], ()),
    "one who left": (f"<@{USERS[2].id}>", [], ()),
    "everybody": ("<!channel> <!here>", [], ("!channel", "!here")),
    "a group": ("<!subteam^S0TEAM001>", [], ("S0TEAM001",)),
    "escaped": ("&lt;!channel&gt; @channel", [], ()),
    "in a block": ("t", [section(f"<@{USERS[0].id}>")], (USERS[0].id,)),
    "bare in a block": ("t", [section("@channel me@channel.org")], ("!channel",)),
    "bare in a verbatim block": (
        "t",
        [{"type": "section", "text": {**mrkdwn("@channel"), "verbatim": True}}],
        (),
    ),
    "in plain text": (
        "t",
        [{"type": "header", "text": {"type": "plain_text", "text": "<!here>"}}],
        (),
    ),
}


@pytest.mark.parametrize(("text", "blocks", "pinged"), PINGS.values(), ids=PINGS.keys())
def test_a_mention_pings_only_whom_it_really_names(
    inbox: SlackInbox,
    slack: WebClient,
    text: str,
    blocks: list[dict[str, object]],
    pinged: tuple[str, ...],
) -> None:
    """The inbox knows whom a message would have woken."""
    slack.chat_postMessage(channel="general", text=text, blocks=blocks)
    assert inbox.messages()[0].pings == pinged


def test_a_permalink_leads_to_the_message(slack: WebClient) -> None:
    """Following the link opens the page at the channel."""
    post = slack.chat_postMessage(channel="general", text="find me")
    link = slack.chat_getPermalink(channel=post["channel"], message_ts=post["ts"])["permalink"]
    with urlopen(str(link)) as answer:
        assert "find me" in answer.read().decode()
    assert (
        error_of(lambda: slack.chat_getPermalink(channel=post["channel"], message_ts="1.000001"))
        == "message_not_found"
    )


def test_a_channel_comes_to_be_on_first_use_if_asked() -> None:
    """The laptop edition knows every name, but no id that it did not give out."""
    with SlackInbox(create_channels=True) as inbox:
        slack = client_of(inbox)
        slack.chat_postMessage(channel="#team-data", text="t")
        assert [message.text for message in inbox.messages("team-data")] == ["t"]
        assert (
            error_of(lambda: slack.chat_postMessage(channel="C0123456789", text="t"))
            == "channel_not_found"
        )
