"""The promises of Batch's queues, kept by the fake and by an emulator, through the one adapter."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform_tests.adapters.queues_contract import QueuesContract
from ops_platform_tests.adapters.queues_worlds import (
    EmulatedQueuesWorld,
    FakeQueuesWorld,
    emulated_queues_world,
)


class TestFakeQueues(QueuesContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeQueuesWorld:
        """Return a fresh fake."""
        return FakeQueuesWorld()


class TestEmulatedQueues(QueuesContract):
    """Over HTTP, against an emulator that runs jobs."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> Iterator[EmulatedQueuesWorld]:
        """Return the emulator's account."""
        with emulated_queues_world(emulated) as world:
            yield world
