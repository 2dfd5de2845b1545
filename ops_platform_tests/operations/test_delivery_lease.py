"""One sender at a time, under a lease: the others are told, and take over when it dies."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.ledger import alerts, leases
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.delivery import Sent
from ops_platform_tests.operations.delivery_world import CHANNELS, LEASE, World, world_around


@pytest.fixture
def world(ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(ledger) as made:
        yield made


def test_while_one_sender_works_another_is_told(world: World) -> None:
    """It gets None rather than an empty list, and sends nothing."""
    world.failed_run("run-1")
    world.settle()
    told: list[list[str] | None] = []

    def meanwhile(_owner: str | None) -> None:
        told.append(world.deliver("two"))

    assert world.deliver("one", mention=meanwhile) == ["sent"]
    assert told == [None]
    assert world.deliver("two") == []
    assert len(world.messages()) == 1


def test_a_sender_that_was_held_up_leaves_the_alert_to_its_successor(world: World) -> None:
    """One whose lease ran out while it looked for the owner does not post a second copy."""
    world.failed_run("run-1")
    world.settle()

    def held_up(_owner: str | None) -> None:
        world.wait(seconds=LEASE.total_seconds())
        assert world.deliver("two") == ["sent"]

    assert world.deliver("one", mention=held_up) == []
    assert (len(world.messages()), world.alerts_sent()) == (1, 1)


def test_what_a_sender_died_with_is_taken_over_when_its_lease_ends(world: World) -> None:
    """Not before; and what had arrived is found, not sent again."""
    incident = world.failed_run("run-1")
    world.settle()
    _die_after_posting(world, incident)
    assert world.alert(incident).state == "sending"

    assert world.deliver("two") is None
    world.wait(seconds=LEASE.total_seconds())
    assert world.deliver("two") == ["sent"]
    (message,) = world.messages()
    assert world.alert(incident).message_ts == message.ts


def _die_after_posting(world: World, incident: str) -> None:
    """Leave behind what a sender does that dies when Slack has its message."""
    alert = world.alert(incident)
    with world.ledger.transaction() as tx:
        leases.take(tx, "deliver_alerts", holder="dead", now=world.clock(), length=LEASE)
        assert alerts.claim(tx, alert, channel=CHANNELS["staging"], now=world.clock())
    outcome = world.notifier().post(
        channel=CHANNELS["staging"], text="lost", blocks=[], metadata_key=alert.key
    )
    assert isinstance(outcome, Sent)
