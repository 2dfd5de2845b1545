"""Misbehaviour on demand, planned from Python and over HTTP."""

import json
from http.client import RemoteDisconnected
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient

from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform_tests.embedded.slack_inbox.answers import error_of, refusal
from ops_platform_tests.embedded.slack_inbox.conftest import client_of

POST = "chat.postMessage"


def say(slack: WebClient, channel: str = "general") -> object:
    """Post a message."""
    return slack.chat_postMessage(channel=channel, text="t")


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("commit", [False, True])
def test_a_server_error_may_hide_a_message_that_landed(
    inbox: SlackInbox, slack: WebClient, status: int, *, commit: bool
) -> None:
    """Only the store tells whether the call was carried out."""
    inbox.fail(Fault(method=POST, status=status, commit=commit))
    assert refusal(lambda: say(slack)).status_code == status
    assert len(inbox.messages()) == int(commit)


def test_too_many_requests_says_how_long_to_wait(inbox: SlackInbox, slack: WebClient) -> None:
    """A planned 429 looks like a real one."""
    inbox.fail(Fault(method=POST, status=429, retry_after=7, times=2))
    for _ in range(2):
        answer = refusal(lambda: say(slack))
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    say(slack)
    assert [call.too_soon for call in inbox.calls()] == [False, True, True]


@pytest.mark.parametrize("error", ["ratelimited", "fatal_error", "msg_blocks_too_long"])
def test_an_error_may_come_inside_a_200(inbox: SlackInbox, slack: WebClient, error: str) -> None:
    """Any code of Slack's can be planned."""
    inbox.fail(Fault(method=POST, error=error))
    answer = refusal(lambda: say(slack))
    assert (answer.status_code, answer["error"]) == (200, error)
    assert inbox.messages() == []


@pytest.mark.parametrize("commit", [False, True])
def test_the_connection_may_be_cut_before_or_after(
    inbox: SlackInbox, slack: WebClient, *, commit: bool
) -> None:
    """The caller cannot tell one from the other; the store can."""
    inbox.fail(Fault(method=POST, cut=True, commit=commit))
    with pytest.raises(RemoteDisconnected):
        say(slack)
    assert len(inbox.messages()) == int(commit)
    assert [call.outcome for call in inbox.calls()] == ["cut"]


def test_a_slow_answer_hides_a_message_that_landed(inbox: SlackInbox) -> None:
    """The caller gives up; the message is there."""
    inbox.fail(Fault(method=POST, delay=30))
    with pytest.raises(TimeoutError):
        say(client_of(inbox, timeout=1))
    assert len(inbox.messages()) == 1


def test_a_held_call_is_not_there_yet_when_its_caller_gives_up(inbox: SlackInbox) -> None:
    """It lands later, behind the caller's back."""
    inbox.fail(Fault(method=POST, hold=30))
    with pytest.raises(TimeoutError):
        say(client_of(inbox, timeout=1))
    assert inbox.messages() == []


def test_garbage_may_be_answered(inbox: SlackInbox, slack: WebClient) -> None:
    """A proxy's page, or anything else that is not Slack's."""
    inbox.fail(Fault(method=POST, body="<html>"))
    assert "non-JSON" in error_of(lambda: say(slack))


def test_a_fault_waits_for_its_turn_and_its_channel(inbox: SlackInbox, slack: WebClient) -> None:
    """Calls before it, and into other channels, pass unharmed."""
    inbox.fail(Fault(method=POST, error="fatal_error", skip=1, channel="general"))
    say(slack, "ops-alerts")
    say(slack)
    assert error_of(lambda: say(slack)) == "fatal_error"
    say(slack)


def test_all_is_well_after_healing(inbox: SlackInbox, slack: WebClient) -> None:
    """What was planned is forgotten."""
    inbox.fail(Fault(method=POST, error="fatal_error", times=100))
    assert error_of(lambda: say(slack)) == "fatal_error"
    inbox.heal()
    say(slack)


def order(inbox: SlackInbox, path: str, body: object, kind: str = "application/json") -> int:
    """Plan a fault over HTTP."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(f"{inbox.url}{path}", data=data, headers={"Content-Type": kind})
    try:
        with urlopen(request) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_faults_are_planned_over_http(inbox: SlackInbox, slack: WebClient) -> None:
    """Another process can plan and clear them."""
    assert order(inbox, "/faults", {"method": POST, "error": "fatal_error", "times": 9}) == 200
    assert error_of(lambda: say(slack)) == "fatal_error"
    assert order(inbox, "/faults/clear", {}) == 200
    say(slack)


@pytest.mark.parametrize(
    ("path", "body", "kind", "status"),
    [
        ("/faults", {"metod": POST}, "application/json", 400),
        ("/faults", b"{", "application/json", 400),
        ("/faults", {"method": POST}, "text/plain", 415),
        ("/faults", {"method": POST}, "application/x-www-form-urlencoded", 415),
        ("/elsewhere", {}, "application/json", 404),
    ],
)
def test_an_order_that_is_not_understood_is_refused(
    inbox: SlackInbox, path: str, body: object, kind: str, status: int
) -> None:
    """Nor can a page of another site plan a fault by posting a form."""
    assert order(inbox, path, body, kind) == status


def read(inbox: SlackInbox, path: str) -> Any:
    """Return what an endpoint of the inbox tells."""
    with urlopen(f"{inbox.url}{path}") as answer:
        return json.loads(answer.read())


def test_the_store_and_the_log_are_read_over_http(inbox: SlackInbox, slack: WebClient) -> None:
    """Another process sees messages and calls."""
    say(slack)
    say(slack, "ops-alerts")
    [message] = read(inbox, "/inbox.json?channel=ops-alerts")["messages"]
    assert message["text"] == "t"
    assert len(read(inbox, "/inbox.json")["messages"]) == 2
    assert [call["outcome"] for call in read(inbox, "/calls.json")["calls"]] == ["ok", "ok"]
