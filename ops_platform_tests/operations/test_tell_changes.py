"""A change of production that fails is told to whoever asked for it, once, until one succeeds."""

import pytest

from ops_platform.adapters.ledger import incidents
from ops_platform.adapters.ledger.alerts import of_incident
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.incidents import Incident, Kind, State
from ops_platform.domain.reasons import Reason
from ops_platform.domain.routes import Severity, Stage, severity
from ops_platform_tests.compiled_flows import CompiledFlow
from ops_platform_tests.operations.promotion_world import KilledError, PromotionWorld


@pytest.fixture
def world(emptied_ledger: Ledger) -> PromotionWorld:
    """Give production with a flow that somebody deployed by hand."""
    made = PromotionWorld(emptied_ledger)
    made.deployed_by_hand(CompiledFlow(commit="a" * 40))
    return made


def _open(world: PromotionWorld) -> list[Incident]:
    with world.ledger.transaction() as tx:
        return incidents.still_open(tx, "production", Kind.CHANGE_FAILED)


def _failed(world: PromotionWorld, **request: object) -> Incident:
    world.production.fail("deploy")
    world.promote(world.request(**request))  # type: ignore[arg-type]
    (incident,) = _open(world)
    return incident


def test_a_failed_promotion_is_told_to_who_asked(world: PromotionWorld) -> None:
    """One message, with what failed and that nothing is changed."""
    incident = _failed(world)
    assert (incident.owner, incident.flow) == ("ana", "shop.prod.Forecast")
    assert incident.reason == Reason.AS_IT_WAS
    assert "no answer" in str(incident.error)
    assert severity(incident, Stage.PRODUCTION) is Severity.WARNING
    with world.ledger.transaction() as tx:
        assert len(of_incident(tx, incident.id)) == 1


def test_what_is_half_changed_is_critical_and_says_what_is_left(world: PromotionWorld) -> None:
    """Whoever reads it can do it."""
    world.production.fail("put_rule")
    for nth in (2, 3, 4, 5):
        world.production.fail("update", nth=nth)
    world.production.fail("rule", nth=5)
    world.promote(world.request())
    (incident,) = _open(world)
    assert incident.reason == Reason.HALF_DONE
    assert "What to do:" in str(incident.error)
    assert severity(incident, Stage.STAGING) is Severity.CRITICAL


def test_asking_again_for_what_has_failed_tells_nothing_new(world: PromotionWorld) -> None:
    """It is the same promotion, and the same message."""
    incident = _failed(world)
    world.promote(world.request())
    assert _open(world) == [incident]


def test_a_success_resolves_what_failed_before(world: PromotionWorld) -> None:
    """The message says so."""
    incident = _failed(world)
    done = world.promote(world.request(attempt=2))
    with world.ledger.transaction() as tx:
        after = incidents.load(tx, incident.id)
    assert after is not None
    assert after.state is State.RESOLVED
    assert after.resolved_by == f"change {done.request.id} succeeded"


def test_a_refusal_is_not_told(world: PromotionWorld) -> None:
    """Whoever asks reads it where he asked, and nothing was touched."""
    world.promote(world.request())
    world.promote(world.request(13, "c" * 40))
    assert _open(world) == []


def test_who_is_killed_before_the_end_is_on_record_tells_nothing(world: PromotionWorld) -> None:
    """And whoever goes on tells it: record and message are one transaction."""
    world.production.fail("deploy")
    world.production.fail("machine", KilledError(), nth=3)
    with pytest.raises(KilledError):
        world.promote(world.request())
    assert _open(world) == []
