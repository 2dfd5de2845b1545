"""Cleaners that are killed at every step of their work: the next one repairs what they left.

Asserted is what Batch and the record hold: the same as if nobody had died.
"""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.stale_policy import Target
from ops_platform_tests.ledger_world import empty
from ops_platform_tests.operations.cleaning_room import nursery, room
from ops_platform_tests.operations.sender_room import Nursery
from ops_platform_tests.operations.stale_world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def forks() -> Iterator[Nursery]:
    """Give the process that forks cleaners."""
    with nursery() as running:
        yield running


def cancelled(world: World) -> None:
    """Two jobs are to be cancelled, and one that just waits is not."""
    world.unfit()
    world.unfit(heard=False)
    world.submit()
    world.wait(minutes=20)


def stopped(world: World) -> None:
    """The run of a job is to be stopped, and Step Functions ends the job."""
    world.want(target=Target.RUN)
    job = world.unfit(run="nightly")
    world.execution("nightly")

    def terminate(_arn: str) -> None:
        world.batch.end(job, "FAILED", "by AWS Step Functions")
        world.batch.job(job).detail["isTerminated"] = True

    world.stopper.on_stop = terminate
    world.wait(minutes=20)


@pytest.mark.parametrize("scene", [cancelled, stopped])
def test_a_cleaner_killed_at_any_step_leaves_nothing_undone_or_done_twice(
    ledger: Ledger, ledger_url: str, forks: Nursery, scene: Callable[[World], None]
) -> None:
    """Its successor settles what had been done, and does what had not."""
    undisturbed = _world(ledger, scene)
    undisturbed.clean()
    expected = _stands(undisturbed)
    for step in count(1):
        world = _world(ledger, scene)
        with room(world, ledger_url, forks) as place:
            died = place.dies_at(step)
        world.wait(minutes=6)
        world.clean()
        assert _stands(world) == expected, died
        if died is None:
            break
    assert step > 30


def test_one_that_was_killed_keeps_others_away_for_two_minutes(
    ledger: Ledger, ledger_url: str, forks: Nursery
) -> None:
    """Longer than that its lease does not last."""
    world = _world(ledger, cancelled)
    with room(world, ledger_url, forks) as place:
        assert place.dies_at(12) is not None

    assert world.clean().delays != ()
    world.wait(minutes=2)
    assert world.clean().delays == ()


def _world(ledger: Ledger, scene: Callable[[World], None]) -> World:
    empty(ledger)
    world = World(ledger)
    scene(world)
    return world


def _stands(world: World) -> list[Any]:
    """Return how the jobs are, what is recorded of them, and how often anybody was asked."""
    states = {job.id: job.status for job in world.batch.api.jobs.values()}
    records = [(each.job_id, each.outcome, each.verdict) for each in world.records()]
    return [states, sorted(records), world.calls("CancelJob"), len(world.stopper.stopped)]
