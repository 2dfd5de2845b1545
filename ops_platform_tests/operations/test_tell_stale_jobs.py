"""A blocked queue is one incident for whoever runs the platform, told when it changes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.blocked_queues import BlockedQueue
from ops_platform.domain.bursts import BurstRule, By
from ops_platform.domain.incidents import Incident, State
from ops_platform.domain.routes import Route
from ops_platform.domain.stale_incidents import GONE, MOVES_AGAIN, queue_incident_id
from ops_platform.operations.tell_stale_jobs import tell_queues
from ops_platform_tests.build import ROUTING
from ops_platform_tests.operations.delivery_world import World, world_around

PLATFORM = "#elsewhere"
GPU = BlockedQueue(
    queue="gpu",
    since=None,
    sentence="Compute environment gpu-spot is disabled.",
    advice="Enable it again.",
    waiting=12,
)
ID = queue_incident_id("staging", "gpu")


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and a Slack in which the platform has its own channel."""
    with world_around(emptied_ledger) as made:
        made.configure(routing=replace(ROUTING, platform=PLATFORM))
        yield made


def looked(
    world: World,
    *blocked: BlockedQueue,
    at: tuple[str, ...] = ("gpu", "cpu"),
    whole: bool = False,
    **changes: Any,
) -> list[Incident]:
    """Tell what a cleaning found a while later, of queues that do not move since half an hour."""
    world.wait(minutes=10)
    since = world.clock() - timedelta(minutes=30)
    found = [replace(each, **{"since": since, **changes}) for each in blocked]
    changed = tell_queues(
        world.ledger,
        "staging",
        looked_at=at,
        whole=whole,
        blocked=found,
        policy=world.policy,
        now=world.clock(),
    )
    world.until_quiet()
    return changed


def texts(world: World) -> list[str]:
    """Return what stands in the channel of the platform, and in its threads."""
    return [message.text for message in world.inbox.messages(PLATFORM)]


def test_a_blocked_queue_is_told_once_and_again_only_if_something_changes(world: World) -> None:
    """Not for numbers: they change with every look."""
    (incident,) = looked(world, GPU)
    assert (incident.id, incident.state, incident.flow) == (ID, State.OPEN, "gpu")
    assert texts(world) == ["Queue gpu is blocked in staging: " + GPU.sentence]

    assert looked(world, GPU, waiting=99, held_back=0) == []
    assert world.edits() == 0

    (changed,) = looked(world, GPU, sentence="Compute environment gpu-spot is invalid.")
    assert changed.opened_at == incident.opened_at
    assert (world.edits(), len(texts(world))) == (1, 1)
    assert texts(world)[0].endswith("gpu-spot is invalid.")


def test_it_is_resolved_when_the_queue_moves_and_opened_again_when_it_does_not(
    world: World,
) -> None:
    """In its thread, each time."""
    looked(world, GPU)
    (over,) = looked(world)
    assert (over.state, over.resolved_by) == (State.RESOLVED, MOVES_AGAIN)
    assert looked(world) == []

    (again,) = looked(world, GPU)
    looked(world)

    assert again.state is State.OPEN
    message, *notes = texts(world)
    assert message.startswith("Queue gpu recovered in staging after")
    assert [note[:34] for note in notes] == [
        "🟢 Queue gpu recovered in staging a",
        "Queue gpu is blocked in staging ag",
        "🟢 Queue gpu recovered in staging a",
    ]


def test_of_a_queue_that_was_not_looked_at_nothing_is_said(world: World) -> None:
    """As when one queue alone was cleaned, or time was up before."""
    looked(world, GPU)

    assert looked(world, at=("cpu",)) == []
    assert world.incident(ID).state is State.OPEN


def test_of_a_queue_that_is_gone_it_is_over(world: World) -> None:
    """Known once all queues of the account were looked at."""
    looked(world, GPU)
    (over,) = looked(world, at=("cpu",), whole=True)
    assert over.resolved_by == GONE


def test_an_operators_word_is_not_contradicted_until_the_queue_has_moved(world: World) -> None:
    """Nor that of one who knows of this cause; another one is news."""
    since = world.clock()
    looked(world, GPU, since=since)
    world.resolved_by_hand(ID)

    assert looked(world, GPU, since=since) == []
    assert looked(world) == []
    (anew,) = looked(world, GPU, since=world.clock())
    assert anew.state is State.OPEN
    world.resolved_by_hand(ID)
    (other,) = looked(world, GPU, since=since, advice="Repair it.")
    assert other.state is State.OPEN


def test_what_was_held_back_and_the_job_in_front_are_shown(world: World) -> None:
    """With the command that has it done all the same."""
    looked(world, GPU, held_back=3, blocker="head-job")

    (message,) = world.posted(PLATFORM)
    shown = str(message.blocks)
    assert "ops-platform stale-jobs --account staging --queue gpu --enforce --despite" in shown
    assert "*At its head* `head-job`" in shown
    assert message.pings == ()


def test_a_route_comes_before_the_channel_of_the_platform(world: World) -> None:
    """And without either, the account's channel is the place."""
    route = Route(("#fallback",), flow="gpu")
    world.configure(routing=replace(ROUTING, platform=PLATFORM, routes=(route,)))
    looked(world, GPU)
    world.configure(routing=ROUTING)
    looked(world, replace(GPU, queue="cpu"))

    assert [len(world.posted(name)) for name in (PLATFORM, "#fallback")] == [0, 1]
    assert [each.text[:21] for each in world.messages()] == ["Queue cpu is blocked "]


def test_an_observed_account_is_recorded_and_not_told(world: World) -> None:
    """As all its incidents."""
    world.configure(observed_accounts=frozenset({"staging"}))

    looked(world, GPU)

    assert (texts(world), world.incident(ID).state) == ([], State.OPEN)


def test_a_silence_of_the_queue_mutes_it(world: World) -> None:
    """By its name; what is still blocked at the end is told then."""
    world.silenced(flow="gpu", hours=1)
    world.wait(minutes=10)
    blocked = [GPU, replace(GPU, queue="cpu")]
    tell_queues(
        world.ledger, "staging", looked_at=["gpu", "cpu"], blocked=blocked, policy=world.policy,
        now=world.clock(),
    )  # fmt: skip
    world.deliver()
    assert [each[:9] for each in texts(world)] == ["Queue cpu"]
    world.wait(hours=1)
    world.until_quiet()
    assert sorted(each[:9] for each in texts(world)) == ["Queue cpu", "Queue gpu"]


def test_many_queues_that_are_blocked_at_once_are_one_message(world: World) -> None:
    """As of any cause."""
    world.configure(bursts=(BurstRule(By.CAUSE, 5, timedelta(minutes=5)),))

    looked(world, *(replace(GPU, queue=f"queue-{number}") for number in range(6)))

    assert texts(world) == ["6 queues are blocked in staging: queue blocked"]


def test_two_that_tell_at_once_tell_once(world: World) -> None:
    """Whoever comes second sees that it is no news any more."""
    blocked = [replace(GPU, queue=f"queue-{number}") for number in range(8)]

    def tell(_: int) -> list[Incident]:
        return tell_queues(
            world.ledger, "staging", looked_at=(), blocked=blocked, policy=world.policy,
            now=world.clock(),
        )  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        changed = [each.id for found in pool.map(tell, range(4)) for each in found]

    assert len(changed) == len(set(changed)) == len(blocked)
    world.until_quiet()
    assert len(texts(world)) == len(blocked)
