"""One sender at a time, under a lease: the others are told, and take over when it dies."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.ledger import leases, sending
from ops_platform.adapters.ledger.alerts import Alert
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.delivery import Sent
from ops_platform.domain.outbox import UNSURE_WAIT
from ops_platform.domain.telling import Told, standing
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


def test_an_alert_that_senders_die_over_does_not_stand_in_the_way_of_others(world: World) -> None:
    """Whatever kills them each time, those behind it are told first."""
    deadly = world.failed_run("run-1")
    world.wait(seconds=1)
    other = world.failed_run("run-2")
    world.settle()
    _die_before_posting(world, deadly)
    world.wait(seconds=LEASE.total_seconds())

    assert world.deliver("two") == ["sent", "sent"]
    told = [(message.metadata or {})["event_payload"]["key"] for message in world.messages()]
    assert told == [f"{one}:#alerts-staging:message" for one in (other, deadly)]


def _die_before_posting(world: World, incident: str) -> Alert:
    """Leave behind what a sender does that dies with an alert in its hands."""
    alert, now = world.alert(incident), world.clock()
    telling = Told(standing(world.incident(incident)), now, digest="lost")
    with world.ledger.transaction() as tx:
        leases.take(tx, "deliver_alerts", holder="dead", now=now, length=LEASE)
        assert sending.claim(tx, alert, telling=telling, now=now, again_at=now + UNSURE_WAIT)
    return alert


def _die_after_posting(world: World, incident: str) -> None:
    """Leave behind what a sender does that dies when Slack has its message."""
    alert = _die_before_posting(world, incident)
    outcome = world.notifier().post(
        channel=CHANNELS["staging"], text="lost", blocks=[], metadata_key=alert.key
    )
    assert isinstance(outcome, Sent)
