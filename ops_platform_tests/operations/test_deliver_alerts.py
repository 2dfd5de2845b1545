"""Delivery through real HTTP into a Slack that keeps Slack's limits, from a real ledger."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.outbox import UNSURE_WAIT
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.operations.deliver_alerts import LOOKUP_PATIENCE
from ops_platform_tests.build import ROUTING
from ops_platform_tests.operations.delivery_world import (
    CHANNELS,
    SETTLE,
    World,
    world_around,
)

POST = "chat.postMessage"
HISTORY = "conversations.history"


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(emptied_ledger) as made:
        yield made


def test_an_incident_becomes_one_message_that_mentions_its_owner(world: World) -> None:
    """However often the sender looks, one failed run is one message."""
    incident = world.failed_run("run-1")
    world.settle()

    assert [world.deliver() for _ in range(3)] == [["sent"], [], []]

    (message,) = world.messages()
    assert message.pings == ("U0ADA00001",)
    assert "TrainFlow failed in staging" in message.text
    alert = world.alert(incident)
    assert (alert.message_ts, alert.attempts) == (message.ts, 1)
    assert alert.permalink
    assert alert.permalink.startswith(f"{world.inbox.url}/archives/{message.channel}/p")
    assert alert.sent_at == world.clock()
    assert world.alerts_sent() == 1


def test_nothing_is_sent_before_the_settle_time_is_over(world: World) -> None:
    """The incident is there at once, its message only after the settle time."""
    world.failed_run("run-1")
    world.clock.advance(SETTLE - timedelta(seconds=1))
    assert world.deliver() == []
    world.wait(seconds=1)
    assert world.deliver() == ["sent"]


def test_a_run_that_was_redriven_to_success_before_it_was_due_is_not_told(world: World) -> None:
    """Nobody is woken for what is over."""
    incident = world.failed_run("run-1")
    world.wait(seconds=30)
    world.failed_run("run-1", status="SUCCEEDED")
    world.settle()
    assert world.deliver() == ["withheld"]
    assert world.alert(incident).reason == "resolved before it was due"
    assert (world.messages(), world.alerts_sent()) == ([], 0)


def test_each_account_is_told_in_its_own_channel(world: World) -> None:
    """A failed run of production is not told in staging's channel."""
    world.failed_run("run-1", account="staging")
    world.failed_run("run-2", account="production")
    world.settle()
    assert world.deliver() == ["sent", "sent"]
    assert [len(world.messages(account)) for account in CHANNELS] == [1, 1]


def test_an_alert_without_a_channel_is_withheld_and_says_so(world: World) -> None:
    """It does not wait for ever in silence, nor hold up the rest."""
    world.configure(routing=replace(ROUTING, channels={"production": CHANNELS["production"]}))
    lost, kept = (world.failed_run(f"run-{name}", account=name) for name in CHANNELS)
    world.settle()
    assert world.deliver() == ["sent"]
    assert (world.alert(lost).state, world.alert(lost).reason) == ("withheld", "no channel is set")
    assert world.alert(kept).state == "sent"


def test_the_time_budget_ends_a_round_between_two_alerts(world: World) -> None:
    """What does not fit is due in the next round; the lease is free in between."""
    for number in range(3):
        world.failed_run(f"run-{number}")
    world.settle()
    assert world.deliver(seconds=0) == []
    assert world.deliver("two") == ["sent"] * 3


# --- what Slack may answer ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "state", "waits"),
    [
        pytest.param(Fault(method=POST, error="thread_not_found"), "dead", None, id="refused"),
        pytest.param(Fault(method=POST, error="token_revoked"), "pending", 600, id="token"),
        pytest.param(Fault(method=POST, error="channel_not_found"), "pending", 600, id="channel"),
        pytest.param(Fault(method=POST, error="brand_new_error"), "pending", 600, id="unknown"),
        pytest.param(Fault(method=POST, error="request_timeout"), "pending", 5, id="passing"),
        pytest.param(Fault(method=POST, status=429, retry_after=7), "pending", 7, id="limited"),
        pytest.param(Fault(method=POST, error="ratelimited"), "pending", 30, id="limited in 200"),
        pytest.param(Fault(method=POST, status=500), "ambiguous", 30, id="500"),
        pytest.param(Fault(method=POST, status=503, commit=True), "ambiguous", 30, id="503 after"),
        pytest.param(Fault(method=POST, error="fatal_error"), "ambiguous", 30, id="fatal_error"),
        pytest.param(Fault(method=POST, body="<html>"), "ambiguous", 30, id="not Slack"),
        pytest.param(Fault(method=POST, cut=True), "ambiguous", 30, id="cut before"),
        pytest.param(Fault(method=POST, cut=True, commit=True), "ambiguous", 30, id="cut after"),
        pytest.param(Fault(method=POST, delay=1.5), "ambiguous", 30, id="answered too late"),
    ],
)
def test_a_fault_of_slack_delays_the_alert_and_never_doubles_it(
    world: World, fault: Fault, state: str, waits: int | None
) -> None:
    """Each fault has its state and due time; when Slack is well again there is one message."""
    incident = world.failed_run("run-1")
    world.settle()
    world.inbox.fail(fault)

    assert world.deliver(timeout=1 if fault.delay else 10) == [state]
    alert = world.alert(incident)
    assert alert.reason
    if waits is None:
        assert (world.deliver(), world.messages()) == ([], [])
        return
    assert alert.due_at == world.clock() + timedelta(seconds=waits)
    world.wait(seconds=waits - 1)
    assert world.deliver() == []
    world.wait(seconds=1)
    assert world.deliver() == ["sent"]
    (message,) = world.messages()
    assert world.alert(incident).message_ts == message.ts
    assert not any(call.too_soon for call in world.inbox.calls())


