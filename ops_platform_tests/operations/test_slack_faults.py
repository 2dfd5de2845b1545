"""Whatever Slack does, each incident ends told once, or dead for all to see.

And nothing is asked of Slack again before it wants to be asked.
"""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.embedded.slack_inbox.store import Message
from ops_platform_tests.operations.delivery_world import CHANNELS, FALLBACK, World, world_around
from ops_platform_tests.operations.failing_runs import Run
from ops_platform_tests.operations.sender_room import key_of

POST = "chat.postMessage"
EDIT = "chat.update"
HISTORY = "conversations.history"
REPLIES = "conversations.replies"
LINK = "chat.getPermalink"
STAGING = CHANNELS["staging"]


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(emptied_ledger) as made:
        yield made


def assert_told_once(world: World, *, dead: int = 0) -> None:
    """Check that each message is in Slack once, or dead, and that nothing came too soon."""
    copies = Counter(map(key_of, world.inbox.messages()))
    told = world.alerts()
    for alert in told:
        expected = 1 if alert.state == "sent" else 0
        assert copies[alert.key] == expected, alert
        assert alert.state in {"sent", "dead", "withheld"}
        assert alert.state == "sent" or alert.reason
    assert sum(alert.state == "dead" for alert in told) == dead
    assert [call for call in world.inbox.calls() if call.too_soon] == []


STORMS = {
    "429": [Fault(method=POST, status=429, retry_after=3, times=20)],
    "429 of everything": [
        Fault(method=method, status=429, retry_after=20, times=4)
        for method in (POST, EDIT, HISTORY, REPLIES, LINK, "conversations.list")
    ],
    "ratelimited in a 200": [Fault(method=POST, error="ratelimited", times=8)],
    "500": [Fault(method=POST, status=500, times=6)],
    "502": [Fault(method=POST, status=502, times=6)],
    "503 after": [Fault(method=POST, status=503, commit=True, times=6)],
    "cut": [Fault(method=POST, cut=True, times=6)],
    "cut after": [Fault(method=POST, cut=True, commit=True, times=6)],
    "cut in turns": [
        Fault(method=POST, cut=True, commit=commit, times=1) for commit in (True, False) * 4
    ],
    "edits": [
        Fault(method=EDIT, status=500, commit=True),
        Fault(method=EDIT, status=429, retry_after=40),
        Fault(method=EDIT, cut=True),
        Fault(method=EDIT, error="ratelimited"),
    ],
    "replies are doubtful, and their look-up too": [
        Fault(method=POST, skip=3, cut=True, commit=True, times=4),
        Fault(method=REPLIES, status=500, times=2),
        Fault(method=REPLIES, status=429, retry_after=33, times=2),
    ],
}


@pytest.mark.parametrize("storm", STORMS.values(), ids=STORMS.keys())
def test_a_storm_delays_messages_edits_and_threads_and_doubles_none(
    world: World, storm: list[Fault]
) -> None:
    """Three runs fail, one of them recovers; then Slack is as it should be."""
    for fault in storm:
        world.inbox.fail(fault)
    for number in range(3):
        world.happened(Run(f"run-{number}", flow=f"Flow{number}"))
    world.settle()
    world.until_quiet(seconds=7)
    world.wait(minutes=5)
    world.happened(Run("run-0", flow="Flow0"), "SUCCEEDED")
    world.until_quiet(seconds=7)
    assert_told_once(world)
    assert len(world.messages()) == 3


KINDS: list[dict[str, Any]] = [{"status": 429}, {"status": 500}, {"status": 503}, {"cut": True}]


