"""Many runs that fail at once are one message, which the later ones join."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger import alerts
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.bursts import BurstRule, By
from ops_platform.domain.routes import Route, Routing
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform_tests.build import ROUTING
from ops_platform_tests.operations.delivery_world import World, world_around
from ops_platform_tests.operations.failing_runs import Run

FIVE_MINUTES = timedelta(minutes=5)
OF_A_FLOW = BurstRule(By.FLOW, at_least=5, within=FIVE_MINUTES)
OF_A_CAUSE = BurstRule(By.CAUSE, at_least=10, within=FIVE_MINUTES)


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack, with rules for bursts."""
    with world_around(emptied_ledger) as made:
        made.configure(bursts=(OF_A_FLOW, OF_A_CAUSE))
        yield made


def runs(number: int, *, flow: str = "TrainFlow", account: str = "staging") -> list[Run]:
    """Return runs of a flow."""
    return [Run(f"{flow}-{one}", flow=flow, account=account) for one in range(number)]


def fail(world: World, *failing: Run, settle: bool = True) -> list[str]:
    """Let runs fail; return their incidents."""
    incidents = [world.happened(run) for run in failing]
    if settle:
        world.settle()
    return incidents


def test_many_runs_of_a_flow_are_one_message(world: World) -> None:
    """With their number; each incident says with which it was told."""
    first, *others = fail(world, *runs(30))
    world.until_quiet()
    (message,) = world.messages()
    assert "30 runs" in message.text
    assert len(world.inbox.calls("chat.postMessage")) == 1
    assert {world.alert(one).state for one in others} == {"withheld"}
    assert {world.alert(one).reason for one in others} == {f"told with {first}"}
    assert world.alert(first).state == "sent"


def test_runs_of_many_flows_with_one_cause_are_one_message(world: World) -> None:
    """As when a queue is gone."""
    fail(
        world,
        *(Run(f"run-{number}", flow=f"Flow{number:02}", exit_code=137) for number in range(12)),
    )
    world.until_quiet()
    (message,) = world.messages()
    assert "12 runs" in message.text


def test_a_few_runs_are_told_alone(world: World) -> None:
    """One fewer than the rule asks for."""
    fail(world, *runs(4))
    world.until_quiet()
    assert len(world.messages()) == 4


def test_runs_that_fail_later_join_the_message(world: World) -> None:
    """It is edited, and says how many there are by now."""
    fail(world, *runs(6))
    world.until_quiet()
    world.wait(seconds=60)
    fail(world, *(Run(f"late-{number}") for number in range(3)))
    world.until_quiet()
    (message,) = world.messages()
    assert "9 runs" in message.text
    assert world.edits() == 1


def test_those_told_alone_before_there_were_enough_stay(world: World) -> None:
    """The message of the burst tells of the others."""
    alone = fail(world, *runs(3))
    world.until_quiet()
    fail(world, *(Run(f"late-{number}") for number in range(4)))
    world.until_quiet()
    *three, burst = world.messages()
    assert len(three) == 3
    assert "4 runs" in burst.text
    assert {world.alert(one).burst for one in alone} == {None}


def test_one_that_finds_enough_alike_told_already_looks_like_any_other(world: World) -> None:
    """Until another joins it, its message tells of one run."""
    fail(world, *runs(4))
    world.until_quiet()
    fail(world, Run("fifth"))
    world.until_quiet()
    assert "1 runs" not in str(world.messages()[-1])
    assert "details/0001" in world.parts(world.alerts()[0].incident_id)
    fail(world, Run("sixth"))
    world.until_quiet()
    assert len(world.messages()) == 5
    assert "2 runs" in world.messages()[-1].text
    calls = len(world.inbox.calls())
    world.wait(minutes=10)
    assert (world.delivered(), len(world.inbox.calls())) == ([], calls)


def test_what_recovers_is_counted_and_the_end_is_noted(world: World) -> None:
    """The message is edited as runs recover; when all have, its thread says so."""
    failing = runs(6)
    leader, *_ = fail(world, *failing)
    world.until_quiet()
    world.wait(minutes=5)
    for run in failing[:2]:  # the leader is among them
        world.happened(run, "SUCCEEDED")
    # A later success of the machine would resolve all: these were redriven, having begun before.
    world.update()
    world.until_quiet()
    still_open = [one for one in world.alerts() if world.incident(one.incident_id).state == "open"]
    if still_open:
        assert world.alert(leader).told is not None
    for run in failing[2:]:
        world.happened(run, "SUCCEEDED")
    world.update()
    world.until_quiet()
    parts = [part.partition("/")[0] for part in world.parts(leader)]
    assert parts.count("resolved") == 1
    assert len(world.messages()) == 1


