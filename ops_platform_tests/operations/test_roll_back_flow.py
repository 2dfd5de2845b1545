"""Roll backs and adoptions: definition and schedule as they were, or nothing touched."""

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.promotions import Kind, Status, What
from ops_platform_tests.compiled_flows import CompiledFlow
from ops_platform_tests.operations.promotion_world import (
    DAILY,
    HOURLY,
    MACHINE,
    KilledError,
    PromotionWorld,
    State,
)

FIRST, SECOND = "b" * 40, "c" * 40


@pytest.fixture
def world(emptied_ledger: Ledger) -> PromotionWorld:
    """Give production after two promotions of a pull request: one daily, one hourly."""
    made = PromotionWorld(emptied_ledger)
    made.promote(made.request(commit=FIRST), schedule=DAILY)
    second = CompiledFlow(commit=SECOND, code="s3://metaflow/metaflow/Forecast/data/ee/ee22")
    made.promote(made.request(commit=SECOND), second.but_first(memory="9000"), schedule=HOURLY)
    return made


def _first(world: PromotionWorld) -> State:
    """Return the state in which the first promotion left production."""
    first = world.history()[-1]
    return first.digest, first.rule


def test_it_goes_back_to_the_deployment_before(world: PromotionWorld) -> None:
    """Definition and schedule, and it is a deployment of its own."""
    recorded = world.roll_back()
    assert recorded.status is Status.SUCCEEDED
    assert world.state() == _first(world)
    newest = world.history()[0]
    assert (newest.kind, newest.commit, newest.replaced) == (
        Kind.ROLL_BACK,
        FIRST,
        world.history()[1].id,
    )
    assert [entry.what for entry in recorded.entries] == [
        What.CHECKED, What.LOCKED, What.KEPT, What.DEPLOYING, What.DEPLOYED, What.VERIFIED,
        What.PUBLISHED, What.SUCCEEDED,
    ]  # fmt: skip


def test_it_goes_to_any_that_is_named(world: PromotionWorld) -> None:
    """And forth again."""
    second = world.history()[0]
    world.roll_back()
    world.roll_back(target=second.id)
    assert world.state() == (second.digest, second.rule)


def test_a_schedule_that_was_not_there_is_gone_again(emptied_ledger: Ledger) -> None:
    """A rollback of the machine alone would leave it."""
    world = PromotionWorld(emptied_ledger)
    world.promote(world.request(commit=FIRST), schedule=None)
    world.promote(world.request(commit=SECOND), schedule=HOURLY)
    world.roll_back()
    assert world.state()[1] is None


def test_the_look_before_changes_nothing(world: PromotionWorld) -> None:
    """It names the target and what is in the way."""
    before = world.state()
    way = world.rolling().look("production", MACHINE)
    assert way.target is not None
    assert (way.target.commit, way.obstacles) == (FIRST, ())
    assert world.state() == before
    with pytest.raises(PlatformError, match="no deployment 999"):
        world.rolling().look("production", MACHINE, 999)


def test_what_it_needs_and_is_gone_refuses_it(world: PromotionWorld) -> None:
    """Before anything is touched."""
    before = world.state()
    world.production.gone.add("s3://metaflow/metaflow/Forecast/data/dd/dd28")
    recorded = world.roll_back()
    assert recorded.status is Status.REFUSED
    assert "data/dd/dd28, which is gone" in recorded.entries[-1].message
    assert world.state() == before


def test_without_anything_before_it_is_refused(emptied_ledger: Ledger) -> None:
    """The first deployment has none to go back to."""
    world = PromotionWorld(emptied_ledger)
    world.promote(world.request())
    recorded = world.roll_back()
    assert recorded.status is Status.REFUSED
    assert "no deployment on record before the last one" in recorded.entries[-1].message


def test_it_mends_what_somebody_changed(world: PromotionWorld) -> None:
    """Drift is no reason to refuse it."""
    world.deployed_by_hand(CompiledFlow(commit="e" * 40).but_first(memory="100"), None)
    assert world.roll_back(target=world.history()[0].id).status is Status.SUCCEEDED
    assert world.state() == (world.history()[1].digest, world.history()[1].rule)


def test_another_pull_requests_flow_is_not_rolled_back(world: PromotionWorld) -> None:
    """The holder is named; nor by hand, before the flow is unlocked."""
    for number in (13, None):
        recorded = world.roll_back(number)
        assert recorded.status is Status.REFUSED
        assert "acme/flows#12 holds" in recorded.entries[-1].message


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("operation", "nth"),
    [
        ("publish", 1),
        ("publish", 2),
        ("version", 2),
        ("update", 1),
        ("put_rule", 1),
        ("machine", 3),
    ],
)
def test_a_failure_leaves_production_as_it_was(
    world: PromotionWorld, operation: str, nth: int, *, after: bool
) -> None:
    """And the next attempt succeeds."""
    before = world.state()
    calls = world.production.calls[operation]
    world.production.fail(operation, nth=nth, after=after)
    recorded = world.roll_back()
    assert world.production.calls[operation] >= calls + nth
    assert (recorded.status, world.state()) == (Status.FAILED, before)
    assert world.roll_back(attempt=2).status is Status.SUCCEEDED


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 15))
@pytest.mark.slow
def test_killed_at_any_call_it_goes_on(world: PromotionWorld, call: int, *, after: bool) -> None:
    """To the same deployment, once."""
    first = _first(world)
    world.production.fail("any", KilledError(), nth=call, after=after)
    with pytest.raises(KilledError):
        world.roll_back()
    assert world.roll_back().status is Status.SUCCEEDED
    assert world.state() == first
    assert [each.commit for each in world.history()] == [FIRST, SECOND, FIRST]


def test_what_was_deployed_by_hand_is_adopted(emptied_ledger: Ledger) -> None:
    """As it runs, with its schedule, owner and token; then it is no longer unadopted."""
    world = PromotionWorld(emptied_ledger)
    world.deployed_by_hand(CompiledFlow(owner="grace"))
    before = world.state()
    assert world.adopt(owner=None).status is Status.SUCCEEDED
    (made,) = world.history()
    assert (made.kind, made.owner, made.commit) == (Kind.ADOPT, "grace", CompiledFlow().commit)
    assert made.production_token == "mfprj-abc-0-defg"
    assert (made.digest, made.rule) == before == world.state()
    again = world.adopt(owner=None, attempt=2)
    assert again.status is Status.REFUSED
    assert "nothing to adopt" in again.entries[-1].message


def test_what_was_adopted_is_gone_back_to(emptied_ledger: Ledger) -> None:
    """It is the first deployment."""
    world = PromotionWorld(emptied_ledger)
    world.deployed_by_hand(CompiledFlow(owner="grace"))
    before = world.state()
    world.adopt()
    world.promote(world.request())
    assert world.roll_back().status is Status.SUCCEEDED
    assert world.state() == before


def test_what_drifted_is_adopted_anew(world: PromotionWorld) -> None:
    """By somebody's word, with a reason on record."""
    world.deployed_by_hand(CompiledFlow(commit="e" * 40), DAILY)
    assert world.adopt(reason="mended at night").status is Status.SUCCEEDED
    assert world.promote(world.request(commit="f" * 40)).status is Status.SUCCEEDED


def test_what_is_not_metaflows_is_not_adopted(emptied_ledger: Ledger) -> None:
    """Nor what is not there."""
    world = PromotionWorld(emptied_ledger)
    world.production.create("other", definition='{"States":{}}', role_arn="r")
    assert "not deployed by Metaflow" in world.adopt("other").entries[-1].message
    assert "no state machine none" in world.adopt("none").entries[-1].message