def test_a_random_storm_ends_with_each_incident_told_once(world: World) -> None:
    """Any answer, to any call, in any order."""
    chance = random.Random(2026)
    methods = (POST, POST, POST, EDIT, HISTORY, REPLIES, LINK)
    for _ in range(60):
        kind = chance.choice(KINDS)
        fault = Fault(
            method=chance.choice(methods),
            commit=chance.random() < 0.5,
            retry_after=chance.randint(1, 40),
            skip=chance.randint(0, 2),
            **kind,
        )
        world.inbox.fail(fault)
    for number in range(8):
        account = chance.choice(sorted(CHANNELS))
        run = Run(f"run-{number}", flow=f"Flow{number}", account=account)
        world.happened(run)
        world.wait(seconds=chance.randint(1, 90))
        world.deliver()
        if chance.random() < 0.5:
            world.wait(minutes=3)
            world.happened(run, chance.choice(["SUCCEEDED", "FAILED"]))
    world.until_quiet(rounds=600, seconds=13)
    assert_told_once(world)


def test_a_slow_answer_is_looked_for(world: World) -> None:
    """The post, the edit, and what stands in the thread."""
    run = Run("run")
    world.happened(run)
    world.settle()
    world.inbox.fail(Fault(method=POST, delay=1.3))
    assert world.deliver(timeout=1) == ["ambiguous"]
    world.until_quiet()
    world.inbox.fail(Fault(method=EDIT, delay=1.3))
    world.inbox.fail(Fault(method=POST, delay=1.3))
    world.wait(minutes=1)
    world.happened(run, "SUCCEEDED")
    assert world.deliver(timeout=1) == ["ambiguous"]
    world.until_quiet()
    assert_told_once(world)


# --- what will not pass as it is ------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", ["invalid_blocks", "msg_blocks_too_long", "invalid_blocks_format"]
)
def test_a_message_whose_blocks_are_refused_is_told_in_plain_text(world: World, error: str) -> None:
    """At once, with the same mention; its page as well."""
    world.failed_run("run")
    world.settle()
    world.inbox.fail(Fault(method=POST, error=error, times=1))
    assert world.deliver() == ["pending", "sent"]
    (message,) = world.messages()
    assert (message.blocks, message.pings) == ([], ("U0ADA00001",))
    assert_told_once(world)


def test_a_message_that_is_refused_in_plain_text_too_is_dead(world: World) -> None:
    """Nothing else could be tried."""
    incident = world.failed_run("run")
    world.settle()
    world.inbox.fail(Fault(method=POST, error="msg_too_long", times=2))
    assert world.deliver() == ["pending", "dead"]
    assert world.alert(incident).reason == "msg_too_long"
    assert_told_once(world, dead=1)


@pytest.mark.parametrize("error", ["channel_not_found", "is_archived", "not_in_channel"])
def test_a_channel_that_is_gone_is_told_in_the_fallback_channel(world: World, error: str) -> None:
    """With the channel it was meant for; the thread and the edits follow there."""
    world.fallback = FALLBACK
    run = Run("run")
    world.happened(run)
    world.settle()
    world.inbox.fail(Fault(method=POST, channel=STAGING, error=error, times=1000))
    assert world.deliver() == ["pending", "sent"]
    (message,) = world.posted(FALLBACK)
    assert STAGING in str(message.blocks)
    world.wait(minutes=5)
    world.happened(run, "SUCCEEDED")
    world.until_quiet()
    (message,) = world.posted(FALLBACK)
    assert (message.revision, len(world.inbox.replies(message))) == (1, 2)
    assert_told_once(world)


def test_without_a_fallback_channel_it_is_tried_for_a_day_and_then_dead(world: World) -> None:
    """Somebody may invite the app before."""
    early, late = world.failed_run("early"), world.happened(Run("late", flow="Other"))
    world.settle()
    world.inbox.fail(Fault(method=POST, channel=STAGING, error="channel_not_found", times=4))
    world.until_quiet(seconds=600)
    assert {world.alert(one).state for one in (early, late)} == {"sent"}
    gone = world.happened(Run("gone", flow="Third"))
    world.settle()
    world.inbox.fail(Fault(method=POST, channel=STAGING, error="channel_not_found", times=1000))
    world.until_quiet(seconds=600)
    assert (world.alert(gone).state, world.alert(gone).reason) == ("dead", "channel_not_found")


