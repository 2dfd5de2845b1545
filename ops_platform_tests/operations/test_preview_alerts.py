"""What would be sent, shown without sending it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.bursts import BurstRule, By
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.operations.preview_alerts import Preview, preview
from ops_platform_tests.build import ROUTING
from ops_platform_tests.operations.delivery_world import FALLBACK, World, world_around
from ops_platform_tests.operations.failing_runs import Run


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(emptied_ledger) as made:
        yield made


def _preview(world: World, incident: str) -> list[Preview]:
    with world.ledger.transaction() as tx:
        return preview(
            tx,
            world.incident(incident),
            policy=world.policy,
            composer=world.sender().composer,
            now=world.clock(),
            fallback_channel=FALLBACK,
        )


def _places(found: list[Preview]) -> list[tuple[str, str]]:
    return [(each.channel, each.part) for each in found]


def test_it_is_what_will_be_sent(world: World) -> None:
    """The message first, then each page of its thread, word for word."""
    incident = world.happened(Run("run-1", jobs=30))

    found = _preview(world, incident)

    assert _places(found) == [
        ("#alerts-staging", "message"),
        ("#alerts-staging", "details/0001"),
        ("#alerts-staging", "details/0002"),
    ]
    assert world.inbox.messages() == []
    world.settle()
    world.until_quiet()
    sent = [*world.messages(), *world.thread()]
    assert [message.text for message in sent] == [each.message.text for each in found]
    assert [message.blocks for message in sent] == [each.message.blocks for each in found]


def test_what_is_withheld_is_shown_all_the_same(world: World) -> None:
    """For the channel that it is kept from."""
    incident = world.happened(Run("run-1"), replayed=True)

    message, page = _preview(world, incident)

    assert (message.channel, page.part) == ("#alerts-staging", "details/0001")
    assert "<@U0ADA00001>" in message.message.text


def test_without_a_channel_it_stands_nowhere(world: World) -> None:
    """Once there is a route, it is shown for each of its channels."""
    world.configure(routing=replace(ROUTING, channels={}))
    incident = world.failed_run("run-1")
    assert {each.channel for each in _preview(world, incident)} == {""}

    world.configure(routing=ROUTING)

    assert {each.channel for each in _preview(world, incident)} == {"#alerts-staging"}


def test_any_member_of_a_burst_shows_the_message_of_all(world: World) -> None:
    """Of which there is one, without a thread."""
    world.configure(bursts=(BurstRule(By.FLOW, 2, timedelta(minutes=5)),))
    incidents = [world.failed_run(f"run-{number}") for number in range(3)]
    world.settle()
    world.until_quiet()

    first, *others = (_preview(world, incident) for incident in incidents)

    assert _places(first) == [("#alerts-staging", "message")]
    assert "3 runs" in first[0].message.text
    assert all(other == first for other in others)


def test_notes_stand_below_the_pages(world: World) -> None:
    """In the order in which they were written."""
    incident = world.failed_run("run-1")
    world.settle()
    world.until_quiet()
    world.resolved_by_hand(incident)

    *_, page, note = _preview(world, incident)

    assert page.part == "details/0001"
    assert note.part.startswith("resolved/")
    assert "ada: known" in note.message.text


def test_what_fell_back_is_shown_where_it_stands(world: World) -> None:
    """And names the channel that it was meant for."""
    incident = world.failed_run("run-1")
    world.fallback = FALLBACK
    world.settle()
    world.inbox.fail(Fault(method="chat.postMessage", error="is_archived"))
    world.until_quiet()
    assert len(world.posted(FALLBACK)) == 1

    message = _preview(world, incident)[0]

    assert message.channel == FALLBACK
    assert "#alerts-staging" in str(message.message.blocks)
