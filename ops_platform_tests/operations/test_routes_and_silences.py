"""What is told where, and what nobody wants to hear of for a while."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.routes import Route, Routing, Severity
from ops_platform_tests.build import ROUTING
from ops_platform_tests.operations.delivery_world import CHANNELS, World, world_around
from ops_platform_tests.operations.failing_runs import Run


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(emptied_ledger) as made:
        yield made


def routed(world: World, *routes: Route) -> None:
    """Have incidents told along routes."""
    world.configure(routing=Routing(routes, ROUTING.channels, ROUTING.stages))


# --- silences -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "patterns", [{"account": "staging"}, {"flow": "Train*"}, {"owner": "ada"}, {}]
)
def test_what_is_muted_is_told_at_the_end_of_the_silence(
    world: World, patterns: dict[str, Any]
) -> None:
    """If it is still broken then."""
    silence = world.silenced(**patterns)
    incident = world.failed_run("run")
    world.settle()
    assert world.deliver() == ["pending"]
    alert = world.alert(incident)
    assert alert.reason == f"silence {silence.id} by ada: maintenance"
    assert (alert.due_at, world.deliver()) == (silence.ends_at, [])
    world.wait(hours=1)
    assert world.deliver() == ["sent"]
    assert world.alert(incident).silence_id is None


@pytest.mark.parametrize("patterns", [{"account": "production"}, {"flow": "Other"}])
def test_a_silence_of_something_else_mutes_nothing(world: World, patterns: dict[str, Any]) -> None:
    """Every pattern has to match."""
    world.silenced(owner="ada", **patterns)
    world.failed_run("run")
    world.settle()
    assert world.deliver() == ["sent"]


def test_a_silence_that_is_ended_early_lets_it_be_told_at_once(world: World) -> None:
    """And what recovered meanwhile is not told at all."""
    silence = world.silenced()
    broken, well = world.failed_run("broken"), world.happened(Run("well", flow="Other"))
    world.settle()
    assert world.deliver() == ["pending", "pending"]
    world.happened(Run("well", flow="Other"), "SUCCEEDED")
    world.heard_again(silence)
    assert world.deliver() == ["sent", "withheld"]
    assert world.alert(broken).state == "sent"
    assert world.alert(well).reason == "resolved before it was due"


def test_a_silence_does_not_keep_what_stands_there_from_being_edited(world: World) -> None:
    """Nor its pages; but its thread calls nobody, neither now nor later."""
    run = Run("run", account="production")
    incident = world.happened(run)
    world.configure(repeat={"production": timedelta(hours=24)})
    world.settle()
    world.until_quiet()
    world.silenced(hours=48)
    world.came(run.arn, run.failed_job(7, world.clock() - timedelta(minutes=5)))
    world.update()
    assert world.delivered() == [("message", "sent"), ("details/0001", "sent")]
    world.wait(hours=25)
    assert [state for part, state in world.delivered() if "reminder" in part] == ["withheld"]
    world.happened(run, "SUCCEEDED")
    assert [state for _, state in world.delivered()] == ["sent", "withheld"]
    assert world.messages("production")[0].revision == 2
    world.wait(hours=72)
    assert world.delivered() == []
    assert world.alert(incident).state == "sent"


def test_a_failure_again_is_noted_when_the_silence_is_over(world: World) -> None:
    """Since it is still broken then, and somebody has to know."""
    run = Run("run")
    world.happened(run)
    world.settle()
    world.until_quiet()
    world.silenced(hours=1)
    world.wait(minutes=5)
    world.happened(run)
    notes = [state for part, state in world.delivered() if "again" in part]
    assert notes == ["pending"]
    world.wait(hours=1)
    assert [state for part, state in world.delivered() if "again" in part] == ["sent"]


# --- routes ---------------------------------------------------------------------------------------


def test_a_route_may_have_several_channels(world: World) -> None:
    """Each has its own message and thread, which are edited each for itself."""
    routed(world, Route(("#alerts-staging", "#elsewhere"), flow="Train*"))
    run = Run("run")
    world.happened(run)
    world.settle()
    world.until_quiet()
    world.wait(minutes=5)
    world.happened(run, "SUCCEEDED")
    world.until_quiet()
    for name in ("#alerts-staging", "#elsewhere"):
        (message,) = world.posted(name)
        assert message.revision == 1
        assert len(world.inbox.replies(message)) == 2


def test_how_much_it_matters_may_say_where_it_is_told(world: World) -> None:
    """What a person aborted matters less."""
    routed(world, Route(("#elsewhere",), severity=Severity.CRITICAL))
    world.happened(Run("broken", account="production"))
    world.happened(Run("stopped", account="production"), "ABORTED")
    world.settle()
    world.until_quiet()
    assert len(world.posted("#elsewhere")) == 1
    assert len(world.posted(CHANNELS["production"])) == 1


def test_settings_that_changed_before_it_was_due_count(world: World) -> None:
    """It is told where they say now, once."""
    incident = world.failed_run("run")
    routed(world, Route(("#elsewhere",), account="staging"))
    world.settle()
    assert world.deliver() == ["withheld"]
    world.settle()
    assert world.deliver() == ["sent"]
    assert [len(world.posted(name)) for name in ("#alerts-staging", "#elsewhere")] == [0, 1]
    reasons = {one.channel: one.reason for one in world.alerts() if one.part == "message"}
    assert reasons == {"#alerts-staging": "told in #elsewhere by now", "#elsewhere": None}
    assert incident


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"known_accounts": frozenset({"production"})}, "account is not in the settings"),
        ({"observed_accounts": frozenset({"staging"})}, "account is observed only"),
        ({"routing": replace(ROUTING, channels={})}, "no channel is set"),
    ],
)
def test_an_account_that_the_settings_do_not_tell_any_more_is_not_told(
    world: World, change: dict[str, object], reason: str
) -> None:
    """It was still to be told when its run failed."""
    incident = world.failed_run("run")
    world.configure(**change)
    world.settle()
    assert world.deliver() == ["withheld"]
    assert (world.alert(incident).reason, world.messages()) == (reason, [])


def test_what_was_told_in_a_channel_goes_on_there_when_the_settings_change(world: World) -> None:
    """A message is edited where it stands."""
    run = Run("run")
    world.happened(run)
    world.settle()
    world.until_quiet()
    routed(world, Route(("#elsewhere",), account="staging"))
    world.wait(minutes=5)
    world.happened(run, "SUCCEEDED")
    world.until_quiet()
    assert (world.messages()[0].revision, world.posted("#elsewhere")) == (1, [])
