"""Resolving by an operator's word: what is recorded, and what Slack is told."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.incidents import State
from ops_platform.operations.by_hand import Outcome, RefusedError
from ops_platform.operations.resolve_incidents import resolve
from ops_platform_tests.operations.delivery_world import World, world_around


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(emptied_ledger) as made:
        yield made


def _resolve(world: World, *incidents: str, why: str = "the flow was deleted") -> list[Outcome]:
    return resolve(
        world.ledger, incidents, who="ana", why=why, policy=world.policy, now=world.clock()
    )


def test_its_message_says_by_whom_and_why_and_a_note_is_written(world: World) -> None:
    """In the channel where it was told."""
    incident = world.failed_run("run-1")
    world.settle()
    world.until_quiet()

    done = _resolve(world, incident)

    assert done == [Outcome(incident, done=True, text=f"incident {incident} is resolved")]
    world.until_quiet()
    (message,) = world.messages()
    assert "ana: the flow was deleted" in str(message.blocks)
    assert "ana: the flow was deleted" in world.thread()[-1].text
    found = world.incident(incident)
    assert (found.state, found.resolved_by) == (State.RESOLVED, "ana: the flow was deleted")


def test_what_was_not_told_yet_never_is(world: World) -> None:
    """There is nothing to do about it any more."""
    incident = world.failed_run("run-1")

    _resolve(world, incident)

    world.settle()
    assert world.deliver() == ["withheld"]
    assert world.messages() == []


def test_one_that_is_resolved_stops_no_other(world: World) -> None:
    """It is said since when it is, and by what."""
    first, second = world.failed_run("run-1"), world.failed_run("run-2")
    _resolve(world, first)

    refused, done = _resolve(world, first, second, why="again")

    assert (refused.done, done.done) == (False, True)
    assert refused.text == (
        f"incident {first} is resolved already since 2026-03-02 12:00 UTC:"
        " ana: the flow was deleted"
    )


def test_one_that_does_not_exist_stops_all(world: World) -> None:
    """A slip is put right before anything is done."""
    incident = world.failed_run("run-1")

    with pytest.raises(RefusedError, match=r"no incident nothing; `ops-platform incidents list`"):
        _resolve(world, incident, "nothing")

    assert world.incident(incident).state is State.OPEN


def test_a_redrive_that_fails_opens_it_again(world: World) -> None:
    """Whoever resolved it could not know."""
    incident = world.failed_run("run-1")
    world.settle()
    world.until_quiet()
    _resolve(world, incident)
    world.wait(hours=1)

    world.failed_run("run-1")

    assert world.incident(incident).state is State.OPEN


def test_nothing_is_done_without_a_word(world: World) -> None:
    """Others have to know why."""
    incident = world.failed_run("run-1")

    with pytest.raises(RefusedError, match="say why"):
        _resolve(world, incident, why="  ")

    assert world.incident(incident).state is State.OPEN
