"""Where an owner is to be told before, no job is cancelled whose owner was not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger import cancellations
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.staleness import Judged, Why
from ops_platform_tests.operations.stale_world import World, verdicts

SOON, DONE = ("warn", "cancelled soon"), ("cancel", "fits nothing")
AHEAD = timedelta(minutes=5)


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account whose owners are told five minutes before."""
    made = World(emptied_ledger)
    made.want(warn_before=AHEAD)
    return made


def _warned(world: World, judged: Judged) -> None:
    """Record what the owner is told after a cleaning."""
    with world.ledger.transaction() as tx:
        cancellations.warn(tx, judged, now=world.clock(), asked_by="the schedule")


def test_a_job_that_no_cleaning_saw_in_time_is_cancelled_later(world: World) -> None:
    """As after an outage, or where cleanings are further apart than the warning is ahead."""
    job = world.unfit()
    world.wait(minutes=60)
    assert verdicts(world.clean())[job] == SOON
    world.wait(minutes=4)
    assert verdicts(world.clean())[job] == SOON
    assert world.ended_by_us() == []

    world.wait(minutes=1)
    assert verdicts(world.clean())[job] == DONE
    assert world.ended_by_us() == [job]


def test_one_warning_is_for_all_jobs_of_a_run(world: World) -> None:
    """The owner hears once of a run."""
    world.unfit(run="run-1")
    world.wait(minutes=60)
    world.clean()
    late = world.unfit(run="run-1")
    world.wait(minutes=16)

    world.clean()

    assert late in world.ended_by_us()


def test_who_was_warned_in_time_gets_no_respite(world: World) -> None:
    """The judge itself warns, if a cleaning comes by."""
    job = world.unfit()
    world.wait(minutes=10.5)
    (judged,) = world.clean().judged
    _warned(world, judged)
    world.wait(minutes=5)

    assert verdicts(world.clean())[job] == DONE

    assert world.ended_by_us() == [job]


def test_that_it_only_waits_is_no_warning_of_its_end(world: World) -> None:
    """A milder warning was told before; the graver one takes its place."""
    world.unfit()
    world.wait(minutes=10.5)
    (judged,) = world.clean().judged
    mild = replace(judged.verdict, why=Why.WAITS_ITS_TURN)
    _warned(world, replace(judged, verdict=mild))
    world.wait(minutes=60)

    world.clean()

    assert world.ended_by_us() == []
    (record,) = world.records()
    assert (record.verdict, record.reason) == SOON
