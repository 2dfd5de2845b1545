"""Senders that are killed at every step of their work: each message is in Slack exactly once.

Asserted is what Slack's own store holds: the same as if nobody had died.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import NamedTuple

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.bursts import BurstRule, By
from ops_platform.domain.routes import Route, Routing
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.embedded.slack_inbox.rates import Rates, per_minute
from ops_platform_tests.build import ROUTING
from ops_platform_tests.ledger_world import empty
from ops_platform_tests.operations.delivery_world import World, world_around
from ops_platform_tests.operations.failing_runs import Run
from ops_platform_tests.operations.sender_room import (
    Nursery,
    Room,
    difference,
    key_of,
    nursery,
    stands,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PATIENT = Rates(post=per_minute(6000), posts_together=per_minute(6000))
TWO = (Route(("#alerts-staging", "#elsewhere"), account="staging"),)
BURST = (BurstRule(By.FLOW, at_least=3, within=timedelta(minutes=5)),)
WIDE = Run("wide", jobs=25)


class Place(NamedTuple):
    """A ledger, and its address for other processes."""

    ledger: Ledger
    url: str


@pytest.fixture
def place(ledger: Ledger, ledger_url: str) -> Place:
    """Give a ledger of the test's own."""
    return Place(ledger, ledger_url)


@pytest.fixture(scope="module")
def forks() -> Iterator[Nursery]:
    """Give the process that forks senders."""
    with nursery() as running:
        yield running


def first(world: World) -> None:
    """A message with two pages in its thread."""
    world.happened(WIDE)
    world.settle()


def in_two_channels(world: World) -> None:
    """A message for each of two channels."""
    world.configure(routing=Routing(TWO, ROUTING.channels, ROUTING.stages))
    world.failed_run("run-1")
    world.settle()


def edited(world: World) -> None:
    """A message and its page have to be edited."""
    world.happened(Run("run", jobs=2))
    world.settle()
    world.until_quiet()
    run = Run("run")
    world.came(run.arn, run.failed_job(7, world.clock() - timedelta(minutes=5)))
    world.update()


def noted(world: World) -> None:
    """A message has to be edited, and a note written into its thread."""
    world.failed_run("run")
    world.settle()
    world.until_quiet()
    world.happened(Run("run"), "SUCCEEDED")


def burst(world: World) -> None:
    """Four runs of a flow are one message, and a fifth joins it later."""
    world.configure(bursts=BURST)
    for number in range(4):
        world.failed_run(f"run-{number}")
    world.settle()


SCENES: list[Callable[[World], None]] = [first, in_two_channels, edited, noted, burst]


@pytest.mark.parametrize("scene", SCENES)
def test_a_sender_killed_at_any_step_loses_nothing_and_repeats_nothing(
    place: Place, forks: Nursery, scene: Callable[[World], None]
) -> None:
    """Its successor finds what had arrived, and sends what is missing, in the thread as well."""
    expected = _undisturbed(place, scene)
    for step in count(1):
        with _room(place, forks, scene) as room:
            died = room.dies_at(step)
            room.world.until_quiet()
            assert difference(stands(room.world), expected) == [], died
            assert not any(call.too_soon for call in room.world.inbox.calls())
        if died is None:
            break
    assert step > 15


def test_a_successor_killed_at_any_step_is_succeeded_in_turn(place: Place, forks: Nursery) -> None:
    """Each one that dies leaves the message in doubt, and each that follows looks first."""
    expected = _undisturbed(place, first)
    after_post = _step(place, forks, "after post")
    for step in count(1):
        with _room(place, forks, first) as room:
            assert room.dies_at(after_post) == "after post"
            died = room.dies_at(step)
            room.world.until_quiet()
            assert difference(stands(room.world), expected) == [], died
        if died is None or "permalink" in died:
            break
    assert step > 5


def test_without_a_look_up_a_second_copy_comes_only_of_a_death_after_the_post(
    place: Place, forks: Nursery
) -> None:
    """An app that may not read the channel loses nothing either."""
    doubled = set()
    for step in count(1):
        with _room(place, forks, first) as room:
            for method in ("conversations.history", "conversations.replies"):
                room.world.inbox.fail(Fault(method=method, error="missing_scope", times=1000))
            died = room.dies_at(step)
            in_doubt = {alert.key for alert in room.world.waiting() if alert.is_unsure}
            there = {key_of(message) for message in room.world.inbox.messages()}
            room.world.until_quiet()
            copies = Counter(map(key_of, room.world.inbox.messages()))
            assert {key for key in copies if copies[key] > 1} == in_doubt & there, died
            assert max(copies.values()) <= 2
            assert len(copies) == 3
            doubled |= in_doubt & there
        if died is None:
            break
    assert len(doubled) == 3


def test_a_sender_killed_while_slack_is_at_work_leaves_one_message(
    place: Place, forks: Nursery
) -> None:
    """The answer reaches nobody; the message is found all the same."""
    expected = _undisturbed(place, first)
    with _room(place, forks, first) as room:
        room.world.inbox.fail(Fault(method="chat.postMessage", delay=30))
        room.dies_during_its_post()
        assert room.delivers() == ["sent"]
        room.world.until_quiet()
        assert stands(room.world) == expected


def _undisturbed(place: Place, scene: Callable[[World], None]) -> list[tuple[str, str, str]]:
    empty(place.ledger)
    with world_around(place.ledger, rates=PATIENT) as world:
        scene(world)
        world.until_quiet()
        return stands(world)


@contextmanager
def _room(place: Place, forks: Nursery, scene: Callable[[World], None]) -> Iterator[Room]:
    empty(place.ledger)
    with world_around(place.ledger, rates=PATIENT) as world:
        scene(world)
        yield Room(world, place.url, forks)


def _step(place: Place, forks: Nursery, wanted: str) -> int:
    """Return the number of the first step of that name."""
    for step in count(1):
        with _room(place, forks, first) as room:
            if room.dies_at(step) == wanted:
                return step
    raise AssertionError(wanted)
