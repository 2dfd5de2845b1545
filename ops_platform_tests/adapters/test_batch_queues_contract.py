"""The promises of Batch's queues, kept by the fake and by an emulator, through the one adapter."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.instance_types import Ec2InstanceTypes
from ops_platform_tests.adapters.batch_cancel_contract import CancelContract
from ops_platform_tests.adapters.batch_queues_contract import QueuesContract
from ops_platform_tests.adapters.batch_queues_worlds import (
    EmulatedQueuesWorld,
    FakeQueuesWorld,
    emulated_queues_world,
)


@pytest.fixture(scope="module")
def emulated_types(emulated: AccountClients) -> Ec2InstanceTypes:
    """Return what EC2 offers in the emulated account, read once."""
    return Ec2InstanceTypes(emulated.ec2)


class TestFakeQueues(QueuesContract, CancelContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeQueuesWorld:
        """Return a fresh fake."""
        return FakeQueuesWorld()


class TestEmulatedQueues(QueuesContract, CancelContract):
    """Over HTTP, against an emulator that runs jobs."""

    @pytest.fixture
    def world(
        self, emulated: AccountClients, emulated_types: Ec2InstanceTypes
    ) -> Iterator[EmulatedQueuesWorld]:
        """Return the emulator's account."""
        with emulated_queues_world(emulated, emulated_types) as world:
            yield world
