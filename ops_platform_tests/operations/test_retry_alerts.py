"""Another try by an operator's word: of what is dead, waits, or was withheld by mistake."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger import alerts
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.bursts import BurstRule, By
from ops_platform.domain.routes import Route, Routing
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.operations.by_hand import Outcome, RefusedError
from ops_platform.operations.retry_alerts import retry, unsent_of
from ops_platform_tests.build import ROUTING
from ops_platform_tests.operations.delivery_world import World, world_around
from ops_platform_tests.operations.failing_runs import Run

POST = "chat.postMessage"


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(emptied_ledger) as made:
        yield made


def _retry(world: World, *numbers: int, why: str | None = "repaired") -> list[Outcome]:
    return retry(world.ledger, numbers, who="ana", why=why, policy=world.policy, now=world.clock())


def _refusal(world: World, number: int) -> str:
    (outcome,) = _retry(world, number)
    assert not outcome.done
    return outcome.text


def _dead(world: World) -> str:
    """Return an incident whose message Slack refused, blocks and plain text alike."""
    incident = world.failed_run("run-1")
    world.settle()
    world.inbox.fail(Fault(method=POST, error="invalid_blocks", times=2))
    assert world.deliver() == ["pending", "dead"]
    return incident


def test_a_dead_message_is_sent_as_it_was_meant(world: World) -> None:
    """With its blocks, and its thread."""
    alert = world.alert(_dead(world))

    assert _retry(world, alert.id) == [
        Outcome(str(alert.id), done=True, text=f"alert {alert.id} is due now")
    ]

    waiting = world.alert(alert.incident_id)
    assert (waiting.reason, waiting.why) == (
        "retried by ana: repaired",
        "retried by an operator",
    )
    world.until_quiet()
    (message,) = world.messages()
    assert message.blocks
    assert world.thread()


def test_who_says_so_is_enough(world: World) -> None:
    """Why is asked for, but not needed."""
    alert = world.alert(_dead(world))

    _retry(world, alert.id, why=None)

    assert world.alert(alert.incident_id).reason == "retried by ana"


def test_a_message_that_waits_for_a_person_is_tried_at_once(world: World) -> None:
    """As soon as the bot is back in the channel."""
    incident = world.failed_run("run-1")
    world.settle()
    world.inbox.fail(Fault(method=POST, error="not_in_channel"))
    assert world.deliver() == ["pending"]
    assert world.deliver() == []

    _retry(world, world.alert(incident).id)

    assert world.deliver() == ["sent"]


def test_what_was_withheld_by_mistake_is_sent(world: World) -> None:
    """A replay alerts nobody, unless somebody wants it to."""
    incident = world.happened(Run("run-1"), replayed=True)
    assert world.alert(incident).reason == "replayed"

    _retry(world, world.alert(incident).id)

    assert world.deliver() == ["sent"]
    assert world.understood == [incident]


def test_what_had_no_channel_goes_where_the_settings_say_by_now(world: World) -> None:
    """To each channel of a route."""
    without = replace(ROUTING, channels={})
    world.configure(routing=without)
    incident = world.failed_run("run-1")
    alert = world.alert(incident)
    assert (alert.channel, alert.reason) == ("", "no channel is set")
    assert _refusal(world, alert.id) == f"alert {alert.id} stays withheld: no channel is set"

    route = Route(("#alerts-staging", "#elsewhere"), flow="*")
    world.configure(routing=replace(without, routes=(route,)))
    _retry(world, alert.id)

    world.until_quiet()
    assert (len(world.messages()), len(world.posted("#elsewhere"))) == (1, 1)


def test_the_settings_keep_what_they_kept(world: World) -> None:
    """An account that is only observed stays so."""
    world.configure(observed_accounts=frozenset({"staging"}))
    alert = world.alert(world.failed_run("run-1"))

    assert _refusal(world, alert.id).endswith("stays withheld: account is observed only")


def test_what_stands_in_slack_is_not_sent_again(world: World) -> None:
    """It says since when it does."""
    alert = world.alert(world.failed_run("run-1"))
    world.settle()
    world.until_quiet()

    assert _refusal(world, alert.id) == (
        f"alert {alert.id} stays sent: it stands in Slack since 2026-03-02 12:01 UTC"
    )


def test_what_may_have_arrived_is_not_sent_again(world: World) -> None:
    """It is looked up first, by itself."""
    alert = world.alert(world.failed_run("run-1"))
    world.settle()
    world.inbox.fail(Fault(method=POST, status=502))
    assert world.deliver() == ["ambiguous"]

    assert "stays ambiguous: it may have arrived" in _refusal(world, alert.id)


def test_a_silence_has_to_be_ended_first(world: World) -> None:
    """It would hold the message back again."""
    alert = world.alert(world.happened(Run("run-1"), replayed=True))
    silence = world.silenced(flow="TrainFlow")

    assert f"`ops-platform silences expire {silence.id}`" in _refusal(world, alert.id)


def test_what_a_burst_tells_of_is_not_sent_by_itself(world: World) -> None:
    """The refusal names the message that tells of it."""
    world.configure(bursts=(BurstRule(By.FLOW, 2, timedelta(minutes=5)),))
    incidents = [world.failed_run(f"run-{number}") for number in range(2)]
    world.settle()
    world.deliver()
    led = next(alert for alert in map(world.alert, incidents) if alert.told_with is not None)

    assert _refusal(world, led.id).endswith(
        f"stays withheld: alert {led.told_with} tells of it, together with others"
    )


def test_nobody_hears_of_what_is_over(world: World) -> None:
    """Though its message never arrived."""
    incident = _dead(world)
    world.resolved_by_hand(incident)

    assert "its incident is resolved" in _refusal(world, world.alert(incident).id)


def test_a_page_needs_its_message(world: World) -> None:
    """The refusal names the one to retry first."""
    incident = _dead(world)
    parent = world.alert(incident)
    with world.ledger.transaction() as tx:
        alerts.add_part(tx, parent, "details/0001", parent.why, due_at=world.clock(), again=False)
    world.deliver()
    page = world.alert(incident, "details/0001")

    assert _refusal(world, page.id) == (
        f"alert {page.id} stays dead: it belongs to the thread of alert {parent.id};"
        " retry that one first"
    )


def test_all_that_did_not_arrive_can_be_named_by_its_incident(world: World) -> None:
    """The message itself; of its thread what can stand there by now."""
    first, second = _dead(world), world.happened(Run("run-2"), replayed=True)
    third = world.failed_run("run-3")
    world.settle()
    world.until_quiet()

    numbers = unsent_of(world.ledger, [first, second, third])

    assert numbers == [world.alert(first).id, world.alert(second).id]
    with pytest.raises(RefusedError, match=r"no incident nothing; `ops-platform incidents list`"):
        unsent_of(world.ledger, [first, "nothing"])


def test_a_page_that_slack_refused_is_named_by_its_incident_too(world: World) -> None:
    """Once its message stands there."""
    incident = world.failed_run("run-1")
    world.settle()
    world.inbox.fail(Fault(method=POST, error="thread_not_found", skip=1))
    world.until_quiet()
    page = world.alert(incident, "details/0001")
    assert page.state == "dead"

    assert unsent_of(world.ledger, [incident]) == [page.id]


def test_a_number_that_is_none_stops_all(world: World) -> None:
    """A slip is put right before anything is done."""
    alert = world.alert(_dead(world))

    with pytest.raises(RefusedError, match=r"no alert 999999; `ops-platform alerts list`"):
        _retry(world, alert.id, 999_999)

    assert world.alert(alert.incident_id).state == "dead"


def test_what_another_channel_tells_by_now_is_not_told_twice(world: World) -> None:
    """It was withheld as no channel was set, and told when the run failed again."""
    run = Run("run-1")
    world.configure(routing=Routing((), {}, ROUTING.stages))
    withheld = world.alert(world.happened(run))
    world.configure(routing=ROUTING)
    world.wait(hours=1)
    world.happened(run)
    world.settle()
    world.until_quiet()

    assert _refusal(world, withheld.id).endswith("tells of it in #alerts-staging")
    with pytest.raises(RefusedError, match=f"No message of incident {withheld.incident_id} waits"):
        unsent_of(world.ledger, [withheld.incident_id])
    assert len(world.messages()) == 1


def test_of_an_incident_that_is_told_elsewhere_only_that_is_named(world: World) -> None:
    """What had no channel could only be refused."""
    run = Run("run-1")
    world.configure(routing=Routing((), {}, ROUTING.stages))
    withheld = world.alert(world.happened(run))
    world.configure(routing=ROUTING)
    world.wait(hours=1)
    world.happened(run)
    (other,) = [each for each in world.alerts() if each.channel]

    assert unsent_of(world.ledger, [withheld.incident_id]) == [other.id]
    assert all(outcome.done for outcome in _retry(world, other.id))
