"""The promises of an event queue, kept by the fake and by SQS's adapter on an emulator."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.domain.ports import Message
from ops_platform_tests.adapters.aws_worlds import SqsWorld, sqs_world
from ops_platform_tests.adapters.queue_contract import MAX_RECEIVE_COUNT, QueueContract
from ops_platform_tests.fakes import FakeClock, FakeQueue


class FakeQueueWorld:
    """The fake, whose clock is ours."""

    patience = 1.0

    def __init__(self) -> None:
        self.now_is = FakeClock()
        self.queue = FakeQueue(clock=self.now_is, max_receive_count=MAX_RECEIVE_COUNT)

    def now(self) -> datetime:
        """Tell the time by the queue's clock."""
        return self.now_is()

    def send(self, *bodies: str) -> None:
        """Put messages in."""
        self.queue.send(*bodies)

    def let_return(self, messages: Sequence[Message]) -> None:  # noqa: ARG002
        """Let a minute pass."""
        self.now_is.advance(timedelta(minutes=1))

    def dead_letters(self) -> int:
        """Count the dead letters."""
        return len(self.queue.dead_letters)


class TestFakeQueue(QueueContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeQueueWorld:
        """Return a fresh fake."""
        return FakeQueueWorld()


class TestEmulatedQueue(QueueContract):
    """The real adapter, over HTTP, against an emulator."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> Iterator[SqsWorld]:
        """Return a fresh queue of the emulator, whose short polls see every message."""
        with sqs_world(emulated, patience=0.9) as world:
            yield world
