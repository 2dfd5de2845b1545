"""What a look-up that takes longer than the lease finds changed when it is over."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.delivery import LookupUnavailable, Sent
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform_tests.operations.delivery_world import LEASE, World, client_of, world_around
from ops_platform_tests.operations.failing_runs import Run

RUN = Run("run")


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(emptied_ledger) as made:
        yield made


class SlowToLookUp(SlackNotifier):
    """Slack, whose look-up is over only when another sender has posted and the run is well."""

    def __init__(self, world: World) -> None:
        super().__init__(client_of(world.inbox.api_url))
        self._world = world

    def find(self, **given: Any) -> Sent | LookupUnavailable | None:
        """Look up, slowly."""
        found = super().find(**given)
        self._world.wait(seconds=LEASE.total_seconds() + 1)
        assert self._world.deliver("second", seconds=600) == ["sent"]
        self._world.happened(RUN, "SUCCEEDED")
        return found


def test_a_sender_whose_lookup_outlived_its_lease_leaves_the_message_alone(world: World) -> None:
    """Another has posted it meanwhile, and it is to be edited: what was read before is no more."""
    world.happened(RUN)
    world.settle()
    world.inbox.fail(Fault(method="chat.postMessage", cut=True))
    assert world.deliver() == ["ambiguous"]
    world.wait(minutes=1)
    replace(world.sender("first"), notifier=SlowToLookUp(world)).deliver(seconds=600)
    world.update()
    world.until_quiet()
    (message,) = world.messages()
    assert "🟢" in str(message.blocks)
