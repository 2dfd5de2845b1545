"""What the notifier says of each attempt, held against what is really in the channel."""

import socket

import pytest
from slack_sdk import WebClient

from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.delivery import (
    Ambiguous,
    Delivery,
    Fault,
    RateLimited,
    Refused,
    Sent,
    Unreachable,
)
from ops_platform.embedded.slack_inbox import faults
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform_tests.adapters.slack_world import (
    CHANNEL,
    SECTION,
    TOKEN,
    notifier_at,
    now,
    post,
    sent,
)

POST, UPDATE = "chat.postMessage", "chat.update"


def test_a_post_carries_what_finds_it_again(inbox: SlackInbox, notifier: SlackNotifier) -> None:
    """The key is in the metadata, and the client's id is always the same for a key."""
    alert = sent(notifier)
    sent(notifier)
    first, second = inbox.messages("ops-alerts")
    assert (alert.channel, alert.ts) == (CHANNEL, first.ts)
    assert first.metadata == {"event_type": "ops_alert", "event_payload": {"key": "incident-1"}}
    assert first.client_msg_id == second.client_msg_id is not None
    assert first.blocks == [SECTION]


def test_a_reply_goes_into_the_thread(inbox: SlackInbox, notifier: SlackNotifier) -> None:
    """Details hang on the alert."""
    alert = sent(notifier)
    notifier.post(
        channel=alert.channel, text="more", blocks=[], metadata_key="1:t", thread_ts=alert.ts
    )
    [parent, reply] = inbox.messages("ops-alerts")
    assert inbox.replies(parent) == [reply]


def test_an_edit_replaces_the_message_and_keeps_its_key(
    inbox: SlackInbox, notifier: SlackNotifier
) -> None:
    """The same message says something new, and is still found."""
    alert = sent(notifier)
    blocks = [{"type": "divider"}]
    edited = notifier.update(
        channel=alert.channel,
        ts=alert.ts,
        text="resolved",
        blocks=blocks,
        metadata_key="incident-1",
    )
    assert edited == alert
    [message] = inbox.messages("ops-alerts")
    assert (message.text, message.blocks, message.revision) == ("resolved", blocks, 1)
    found = notifier.find(channel=CHANNEL, metadata_key="incident-1", since=now())
    assert found == alert


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
    assert found == (Sent(CHANNEL, inbox.messages()[0].ts) if stored else None)


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
    alert = sent(notifier)
    inbox.fail(Planned(method=UPDATE, error=error))
    edit = notifier.update(
        channel=CHANNEL, ts=alert.ts, text="u", blocks=[], metadata_key="incident-1"
    )
    assert edit == outcome
