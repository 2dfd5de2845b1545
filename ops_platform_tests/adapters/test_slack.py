"""What the notifier says of each attempt, held against what is really in the channel."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk import WebClient

from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.delivery import (
    Ambiguous,
    Delivery,
    Fault,
    LookupUnavailable,
    RateLimited,
    Refused,
    Sent,
    Unreachable,
)
from ops_platform.embedded.slack_inbox import faults
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.rates import Rates, per_minute
from ops_platform.embedded.slack_inbox.workspace import CHANNELS, USERS, channel, channel_id

TOKEN = "xoxb-test"
CHANNEL = channel_id("ops-alerts")
POST, UPDATE, HISTORY = "chat.postMessage", "chat.update", "conversations.history"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}


@pytest.fixture
def inbox() -> Iterator[SlackInbox]:
    """Run an inbox that keeps nothing and takes more than one message a second."""
    channels = (*CHANNELS, channel("old", is_archived=True), channel("private", is_member=False))
    rates = Rates(post=per_minute(6000), posts_together=per_minute(6000))
    with SlackInbox(channels=channels, rates=rates) as running:
        yield running


@pytest.fixture
def notifier(inbox: SlackInbox) -> SlackNotifier:
    """Return a notifier for it."""
    return notifier_at(inbox.api_url)


def notifier_at(url: str, *, timeout: int = 10) -> SlackNotifier:
    """Return a notifier whose client tries nothing twice."""
    return SlackNotifier(WebClient(TOKEN, base_url=url, timeout=timeout, retry_handlers=[]))


def post(notifier: SlackNotifier, where: str = "ops-alerts", key: str = "incident-1") -> Delivery:
    """Post an alert."""
    return notifier.post(channel=where, text="failed", blocks=[SECTION], metadata_key=key)


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def test_a_post_carries_what_finds_it_again(inbox: SlackInbox, notifier: SlackNotifier) -> None:
    """The key is in the metadata, and the client's id is always the same for a key."""
    sent = post(notifier)
    again = post(notifier)
    assert isinstance(sent, Sent)
    assert isinstance(again, Sent)
    first, second = inbox.messages("ops-alerts")
    assert (sent.channel, sent.ts) == (CHANNEL, first.ts)
    assert first.metadata == {"event_type": "ops_alert", "event_payload": {"key": "incident-1"}}
    assert first.client_msg_id == second.client_msg_id is not None
    assert first.blocks == [SECTION]


def test_a_reply_goes_into_the_thread(inbox: SlackInbox, notifier: SlackNotifier) -> None:
    """Details hang on the alert."""
    sent = post(notifier)
    assert isinstance(sent, Sent)
    notifier.post(
        channel=sent.channel, text="more", blocks=[], metadata_key="1:t", thread_ts=sent.ts
    )
    [alert, reply] = inbox.messages("ops-alerts")
    assert inbox.replies(alert) == [reply]


def test_an_edit_replaces_the_message_and_keeps_its_key(
    inbox: SlackInbox, notifier: SlackNotifier
) -> None:
    """The same message says something new, and is still found."""
    sent = post(notifier)
    assert isinstance(sent, Sent)
    blocks = [{"type": "divider"}]
    edited = notifier.update(
        channel=sent.channel, ts=sent.ts, text="resolved", blocks=blocks, metadata_key="incident-1"
    )
    assert edited == sent
    [message] = inbox.messages("ops-alerts")
    assert (message.text, message.blocks, message.revision) == ("resolved", blocks, 1)
    found = notifier.find(channel=CHANNEL, metadata_key="incident-1", since=now())
    assert found == sent.ts


def test_a_client_that_retries_by_itself_is_refused() -> None:
    """It would post twice when a connection is lost."""
    with pytest.raises(ValueError, match=r"retry_handlers=\[\]"):
        SlackNotifier(WebClient(TOKEN))


Planned = faults.Fault

