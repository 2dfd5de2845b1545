"""What a state machine is costs a call, and is found out as seldom as will do."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.ports import ListedMachine
from ops_platform.operations.find_state_machines import AGAIN_AT_ONCE, Found, find_state_machines
from ops_platform.operations.time_budget import TimeBudget
from ops_platform_tests.build import ACCOUNT
from ops_platform_tests.fake_states import FakeStepFunctions
from ops_platform_tests.operations.reconcile_world import World

DESCRIBE = "DescribeStateMachine"


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account with one flow, and an empty ledger."""
    return World(emptied_ledger)


def _find(world: World) -> Found:
    budget = TimeBudget(world.clock)
    return find_state_machines(world.ledger, world.api, account=ACCOUNT, budget=budget)


def _described(world: World) -> int:
    """Return how many machines are described to find them all."""
    before = world.api.calls[DESCRIBE]
    _find(world)
    return world.api.calls[DESCRIBE] - before


def test_each_machine_is_described_when_it_is_new(world: World) -> None:
    """And then left alone for a while."""
    world.api.deploy("foreign")
    assert [_described(world), _described(world)] == [2, 0]
    world.api.deploy("another")
    assert [_described(world), _described(world)] == [1, 0]


def test_a_flow_that_is_deployed_again_is_known_within_the_hour(world: World) -> None:
    """It keeps its ARN, and may have another owner."""
    _find(world)
    world.api.deploy("fraud.prod.TrainFlow", flow="TrainFlow", owner="bo")
    world.wait(minutes=59)
    assert [machine.owner for machine in _find(world).machines] == ["ana"]
    world.wait(minutes=1)
    assert [machine.owner for machine in _find(world).machines] == ["bo"]


def test_a_machine_that_was_deleted_and_made_anew_is_described_at_once(world: World) -> None:
    """Its creation is later than what is known of it."""
    arn = world.api.deploy("etl")
    _find(world)
    world.api.delete(arn)
    world.wait(minutes=1)
    world.api.deploy("etl", flow="EtlFlow", owner="bo")

    assert {machine.flow for machine in _find(world).machines} == {"TrainFlow", "EtlFlow"}


def test_a_flow_that_becomes_foreign_is_left_out(world: World) -> None:
    """Somebody may put another definition in its place."""
    _find(world)
    world.api.deploy("fraud.prod.TrainFlow")
    world.wait(hours=1)

    assert _find(world).machines == ()


def test_what_is_known_of_a_machines_schedule_stays(world: World) -> None:
    """Others keep it in the same row."""
    _find(world)
    known = {"rule": "arn:rule", "schedule": "rate(1 hour)", "scheduled_since": world.clock()}
    with world.ledger.transaction() as tx:
        tx.execute(sa.update(schema.state_machines).values(known))
    world.wait(hours=2)
    assert _described(world) == 1

    (row,) = world.rows(schema.state_machines)

    assert {name: row[name] for name in known} == known


def test_of_many_old_machines_some_are_looked_at_again_at_a_time(world: World) -> None:
    """The one looked at the longest time ago first, until all are."""
    for number in range(2 * AGAIN_AT_ONCE):
        world.api.deploy(f"foreign-{number}")
    assert _described(world) == 2 * AGAIN_AT_ONCE + 1
    world.wait(days=2)

    assert [_described(world) for _ in range(4)] == [AGAIN_AT_ONCE, AGAIN_AT_ONCE, 1, 0]


class Behind(FakeStepFunctions):
    """Step Functions whose list of machines is empty for a while."""

    def list_machines(self) -> Iterator[ListedMachine]:
        """Yield nothing."""
        yield from ()


def test_a_machine_that_a_list_left_out_is_not_forgotten(world: World) -> None:
    """The lists are a little behind; only what AWS says is gone is gone."""
    world.reconcile()
    before = world.watermarks()
    behind = Behind(world.clock)
    behind.deploy("fraud.prod.TrainFlow", flow="TrainFlow", owner="ana")

    done = world.reconcile(api=behind)

    assert (done.machines, done.trouble) == (0, ())
    assert world.watermarks() == before
