"""Whether a queue moves, and whether those who run leave room."""

from datetime import timedelta
from typing import Any

import pytest

from ops_platform.domain.capacity import Environment, Holder, Platform, Position, Situation, Size
from ops_platform.domain.fitting import may_fit
from ops_platform.domain.occupancy import held_by_instances, held_by_jobs, moves
from ops_platform_tests.build import NOON, after
from ops_platform_tests.build_stale import LARGE, an_environment
from ops_platform_tests.domain.stuck_world import HOUR, NOW, situation


def usable_for(asked: Size, found: Situation) -> list[Environment]:
    """Return the environments in which a job might start now."""
    return [each for each in found.queue.usable if may_fit(asked, each)]


TWO_HOURS = timedelta(hours=2)
EIGHT = (Holder("TrainFlow", "ana", 8, 8),)


@pytest.mark.parametrize(
    ("known", "does"),
    [
        ({"front": None, "started_at": None}, False),
        ({"front": (), "started_at": None}, False),
        ({"front": (Position("head", None),), "started_at": None}, False),
        ({"front": None, "started_at": after(HOUR + 1)}, True),
        ({"front": None, "started_at": after(HOUR)}, False),
        ({"front": (Position("head", after(HOUR + 1)),), "started_at": NOON}, True),
        ({"front": (Position("head", NOON), Position("b", NOW)), "started_at": None}, False),
    ],
)
def test_a_queue_moves_if_a_job_started_or_came_to_its_head(
    known: dict[str, Any], *, does: bool
) -> None:
    """Within the time given."""
    assert moves(situation(**known), TWO_HOURS, NOW) is does


@pytest.mark.parametrize(
    ("changes", "asked", "by_jobs", "by_instances"),
    [
        ({"max_vcpus": 10}, 3, True, False),
        ({"max_vcpus": 11}, 3, False, False),
        ({"max_vcpus": 16, "desired_vcpus": 15}, 3, False, True),
        ({"max_vcpus": 16, "desired_vcpus": 12}, 3, False, False),
        ({"max_vcpus": 16, "desired_vcpus": 13}, 3, False, True),
        ({"max_vcpus": 16, "desired_vcpus": None}, 3, False, True),
        ({"max_vcpus": None}, 3, True, True),
        ({"types": None, "desired_vcpus": 14}, 3, False, True),
        ({"platform": Platform.FARGATE, "desired_vcpus": None}, 3, False, False),
    ],
)
def test_those_who_run_may_leave_no_room(
    changes: dict[str, Any], asked: float, *, by_jobs: bool, by_instances: bool
) -> None:
    """By the vCPUs they asked for, or by the instances that they are on."""
    found = situation(an_environment(**changes), holders=EIGHT)
    size = Size(asked, 1000)
    usable = usable_for(size, found)

    assert held_by_jobs(size, found, usable) is by_jobs
    assert held_by_instances(size, found, usable) is by_instances


def test_nobody_who_runs_holds_nothing() -> None:
    """Though all instances that there may be are there."""
    found = situation(an_environment(desired_vcpus=16, max_vcpus=None))
    assert not held_by_jobs(Size(3, 1000), found, usable_for(Size(3, 1000), found))
    assert not held_by_instances(Size(3, 1000), found, usable_for(Size(3, 1000), found))


def test_room_elsewhere_does_not_help_a_job_that_does_not_fit_there() -> None:
    """As that of many small instances beside the few large ones that are full."""
    large, small = an_environment(max_vcpus=8), an_environment(name="small", types=(LARGE,))
    found = situation(large, small, holders=EIGHT)
    asked = Size(4, 31_300)

    usable = usable_for(asked, found)
    assert [each.name for each in usable] == ["spot"]
    assert held_by_jobs(asked, found, usable)
    assert not held_by_jobs(Size(1, 1000), found, usable_for(Size(1, 1000), found))
