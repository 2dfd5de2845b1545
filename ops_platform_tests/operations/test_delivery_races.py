"""What happens at the worst moment: between two steps of a sender, something else is done."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ops_platform.adapters.ledger import alerts, leases
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.delivery import Delivery
from ops_platform.operations.deliver_alerts import LEASE as LEASE_NAME
from ops_platform_tests.operations.delivery_world import LEASE, World, client_of, world_around
from ops_platform_tests.operations.failing_runs import Run

RUN = Run("run")


@pytest.fixture
def world(ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(ledger) as made:
        yield made


class Interrupted(SlackNotifier):
    """Slack, but for what happens just before, or just after, its first post or edit."""

    def __init__(self, world: World, *, before: bool, happens: Callable[[], object]) -> None:
        super().__init__(client_of(world.inbox.api_url))
        self._before = before
        self._happens: list[Callable[[], object]] = [happens]

    def post(self, **given: Any) -> Delivery:
        """Post, interrupted."""
        return self._interrupted(lambda: SlackNotifier.post(self, **given))

    def update(self, **given: Any) -> Delivery:
        """Edit, interrupted."""
        return self._interrupted(lambda: SlackNotifier.update(self, **given))

    def _interrupted(self, call: Callable[[], Delivery]) -> Delivery:
        happens = self._happens.pop() if self._happens else lambda: None
        if self._before:
            happens()
        outcome = call()
        if not self._before:
            happens()
        return outcome


def delivered(world: World, happens: Callable[[], object], *, before: bool = True) -> list[str]:
    """Deliver, while something happens around the first call; return each part with its state."""
    notifier = Interrupted(world, before=before, happens=happens)
    done = replace(world.sender("first"), notifier=notifier).deliver(seconds=600)
    assert done is not None
    return [f"{each.part.partition('/')[0]} {each.state}" for each in done]


@pytest.mark.parametrize("before", [True, False])
def test_a_run_that_recovers_while_it_is_told_is_told_to_be_over(
    world: World, *, before: bool
) -> None:
    """By the same sender, who looks again at what it has told."""
    world.happened(RUN)
    world.settle()
    told = delivered(world, lambda: world.happened(RUN, "SUCCEEDED"), before=before)
    assert told == ["message sent", "message sent", "details sent", "resolved sent"]
    assert "🟢" in str(world.messages()[0].blocks)


@pytest.mark.parametrize("before", [True, False])
def test_a_run_that_fails_again_while_it_is_told_to_be_over_is_told_so(
    world: World, *, before: bool
) -> None:
    """The edit that was under way said it is over; the note calls its owner."""
    incident = world.happened(RUN)
    world.settle()
    world.until_quiet()
    world.wait(minutes=5)
    world.happened(RUN, "SUCCEEDED")
    world.wait(seconds=1)
    delivered(world, lambda: world.happened(RUN, "FAILED"), before=before)
    world.until_quiet()
    assert "🟢" not in str(world.messages()[0].blocks)
    assert any(part.startswith("again/") for part in world.parts(incident))


def test_an_ingest_that_is_not_committed_yet_is_not_overlooked(world: World) -> None:
    """It has read that the message is not told; the sender has read that nothing has changed."""
    world.happened(RUN)
    world.settle()
    reached, committed = threading.Event(), threading.Event()

    def ingest() -> None:
        with world.ledger.transaction() as tx:
            alerts.keep(tx, [world.alerts()[0].incident_id])
            reached.set()
            assert not committed.wait(0.5), "the sender did not wait"

    thread = threading.Thread(target=ingest)

    def meanwhile() -> None:
        thread.start()
        assert reached.wait(10)

    assert delivered(world, meanwhile)[0] == "message sent"
    committed.set()
    thread.join(10)


def test_a_sender_that_wakes_up_late_does_not_undo_what_its_successor_did(world: World) -> None:
    """Its own copy is one too many, which nobody could know; the ledger keeps to the other."""
    incident = world.happened(RUN)
    world.settle()

    def sleep() -> None:
        world.wait(seconds=LEASE.total_seconds())
        assert world.deliver("second") == ["sent"]

    assert "message sent" in delivered(world, sleep)
    first, _ = world.messages()
    assert world.alert(incident).message_ts == first.ts
    world.wait(minutes=5)
    world.happened(RUN, "SUCCEEDED")
    world.until_quiet()
    assert [message.revision for message in world.messages()] == [1, 0]


def test_a_sender_that_fails_late_does_not_undo_what_its_successor_did(world: World) -> None:
    """That its post was refused says nothing of the one that stands there."""
    incident = world.happened(RUN)
    world.settle()

    def sleep() -> None:
        world.wait(seconds=LEASE.total_seconds())
        assert world.deliver("second") == ["sent"]
        world.inbox.revoke("xoxb-test")

    delivered(world, sleep)
    assert (world.alert(incident).state, len(world.messages())) == ("sent", 1)


def test_an_error_in_the_making_of_one_message_does_not_keep_the_others(world: World) -> None:
    """The tick fails, as it should; the next begins with the others."""
    world.happened(RUN)
    world.wait(seconds=1)
    world.happened(Run("other", flow="Other", owner="grace"))
    world.settle()

    def broken(owner: str | None) -> str | None:
        if owner == "ada":
            raise RuntimeError("nobody thought of this")
        return None

    with pytest.raises(RuntimeError, match="nobody thought"):
        world.deliver(mention=broken)
    assert world.deliver(mention=broken) == ["sent"]
    world.wait(minutes=1)
    assert world.deliver() == ["sent"]


def test_a_clock_that_is_put_back_stops_nothing_for_long(world: World) -> None:
    """Neither the lease of one who died before, nor what is told after it."""
    world.happened(RUN)
    world.settle()
    with world.ledger.transaction() as tx:
        assert leases.take(tx, LEASE_NAME, holder="dead", now=world.clock(), length=LEASE)
    world.wait(hours=-3)
    world.happened(Run("now", flow="Now"))
    world.settle()
    assert world.deliver() == ["sent"]