def test_a_token_that_nobody_repairs_ends_in_a_dead_alert(world: World) -> None:
    """After a day of attempts the alert is given up, and shown as such."""
    incident = world.failed_run("run-1")
    world.settle()
    world.inbox.fail(Fault(method=POST, error="token_revoked", times=1000))
    for _ in range(24 * 6):
        assert world.deliver() == ["pending"]
        world.wait(minutes=10)
    assert world.deliver() == ["dead"]
    assert (world.alert(incident).reason, world.deliver()) == ("token_revoked", [])


def test_an_unreachable_slack_is_tried_again_later_and_later(world: World) -> None:
    """The time between attempts doubles, up to ten minutes."""
    incident = world.failed_run("run-1")
    world.settle()
    world.inbox.stop()
    waits = []
    for _ in range(9):
        assert world.deliver() == ["pending"]
        waits.append((world.alert(incident).due_at - world.clock()).total_seconds())
        world.wait(seconds=waits[-1])
    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600]


def test_a_message_in_doubt_is_found_after_an_outage_of_slack(world: World) -> None:
    """While nobody can look, nothing is sent: the first copy is still known when Slack is back."""
    incident = world.failed_run("run-1")
    world.settle()
    world.inbox.fail(Fault(method=POST, cut=True, commit=True))
    assert world.deliver() == ["ambiguous"]
    world.inbox.fail(Fault(method=HISTORY, body='{"ok": true}'))
    for method in (HISTORY, POST):
        world.inbox.fail(Fault(method=method, status=503, times=100))
    for _ in range(3):
        world.wait(seconds=60)
        assert world.deliver() == ["ambiguous"]
    world.inbox.heal()
    world.wait(minutes=5)
    assert world.deliver() == ["sent"]
    assert [message.ts for message in world.messages()] == [world.alert(incident).message_ts]


def test_a_message_in_doubt_stays_in_doubt_while_later_attempts_fail(world: World) -> None:
    """A refused second attempt says nothing of the first, which a later look-up finds."""
    world.failed_run("run-1")
    world.settle()
    world.inbox.fail(Fault(method=POST, cut=True, commit=True))
    assert world.deliver() == ["ambiguous"]
    world.inbox.fail(Fault(method=HISTORY, body='{"ok": true, "messages": []}'))
    world.inbox.fail(Fault(method=POST, error="request_timeout"))
    world.wait(minutes=20)
    assert world.deliver() == ["ambiguous"]
    world.wait(minutes=20)
    assert world.deliver() == ["sent"]
    assert len(world.messages()) == 1


def test_a_lookup_that_never_answers_does_not_lose_the_alert(world: World) -> None:
    """After ten minutes a second copy beats a lost alert."""
    world.failed_run("run-1")
    world.settle()
    world.inbox.fail(Fault(method=POST, cut=True))
    world.inbox.fail(Fault(method=HISTORY, status=500, times=1000))
    assert world.deliver() == ["ambiguous"]
    world.wait(seconds=UNSURE_WAIT.total_seconds())
    assert world.deliver() == ["ambiguous"]
    world.wait(seconds=LOOKUP_PATIENCE.total_seconds())
    assert world.deliver() == ["sent"]
    assert len(world.messages()) == 1


def test_an_app_that_may_not_read_the_channel_sends_again_at_once(world: World) -> None:
    """Without the scope to look nobody can ever know, so waiting would only delay the alert."""
    world.failed_run("run-1")
    world.settle()
    world.inbox.fail(Fault(method=POST, cut=True))
    world.inbox.fail(Fault(method=HISTORY, error="missing_scope", times=1000))
    assert world.deliver() == ["ambiguous"]
    world.wait(seconds=UNSURE_WAIT.total_seconds())
    assert world.deliver() == ["sent"]


# --- rate limits --------------------------------------------------------------------------------


def test_a_rate_limit_silences_its_channel_until_it_is_over_and_no_other(world: World) -> None:
    """Neither the next alert, nor the next round, nor a new alert goes there before its time."""
    for number in range(3):
        world.failed_run(f"early-{number}")
    world.wait(seconds=1)
    world.failed_run("other", account="production")
    world.settle()
    world.inbox.fail(Fault(method=POST, channel=CHANNELS["staging"], status=429, retry_after=90))

    assert world.deliver() == ["pending", "sent"]
    world.failed_run("late")
    world.settle()
    assert world.deliver("two") == []
    world.wait(seconds=30)
    assert world.deliver("two") == ["sent"] * 4
    assert not any(call.too_soon for call in world.inbox.calls())


def test_a_storm_of_alerts_is_delivered_at_the_pace_slack_allows(world: World) -> None:
    """Twelve alerts for a channel that takes five at once, then one a second: each once."""
    for number in range(12):
        world.failed_run(f"run-{number}")
    world.settle()
    for _ in range(8):
        world.deliver()
        world.wait(seconds=2)
    assert (len(world.messages()), world.alerts_sent()) == (12, 12)
    assert not any(call.too_soon for call in world.inbox.calls())
