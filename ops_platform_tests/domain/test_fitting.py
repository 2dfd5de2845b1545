"""What proves that a job fits nothing, what comes nearest to it, and where all doubt is its own."""

from typing import Any

import pytest

from ops_platform.domain.capacity import Environment, InstanceType, Platform, Size
from ops_platform.domain.causes import Cause
from ops_platform.domain.fitting import (
    is_arm,
    likely_offer,
    may_fit,
    misfit,
    nearest_offer,
    smallest_type,
    surely_fits,
)
from ops_platform_tests.build_stale import LARGE, XLARGE, a_queue, an_environment
from ops_platform_tests.domain.stuck_world import OFFERED, nominal

BIG = Size(8, 60_000)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"types": None}, "its types are not known"),
        ({"types": ()}, "nor are they if there are none"),
        ({"platform": Platform.OTHER}, "Batch does not tell the sizes of nodes that are not its"),
        ({"status": "UPDATING"}, "it is being changed"),
        ({"status": "CREATING"}, "it is being made"),
        ({"types": (nominal("r5.2xlarge", 8, 60_000),)}, "EC2 says that it is as large"),
        ({"types": (InstanceType("r5.2xlarge", Size(8, 59_000), is_registered=True),)}, "nearly"),
        ({"types": (nominal("r5.2xlarge", 8, 70_000),), "max_vcpus": 0}, "it is paused"),
        ({"types": (nominal("r5.2xlarge", 8, 70_000),), "state": "DISABLED"}, "it is out of order"),
        ({"types": (nominal("r5.2xlarge", 8, 70_000),), "max_vcpus": None}, "it has no limit"),
    ],
)
def test_doubt_speaks_for_the_job(changes: dict[str, Any], why: str) -> None:
    """One such environment suffices, whatever the others are."""
    doubtful = an_environment(**changes)

    assert may_fit(BIG, doubtful), why
    assert misfit(BIG, a_queue("flows", an_environment(), doubtful)) is None


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        (Size(2, 15_500), True),
        (Size(2, 15_800), True),
        (Size(2, 15_890), True),
        (Size(2, 15_900), False),
        (Size(2, 16_384), False),
        (Size(3, 1000), False),
    ],
)
def test_what_was_registered_elsewhere_is_no_proof_yet(asked: Size, *, fits: bool) -> None:
    """Another image or agent may leave more of what EC2 sells, but never nearly all of it."""
    seen = an_environment(types=(LARGE,))

    assert may_fit(asked, seen, OFFERED) is fits
    assert may_fit(asked, seen) is (fits and asked.memory_mib < 15_810)


def test_processors_that_were_switched_off_may_be_on_elsewhere() -> None:
    """By a launch template; EC2's own figure counts then."""
    halved = InstanceType("r5.4xlarge", Size(8, 120_000), is_registered=True)
    assert may_fit(Size(16, 60_000), an_environment(types=(halved,)), OFFERED)
    assert not may_fit(Size(17, 60_000), an_environment(types=(halved,), max_vcpus=99), OFFERED)


def test_the_likely_one_may_hold_the_job() -> None:
    """The nearest one may be far from that."""
    small, large = an_environment("small", types=(LARGE,)), an_environment("large")
    asked = Size(4, 31_000)
    found = likely_offer(asked, [small, large], OFFERED)
    assert found is not None
    assert (found.environment.name, found.type.name) == ("large", "r5.xlarge")
    assert likely_offer(asked, [small], OFFERED) is None
    assert likely_offer(asked, [an_environment(max_vcpus=3)], OFFERED) is None
    assert likely_offer(asked, [an_environment(types=None)], OFFERED) is None


def test_a_queue_that_is_being_changed_proves_nothing() -> None:
    """Nor does one without environments, whose fault it is itself."""
    assert misfit(BIG, a_queue(status="UPDATING")) is None
    assert misfit(BIG, a_queue(environments=())) is None
    assert misfit(BIG, a_queue()) is Cause.TOO_MANY_VCPUS