def test_a_dead_message_is_told_when_its_run_fails_again(world: World) -> None:
    """By then somebody may have repaired what killed it."""
    run = Run("run")
    incident = world.happened(run)
    world.settle()
    world.inbox.fail(Fault(method=POST, error="msg_too_long", times=2))
    assert world.deliver() == ["pending", "dead"]
    world.wait(minutes=10)
    world.happened(run)
    world.settle()
    assert world.deliver() == ["sent"]
    assert world.alert(incident).reason is None


def test_a_revoked_token_holds_all_up_until_there_is_another(world: World) -> None:
    """Nothing is lost, and nothing hammers at the door."""
    for number in range(3):
        world.happened(Run(f"run-{number}", flow=f"Flow{number}"))
    world.settle()
    world.inbox.fail(Fault(method=POST, error="token_revoked", times=9))
    for _ in range(3):
        assert world.deliver() == ["pending"] * 3
        assert world.deliver() == []
        world.wait(minutes=10)
    world.until_quiet()
    assert_told_once(world)


def test_a_channel_that_fails_does_not_hold_back_another(world: World) -> None:
    """One is limited, then gone; the other is told at once."""
    for number in range(3):
        world.happened(Run(f"run-{number}", flow=f"Flow{number}"))
    world.wait(seconds=1)
    world.failed_run("other", account="production")
    world.settle()
    world.inbox.fail(Fault(method=POST, channel=STAGING, status=429, retry_after=300))
    assert world.deliver() == ["pending", "sent"]
    world.wait(seconds=300)
    world.happened(Run("next", account="production", flow="Next"))
    world.settle()
    world.inbox.fail(Fault(method=POST, channel=STAGING, error="is_archived", times=1000))
    world.deliver()
    assert len(world.messages("production")) == 2
    assert world.messages() == []


# --- what stood there is gone ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", ["message_not_found", "cant_update_message", "edit_window_closed"]
)
def test_a_message_that_cannot_be_edited_is_posted_anew_with_its_thread(
    world: World, error: str
) -> None:
    """Since what it says is not true any more."""
    run = Run("run")
    incident = world.happened(run)
    world.settle()
    world.until_quiet()
    old = world.alert(incident).message_ts
    world.came(run.arn, run.failed_job(7, world.clock().replace(minute=0)))
    world.update()
    world.inbox.fail(Fault(method=EDIT, error=error))
    world.until_quiet()
    first, second = world.messages()
    assert (first.ts, second.ts) == (old, world.alert(incident).message_ts)
    assert [len(world.inbox.replies(one)) for one in (first, second)] == [1, 1]
    assert "3 jobs failed" in str(second.blocks)


def test_a_message_that_is_gone_and_over_is_not_posted_anew(world: World) -> None:
    """Nobody needs it any more."""
    run = Run("run")
    incident = world.happened(run)
    world.settle()
    world.until_quiet()
    world.inbox.fail(Fault(method=EDIT, error="message_not_found"))
    world.wait(minutes=5)
    world.happened(run, "SUCCEEDED")
    world.until_quiet()
    assert len(world.messages()) == 1
    assert world.alert(incident).state == "withheld"


def test_a_channel_that_goes_after_it_was_told_moves_the_message(world: World) -> None:
    """The edit is refused, so that it is posted anew in the fallback channel."""
    world.fallback = FALLBACK
    run = Run("run")
    world.happened(run)
    world.settle()
    world.until_quiet()
    world.came(run.arn, run.failed_job(7, world.clock().replace(minute=0)))
    world.update()
    world.inbox.fail(Fault(method=EDIT, error="is_archived"))
    world.until_quiet()
    (moved,) = world.posted(FALLBACK)
    assert len(world.inbox.replies(moved)) == 1
    assert "3 jobs failed" in str(moved.blocks)


def test_a_part_whose_thread_is_gone_is_dead_and_says_so(world: World) -> None:
    """It is not posted into the channel instead."""
    world.failed_run("run")
    world.settle()
    world.inbox.fail(Fault(method=POST, skip=1, error="thread_not_found"))
    world.until_quiet()
    assert [message.is_reply for message in all_of(world)] == [False]
    assert_told_once(world, dead=1)


def all_of(world: World) -> list[Message]:
    """Return everything that stands in Slack."""
    return world.inbox.messages()