def test_a_burst_whose_leader_recovers_before_it_is_told_tells_of_the_others(world: World) -> None:
    """Slack takes no message for a while; the one that leads is over when it takes them again."""
    failing = [Run(f"run-{number}", flow=f"Flow{number:02}", exit_code=137) for number in range(12)]
    first, *_ = fail(world, *failing)
    world.inbox.stop()
    assert world.deliver() == ["pending"]
    assert world.alert(first).burst is not None
    world.happened(failing[0], "SUCCEEDED")
    with world_around(world.ledger) as another:
        another.clock.advance(world.clock() - another.clock() + timedelta(minutes=1))
        another.configure(bursts=world.policy.bursts)
        another.until_quiet()
        (message,) = another.messages()
        assert "12 runs" in message.text


def test_accounts_and_channels_do_not_mix(world: World) -> None:
    """Neither for the number nor in the message."""
    world.configure(
        routing=Routing((Route(("#elsewhere",), flow="Other*"),), ROUTING.channels, ROUTING.stages),
        bursts=(OF_A_FLOW, BurstRule(By.CAUSE, at_least=8, within=FIVE_MINUTES)),
    )
    fail(world, *runs(4), *runs(4, account="production"), *runs(4, flow="OtherFlow"))
    world.until_quiet()
    names = ("#alerts-staging", "#alerts-production", "#elsewhere")
    assert [len(world.posted(name)) for name in names] == [4, 4, 4]


def test_runs_that_are_far_apart_are_told_alone(world: World) -> None:
    """However many they are in the end."""
    for number in range(8):
        fail(world, Run(f"run-{number}"))
        world.until_quiet()
        world.wait(minutes=10)
    assert len(world.messages()) == 8


def test_runs_of_a_burst_that_come_late_are_one_message_all_the_same(world: World) -> None:
    """Reconciliation finds hours later what failed at once."""
    at = world.clock()
    world.wait(hours=3)
    for run in runs(7):
        world.came(run.arn, *run.ended(at, "FAILED"))
    world.settle()
    world.until_quiet()
    (message,) = world.messages()
    assert "7 runs" in message.text


def test_a_silence_over_the_leader_alone_does_not_mute_the_others(world: World) -> None:
    """The message waits only if all it tells of is muted."""
    failing = [Run(f"run-{number}", flow=f"Flow{number:02}", exit_code=137) for number in range(12)]
    first, *_ = fail(world, *failing)
    world.inbox.fail(Fault(method="chat.postMessage", status=429, retry_after=5))
    assert world.deliver() == ["pending"]
    world.silenced(flow="Flow00")
    assert world.alert(first).burst is not None
    world.until_quiet()
    assert len(world.messages()) == 1


def test_a_run_that_joins_a_burst_does_not_wait_for_whoever_is_changing_its_message(
    world: World,
) -> None:
    """Who takes events in may wait for the run's own message meanwhile; it joins a moment later."""
    first, *_ = fail(world, *runs(6))
    world.until_quiet()
    fail(world, Run("late"))
    with world.ledger.transaction() as tx:
        alerts.keep(tx, [first])
        assert world.deliver() == ["pending"]
    world.update()
    world.until_quiet()
    (message,) = world.messages()
    assert "7 runs" in message.text


def test_a_run_that_fails_anew_after_its_burst_was_over_untold_is_told(world: World) -> None:
    """All recovered while Slack took no message, so that none tells of the others."""
    failing = runs(6)
    fail(world, *failing)
    world.inbox.fail(Fault(method="chat.postMessage", status=429, retry_after=5))
    assert world.deliver() == ["pending"]
    for run in failing:
        world.happened(run, "SUCCEEDED")
    world.settle()
    world.until_quiet()
    assert world.messages() == []

    world.happened(failing[3])
    world.settle()
    world.until_quiet()
    assert len(world.messages()) == 1


@pytest.mark.slow
def test_a_burst_that_goes_on_for_hours_is_told_anew(world: World) -> None:
    """A queue that is gone for days must ring again: about once an hour."""
    for number in range(30):
        fail(world, *(Run(f"run-{number}-{one}") for one in range(3)), settle=False)
        world.wait(minutes=4)
        world.until_quiet()
    bursts = [message for message in world.messages() if "runs" in message.text]
    assert len(bursts) == 3
    assert len(world.messages()) <= 12