@pytest.mark.parametrize("state", ["ENABLED", "DISABLED"])
@pytest.mark.parametrize("status", ["VALID", "INVALID"])
def test_what_is_too_small_is_so_in_order_or_not(state: str, status: str) -> None:
    """To repair it would not help."""
    assert not may_fit(BIG, an_environment(state=state, status=status))


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        (Size(32, 249_856), True),
        (Size(0.25, 512), True),
        (Size(33, 512), False),
        (Size(1, 249_857), False),
        (Size(1, 512, 1), False),
    ],
)
def test_fargate_has_its_own_sizes(asked: Size, *, fits: bool) -> None:
    """The largest that AWS documents, and no GPUs."""
    fargate = an_environment(platform=Platform.FARGATE, types=(), max_vcpus=256)
    assert may_fit(asked, fargate) is fits
    assert surely_fits(asked, fargate) is fits


def test_what_ec2_names_is_not_surely_there() -> None:
    """Kernel and agent have their share of the memory; what was registered is without it."""
    by_ec2 = an_environment(types=(nominal("r5.large", 2, 16_384),))
    assert may_fit(Size(2, 16_384), by_ec2)
    assert not surely_fits(Size(2, 16_384), by_ec2)
    assert surely_fits(Size(2, 14_000), by_ec2)
    assert surely_fits(Size(2, 15_500), an_environment(types=(LARGE,)))
    assert not surely_fits(Size(1, 512), an_environment(types=None))


def _nearest(asked: Size, *environments: Environment) -> tuple[str, str, Size]:
    offer = nearest_offer(asked, environments or (an_environment(),))
    assert offer is not None
    return offer.environment.name, offer.type.name, offer.most


def test_the_nearest_has_most_of_what_is_asked_for() -> None:
    """Within the limits of its environment; the smaller of two that have as much."""
    assert _nearest(Size(999, 4096)) == ("spot", "r5.xlarge", Size(4, 4096))
    assert _nearest(Size(1, 999_999)) == ("spot", "r5.xlarge", Size(1, 31_300))
    assert _nearest(Size(1, 1000)) == ("spot", "r5.large", Size(1, 1000))
    capped = an_environment(max_vcpus=3)
    assert _nearest(Size(999, 4096), capped) == ("spot", "r5.xlarge", Size(3, 4096))
    with_gpus = an_environment("gpus", types=(nominal("g4dn.xlarge", 4, 16_384, 1),))
    found = _nearest(Size(1, 4096, 8), an_environment(), with_gpus)
    assert found == ("gpus", "g4dn.xlarge", Size(1, 4096, 1))
    assert nearest_offer(BIG, [an_environment(types=None)]) is None


def test_one_in_order_is_nearer_than_one_out_of_order() -> None:
    """As people can use it now."""
    off = an_environment("off", state="DISABLED")
    assert _nearest(Size(999, 4096), off, an_environment("on"))[0] == "on"


@pytest.mark.parametrize(
    ("asked", "types", "found"),
    [
        (Size(8, 60_000), (XLARGE,), "r5.4xlarge"),
        (Size(8, 50_000), (nominal("m6g.large", 2, 8192),), "m6g.4xlarge"),
        (Size(1, 1000, 1), (XLARGE,), "g4dn.xlarge"),
        (Size(96, 150_000), (XLARGE,), "m5.24xlarge"),
        (Size(97, 1000), (XLARGE,), None),
        (Size(1, 1000, 2), (XLARGE,), None),
    ],
)
def test_the_smallest_type_that_fits_is_named(
    asked: Size, types: tuple[InstanceType, ...], found: str | None
) -> None:
    """Of the processors that the queue has, without GPUs unless they are asked for."""
    queue = a_queue("flows", an_environment(types=types))
    assert smallest_type(asked, OFFERED, queue) == found


@pytest.mark.parametrize(
    ("name", "arm"),
    [
        ("a1.large", True), ("m6g.large", True), ("c7gn.xlarge", True), ("im4gn.large", True),
        ("t4g.nano", True), ("g5g.xlarge", True), ("hpc7g.4xlarge", True), ("x2gd.large", True),
        ("g4dn.xlarge", False), ("g5.xlarge", False), ("m5.large", False), ("c6in.large", False),
        ("u-6tb1.112xlarge", False), ("p4d.24xlarge", False), ("gr6.4xlarge", False),
    ],
)  # fmt: skip
def test_processors_are_told_by_the_name(name: str, *, arm: bool) -> None:
    """A g after the generation is for Graviton; before it, for graphics."""
    assert is_arm(nominal(name, 2, 8192)) is arm