# What goes wrong, what the notifier says, how many messages are in the channel.
ATTEMPTS: dict[str, tuple[Planned, Delivery, int]] = {
    "429": (Planned(method=POST, status=429, retry_after=17), RateLimited(17), 0),
    "ratelimited in a 200": (Planned(method=POST, error="ratelimited"), RateLimited(30), 0),
    "rate_limited": (Planned(method=POST, error="rate_limited"), RateLimited(30), 0),
    "message_limit_exceeded": (
        Planned(method=POST, error="message_limit_exceeded"),
        RateLimited(30),
        0,
    ),
    "500": (Planned(method=POST, status=500), Ambiguous("HTTP 500"), 0),
    "500 after commit": (Planned(method=POST, status=500, commit=True), Ambiguous("HTTP 500"), 1),
    "502": (Planned(method=POST, status=502), Ambiguous("HTTP 502"), 0),
    "503": (Planned(method=POST, status=503), Ambiguous("HTTP 503"), 0),
    "503 in JSON": (
        Planned(method=POST, status=503, error="service_unavailable"),
        Ambiguous("HTTP 503"),
        0,
    ),
    "fatal_error": (Planned(method=POST, error="fatal_error"), Ambiguous("fatal_error"), 0),
    "fatal_error after commit": (
        Planned(method=POST, error="fatal_error", commit=True),
        Ambiguous("fatal_error"),
        1,
    ),
    "internal_error": (
        Planned(method=POST, error="internal_error"),
        Ambiguous("internal_error"),
        0,
    ),
    "a page": (
        Planned(method=POST, body="<html>"),
        Ambiguous("HTTP 200 without an answer of Slack's"),
        0,
    ),
    "an empty page": (
        Planned(method=POST, body="", commit=True),
        Ambiguous("HTTP 200 without an answer of Slack's"),
        1,
    ),
    "a refusal by a proxy": (
        Planned(method=POST, status=403),
        Ambiguous("HTTP 403 without an answer of Slack's"),
        0,
    ),
    "an empty object": (
        Planned(method=POST, body="{}"),
        Ambiguous("HTTP 200 without an answer of Slack's"),
        0,
    ),
    "null": (
        Planned(method=POST, body="null"),
        Ambiguous("HTTP 200 without an answer of Slack's"),
        0,
    ),
    "ok without a ts": (
        Planned(method=POST, body='{"ok": true}'),
        Ambiguous("an answer without a ts"),
        0,
    ),
    "invalid_blocks": (
        Planned(method=POST, error="invalid_blocks"),
        Refused("invalid_blocks", fault=Fault.CONTENT),
        0,
    ),
    "msg_blocks_too_long": (
        Planned(method=POST, error="msg_blocks_too_long"),
        Refused("msg_blocks_too_long", fault=Fault.CONTENT),
        0,
    ),
    "channel_not_found": (
        Planned(method=POST, error="channel_not_found"),
        Refused("channel_not_found", fault=Fault.CHANNEL),
        0,
    ),
    "token_revoked": (
        Planned(method=POST, error="token_revoked"),
        Refused("token_revoked", fault=Fault.TOKEN),
        0,
    ),
    "missing_scope": (
        Planned(method=POST, error="missing_scope"),
        Refused("missing_scope", fault=Fault.TOKEN),
        0,
    ),
    "locked thread": (
        Planned(method=POST, error="restricted_action_thread_locked"),
        Refused("restricted_action_thread_locked", fault=Fault.MESSAGE),
        0,
    ),
    "a state that passes": (
        Planned(method=POST, error="team_added_to_org"),
        Refused("team_added_to_org", permanent=False, fault=Fault.PASSING),
        0,
    ),
    "a code we do not know": (
        Planned(method=POST, error="wrong_phase_of_moon"),
        Refused("wrong_phase_of_moon"),
        0,
    ),
}


