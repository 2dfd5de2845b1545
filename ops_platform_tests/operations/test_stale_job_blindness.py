"""A ledger that has not heard of the jobs that run must not make a queue look stuck."""

from typing import Any

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform_tests.operations.stale_world import World, verdicts

FULL = 8
"""All vCPUs that the queue may have."""


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account with an empty queue of 8 vCPUs."""
    made = World(emptied_ledger)
    made.batch.environment("flows-spot", max_vcpus=FULL)
    return made


def _runs(world: World, **asked: Any) -> str:
    """Let a job run of which no event has told."""
    job_id = world.submit(heard=False, **asked)
    world.batch.run(job_id)
    return job_id


def test_a_job_that_waits_for_one_nobody_heard_of_is_not_cancelled(world: World) -> None:
    """The platform was installed today; a training has run since yesterday."""
    _runs(world, vcpus=FULL, flow="Train", owner="grace")
    waiting = world.submit(vcpus=2)
    world.wait(hours=3)

    cleaned = world.clean()

    assert world.ended_by_us() == []
    assert verdicts(cleaned)[waiting] == ("warn", "waits its turn")
    (judged,) = (each for each in cleaned.judged if each.waiting.id == waiting)
    assert judged.diagnosis is not None
    assert "Train" in judged.diagnosis.sentence
    assert cleaned.blocked == ()


def test_who_only_looks_is_not_told_either_that_it_would_be_cancelled(world: World) -> None:
    """An account observes before it enforces, and believes what it sees."""
    _runs(world, vcpus=FULL)
    waiting = world.submit(vcpus=2)
    world.wait(hours=3)

    assert verdicts(world.clean(enforce=False))[waiting] == ("warn", "waits its turn")


def test_a_queue_moves_though_no_event_tells_of_it(world: World) -> None:
    """A small job has started just now."""
    waiting = world.submit(vcpus=2)
    world.wait(hours=3)
    _runs(world, vcpus=1)

    assert verdicts(world.clean())[waiting] == ("warn", "waits its turn")
    assert world.ended_by_us() == []


def test_what_is_starting_moves_a_queue_and_the_children_of_arrays_count(world: World) -> None:
    """Neither is in the plain list of what runs."""
    waiting = world.submit(vcpus=2)
    parent = world.batch.submit_array(FULL)
    world.wait(hours=3)
    for child in world.batch.job(parent).children:
        world.batch.start(child.id)

    assert verdicts(world.clean())[waiting] == ("warn", "waits its turn")


def test_a_queue_is_not_blocked_by_a_job_of_others_that_waits_for_what_runs(world: World) -> None:
    """Nobody would cancel it, so nobody would look twice."""
    _runs(world, vcpus=FULL)
    world.submit(vcpus=2, flow=None, step=None)
    world.wait(hours=3)

    assert world.clean().blocked == ()


def test_what_waits_in_a_queue_that_truly_stands_still_is_cancelled(world: World) -> None:
    """The look at Batch is no excuse."""
    waiting = world.submit(vcpus=2)
    world.wait(hours=3)

    world.clean()

    assert world.ended_by_us() == [waiting]


def test_batch_is_asked_once_for_all_that_would_be_cancelled(world: World) -> None:
    """Only where a cancellation rests on it; a job that fits nothing needs no such proof."""
    world.unfit()
    world.wait(minutes=20)
    world.clean(enforce=False)
    assert world.calls("ListJobs") == 2

    world.submit(vcpus=2)
    world.wait(hours=3)
    world.clean(enforce=False)
    assert world.calls("ListJobs") == 2 + 2


def test_very_many_that_run_hold_as_much_as_those_that_are_described(world: World) -> None:
    """Only some are, and the others are not taken for small ones."""
    world.batch.environment("flows-spot", types=("r5.xlarge",), max_vcpus=4 * 2500)
    for _ in range(2500):
        world.batch.run(world.submit(vcpus=4, memory=1000, heard=False))
    world.wait(hours=4)
    waiting = world.submit(vcpus=4)
    world.wait(hours=3)

    cleaned = world.clean()

    assert verdicts(cleaned) == {waiting: ("warn", "waits its turn")}
