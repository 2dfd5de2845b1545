"""A reconciliation that AWS or the time stops goes on another time, and loses nothing by it."""

import tracemalloc
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform_tests.build import ACCOUNT
from ops_platform_tests.operations.reconcile_world import World

DESCRIBE = "DescribeExecution"


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account with one flow that is watched, and an empty ledger."""
    world = World(emptied_ledger)
    world.watch()
    return world


def _slow(world: World, seconds: float, action: str = DESCRIBE) -> None:
    """Let each call of an action take its time."""
    taken = timedelta(seconds=seconds)
    world.api.on_call = lambda called: world.clock.advance(taken if called == action else taken * 0)


@pytest.mark.parametrize("action", ["ListStateMachines", "ListExecutions", DESCRIBE])
def test_a_throttled_reconciliation_says_so_and_moves_no_watermark(
    world: World, action: str
) -> None:
    """The next one finds everything."""
    for name in ("a", "b", "c"):
        world.fail(name)
    before = world.watermarks()
    world.api.busy_after = {action: world.api.calls[action] + 1 - (action == "ListStateMachines")}

    done = world.reconcile()

    assert done.trouble == (f"Could not call {action}: too many.",)
    assert world.watermarks() == before

    world.api.busy_after = {}
    done = world.reconcile()
    assert (done.trouble, done.unfinished) == ((), 0)
    assert world.statuses() == dict.fromkeys("abc", "FAILED")
    assert len(world.told()) == 3


def test_what_was_described_before_the_throttling_is_kept(world: World) -> None:
    """So that nobody waits for it, and it is not asked for again."""
    for name in ("a", "b", "c"):
        world.fail(name)
    world.api.busy_after = {DESCRIBE: 2}

    assert world.reconcile().filled == 2

    assert world.statuses() == {"b": "FAILED", "c": "FAILED"}, "the newest come first"
    world.api.busy_after, world.api.calls[DESCRIBE] = {}, 0
    world.reconcile()
    assert world.api.calls[DESCRIBE] == 1


def test_a_forbidden_machine_does_not_hide_the_others(world: World) -> None:
    """It is named, it stays unfinished, and the others are read."""
    other = world.api.deploy("Other", flow="Other", owner="bo")
    world.reconcile()
    before = world.watermarks()
    world.fail("hidden")
    world.fail("seen", machine=other)
    world.api.forbidden = {world.flow}

    done = world.reconcile()

    assert done.trouble == (f"Could not read {world.flow}: AccessDenied.",)
    assert (done.machines, done.unfinished, done.filled) == (2, 1, 1)
    assert world.statuses() == {"seen": "FAILED"}
    assert world.watermarks()["fraud.prod.TrainFlow"] == before["fraud.prod.TrainFlow"]


def test_a_machine_that_may_not_be_described_does_not_hide_the_others(world: World) -> None:
    """Whether it is Metaflow's nobody knows."""
    world.api.forbidden = {world.api.deploy("Secret", flow="Secret", owner="bo")}
    world.fail("seen")

    done = world.reconcile()

    assert len(done.trouble) == 1
    assert (done.machines, world.statuses()) == (1, {"seen": "FAILED"})


def test_time_is_kept_and_the_next_tick_goes_on(world: World) -> None:
    """Nothing is described twice, and the watermark waits until all is read."""
    before = world.watermarks()
    for number in range(10):
        world.fail(f"run-{number}", after=1)
    _slow(world, 1)
    began = world.clock()

    ticks = [world.reconcile(seconds=4) for _ in range(3)]

    assert [tick.filled for tick in ticks] == [4, 4, 2]
    assert [tick.unfinished for tick in ticks] == [1, 1, 0]
    assert [tick.trouble for tick in ticks] == [()] * 3
    assert world.api.calls[DESCRIBE] == 10
    assert world.clock() - began <= timedelta(seconds=12)
    assert world.watermarks() != before
    assert len(world.statuses()) == 10


def test_failures_of_all_machines_are_read_before_any_success(world: World) -> None:
    """A flow with many runs does not keep the others' owners waiting."""
    busy = world.api.deploy("Busy", flow="Busy", owner="bo")
    for number in range(20):
        arn = world.api.start(busy, f"good-{number}")
        world.wait(seconds=1)
        world.api.end(arn, "SUCCEEDED")
    world.fail("broken")
    _slow(world, 1)

    world.reconcile(seconds=5)

    assert world.incidents() == {"broken": "open"}


def test_the_machine_that_waits_longest_comes_first(world: World) -> None:
    """Whoever was not reached is not left out for ever."""
    machines = [world.flow, *(world.api.deploy(name, flow=name, owner="bo") for name in "AB")]
    for at, machine in enumerate(machines):
        for number in range(3):
            arn = world.api.start(machine, f"run-{at}-{number}")
            world.wait(seconds=1)
            world.api.end(arn, "SUCCEEDED")
    _slow(world, 1)

    reached = []
    for _ in range(3):
        world.reconcile(seconds=4)
        reached.append(len(world.statuses()))

    assert reached == [4, 8, 9]


def test_many_new_machines_are_looked_at_over_several_ticks(world: World) -> None:
    """What they are is remembered as far as one came."""
    for number in range(30):
        world.api.deploy(f"foreign-{number}")
    _slow(world, 1, "DescribeStateMachine")

    ticks = [world.reconcile(seconds=12) for _ in range(3)]

    assert [tick.machines for tick in ticks] == [0, 0, 1]
    assert len(world.watermarks()) == 31


def test_reading_many_executions_takes_no_more_memory(world: World) -> None:
    """They are read, compared and forgotten page by page."""
    small = _peak_of_reading(world, 500, prefix="few")
    large = _peak_of_reading(world, 5000, prefix="many")
    assert large < 1.5 * small + 100_000


def _peak_of_reading(world: World, count: int, *, prefix: str) -> int:
    for number in range(count):
        arn = world.api.start(world.flow, f"{prefix}-{number}")
        world.api.end(arn, "SUCCEEDED")
    at, world.api.events[:] = list(world.api.events), []
    world.deliver(*at)
    world.wait(seconds=1)
    tracemalloc.start()
    done = world.reconcile()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (done.filled, done.read >= count) == (0, True)
    return peak


def test_two_at_once_do_no_harm(world: World) -> None:
    """Somebody may call it by hand while the schedule's is at work."""
    world.fail("run")
    again: list[int] = []

    def beside(action: str) -> None:
        if action == DESCRIBE and not again:
            again.append(1)
            again.append(world.reconcile().filled)

    world.api.on_call = beside
    done = world.reconcile()

    assert (again[1], done.filled) == (1, 0)
    assert len(world.told()) == 1
    assert {row["account"] for row in world.rows(schema.executions)} == {ACCOUNT}