@pytest.mark.parametrize(("fault", "outcome", "stored"), ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_each_answer_is_told_apart(
    inbox: SlackInbox, notifier: SlackNotifier, fault: Planned, outcome: Delivery, stored: int
) -> None:
    """Refused only if certainly not there; one request, whatever comes."""
    inbox.fail(fault)
    assert post(notifier) == outcome
    assert len(inbox.messages()) == stored
    assert len(inbox.calls(POST)) == 1


LOST: dict[str, tuple[Planned, int]] = {
    "cut before": (Planned(method=POST, cut=True), 0),
    "cut after commit": (Planned(method=POST, cut=True, commit=True), 1),
    "slow after commit": (Planned(method=POST, delay=30), 1),
    "slow before": (Planned(method=POST, hold=30), 0),
    "JSON that is no object": (Planned(method=POST, body="[1]"), 0),
    "JSON in a broken encoding": (Planned(method=POST, body='{"ok": tru'), 0),
}


@pytest.mark.parametrize(("fault", "stored"), LOST.values(), ids=LOST.keys())
def test_a_lost_answer_is_ambiguous_and_looked_up(
    inbox: SlackInbox, fault: Planned, stored: int
) -> None:
    """The look-up tells what the answer did not."""
    inbox.fail(fault)
    notifier = notifier_at(inbox.api_url, timeout=1)
    assert isinstance(post(notifier), Ambiguous)
    assert len(inbox.messages()) == stored
    found = notifier.find(channel="ops-alerts", metadata_key="incident-1", since=now())
    assert found == (inbox.messages()[0].ts if stored else None)


def test_a_refused_connection_was_never_sent() -> None:
    """With nobody listening, the message cannot have arrived."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/api/"
        assert isinstance(post(notifier_at(url)), Unreachable)


def test_an_unknown_host_was_never_sent() -> None:
    """Without an address, the message cannot have arrived."""
    assert isinstance(post(notifier_at("http://slack.invalid/api/")), Unreachable)


@pytest.mark.parametrize(
    ("where", "error"),
    [("nowhere", "channel_not_found"), ("old", "is_archived"), ("private", "not_in_channel")],
)
def test_a_closed_channel_refuses(notifier: SlackNotifier, where: str, error: str) -> None:
    """The refusal blames the channel, so that another can be tried."""
    assert post(notifier, where) == Refused(error, fault=Fault.CHANNEL)


def test_real_limits_refuse_the_content(notifier: SlackNotifier) -> None:
    """The refusal blames the content, so that plain text can be tried."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 5
    outcome = notifier.post(channel=CHANNEL, text="t", blocks=blocks, metadata_key="1")
    assert outcome == Refused("msg_blocks_too_long", fault=Fault.CONTENT)
    plain = notifier.post(channel=CHANNEL, text="t", blocks=[], metadata_key="1")
    assert isinstance(plain, Sent)


def test_a_real_burst_is_told_to_wait() -> None:
    """The wait is a number to plan by; the notifier itself never sleeps."""
    with SlackInbox() as inbox:
        notifier = notifier_at(inbox.api_url)
        outcomes = [post(notifier, key=str(number)) for number in range(8)]
        assert [type(outcome) for outcome in outcomes[:5]] == [Sent] * 5
        assert outcomes[-1] == RateLimited(1)


EDITS = {
    "gone": ("message_not_found", Refused("message_not_found", fault=Fault.MESSAGE)),
    "another's": ("cant_update_message", Refused("cant_update_message", fault=Fault.MESSAGE)),
    "too late": ("edit_window_closed", Refused("edit_window_closed", fault=Fault.MESSAGE)),
    "too often": ("ratelimited", RateLimited(30)),
    "unknown": ("fatal_error", Ambiguous("fatal_error")),
}


@pytest.mark.parametrize(("error", "outcome"), EDITS.values(), ids=EDITS.keys())
def test_an_edit_that_fails_is_told_apart(
    inbox: SlackInbox, notifier: SlackNotifier, error: str, outcome: Delivery
) -> None:
    """A message that is gone is blamed, so that a fresh one can be posted."""
    sent = post(notifier)
    assert isinstance(sent, Sent)
    inbox.fail(Planned(method=UPDATE, error=error))
    edit = notifier.update(
        channel=CHANNEL, ts=sent.ts, text="u", blocks=[], metadata_key="incident-1"
    )
    assert edit == outcome


def test_the_look_up_reads_every_page(inbox: SlackInbox, notifier: SlackNotifier) -> None:
    """Hundreds of later messages, of people and of ours, do not hide one."""
    sent = post(notifier, key="wanted")
    assert isinstance(sent, Sent)
    for number in range(450):
        inbox.say("ops-alerts", f"chatter {number}")
    post(notifier, key="other")
    assert notifier.find(channel=CHANNEL, metadata_key="wanted", since=now()) == sent.ts
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
    sent = post(notifier)
    assert isinstance(sent, Sent)
    for ahead, expected in ((timedelta(minutes=4), sent.ts), (timedelta(hours=1), None)):
        found = notifier.find(channel=CHANNEL, metadata_key="incident-1", since=now() + ahead)
        assert found == expected


def test_a_reply_is_looked_up_in_its_thread(notifier: SlackNotifier) -> None:
    """A channel's history has no replies."""
    sent = post(notifier)
    assert isinstance(sent, Sent)
    reply = notifier.post(
        channel=CHANNEL, text="r", blocks=[], metadata_key="reply", thread_ts=sent.ts
    )
    assert isinstance(reply, Sent)
    wanted = {"channel": CHANNEL, "metadata_key": "reply"}
    assert notifier.find(**wanted, since=now()) is None
    assert notifier.find(**wanted, since=now(), thread_ts=sent.ts) == reply.ts


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
    WebClient(TOKEN, base_url=inbox.api_url, retry_handlers=[]).chat_postMessage(
        channel=CHANNEL, text="theirs", metadata=metadata
    )
    assert notifier.find(channel=CHANNEL, metadata_key="incident-1", since=now()) is None


UNAVAILABLE: dict[str, tuple[Planned, LookupUnavailable]] = {
    "no scope": (
        Planned(method=HISTORY, error="missing_scope"),
        LookupUnavailable("missing_scope"),
    ),
    "too often": (
        Planned(method=HISTORY, status=429, retry_after=9),
        LookupUnavailable("ratelimited", 9, passing=True),
    ),
    "broken": (Planned(method=HISTORY, status=500), LookupUnavailable("HTTP 500", passing=True)),
}


@pytest.mark.parametrize(("fault", "answer"), UNAVAILABLE.values(), ids=UNAVAILABLE.keys())
def test_a_look_up_that_fails_says_so(
    inbox: SlackInbox, notifier: SlackNotifier, fault: Planned, answer: LookupUnavailable
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
    inbox.fail(Planned(method="users.lookupByEmail", status=429, retry_after=3))
    assert notifier.lookup_user("ada@example.com") == LookupUnavailable(
        "ratelimited", 3, passing=True
    )


def test_a_permalink_is_told_if_there_is_one(notifier: SlackNotifier, inbox: SlackInbox) -> None:
    """It is a convenience: without it the alert is sent all the same."""
    sent = post(notifier)
    assert isinstance(sent, Sent)
    link = notifier.permalink(channel=sent.channel, ts=sent.ts)
    assert link == f"{inbox.url}/archives/{CHANNEL}/p{sent.ts.replace('.', '')}"
    assert notifier.permalink(channel=sent.channel, ts="1.000001") is None
