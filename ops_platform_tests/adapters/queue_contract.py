"""What every event queue promises, whether it is a fake, an emulator or SQS itself."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from ops_platform.domain.ports import Backlog, EventQueue, Message

MAX_RECEIVE_COUNT = 2


class QueueWorld(Protocol):
    """A queue of its own for one test, seen from both ends."""

    @property
    def queue(self) -> EventQueue:
        """The queue as the platform sees it."""
        ...

    def now(self) -> datetime:
        """Tell the time by the queue's clock."""
        ...

    def send(self, *bodies: str) -> None:
        """Put messages in, as EventBridge does."""
        ...

    @property
    def patience(self) -> float:
        """How many seconds a receive may take so that an empty answer means an empty queue."""
        ...

    def let_return(self, messages: Sequence[Message]) -> None:
        """Let the visibility timeout of received messages pass."""
        ...

    def dead_letters(self) -> int:
        """Count what ended in the dead-letter queue."""
        ...


def drain(world: QueueWorld) -> list[Message]:
    """Receive until nothing comes; a single receive may come back with less than there is."""
    taken: list[Message] = []
    while more := world.queue.receive(limit=1000, seconds=world.patience):
        taken += more
    return taken


class QueueContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> QueueWorld:
        """Return the world of one test."""

    def test_an_empty_queue_gives_nothing(self, world: QueueWorld) -> None:
        """No message is an empty list, not an error."""
        assert world.queue.receive(limit=100, seconds=world.patience) == []

    def test_a_message_comes_with_its_text_and_the_time_it_was_sent(
        self, world: QueueWorld
    ) -> None:
        """The time is aware, in UTC, and close to when it was sent."""
        world.send("hello")

        (message,) = drain(world)

        assert message.body == "hello"
        assert message.message_id
        assert message.sent_at.tzinfo is UTC
        assert abs(message.sent_at - world.now()) < timedelta(minutes=2)

    def test_more_than_one_call_can_carry_is_received_once_each(self, world: QueueWorld) -> None:
        """SQS gives ten messages a call; the queue hides that."""
        bodies = [f"body {number}" for number in range(45)]
        world.send(*bodies)

        assert sorted(message.body for message in drain(world)) == sorted(bodies)

    @pytest.mark.parametrize("limit", [1, 7, 10, 13, 20])
    def test_no_more_than_the_limit_is_received(self, world: QueueWorld, limit: int) -> None:
        """Also when the limit is no multiple of what one call carries."""
        world.send(*map(str, range(25)))

        assert 0 < len(world.queue.receive(limit=limit, seconds=world.patience)) <= limit

    def test_without_time_one_call_is_made(self, world: QueueWorld) -> None:
        """A budget of nothing still makes progress, by at most ten messages."""
        world.send(*map(str, range(25)))

        assert len(world.queue.receive(limit=25, seconds=0)) <= 10

    def test_what_is_not_deleted_comes_again(self, world: QueueWorld) -> None:
        """Hidden first, then the same message with a new receipt handle."""
        world.send("again")
        (first,) = drain(world)

        world.let_return([first])
        (second,) = drain(world)

        assert second.message_id == first.message_id
        assert second.receipt_handle != first.receipt_handle

    def test_what_is_deleted_does_not_come_again(self, world: QueueWorld) -> None:
        """More messages than one delete call carries are deleted too."""
        world.send(*map(str, range(25)))

        messages = drain(world)

        assert world.queue.delete(messages) == []

        world.let_return(messages)
        assert drain(world) == []

    def test_deleting_nothing_is_no_error(self, world: QueueWorld) -> None:
        """An empty list asks nothing of the queue."""
        assert world.queue.delete([]) == []

    def test_deleting_twice_is_no_error(self, world: QueueWorld) -> None:
        """A crash after the delete makes the next tick delete once more."""
        world.send("twice")
        messages = drain(world)

        assert world.queue.delete(messages) == []
        assert world.queue.delete(messages) == []

    def test_what_could_not_be_deleted_is_returned(self, world: QueueWorld) -> None:
        """One bad receipt handle does not keep the others from being deleted."""
        world.send(*map(str, range(12)))
        messages = drain(world)
        stranger = Message("stranger", "no-such-handle", "", world.now())

        assert world.queue.delete([*messages[:5], stranger, *messages[5:]]) == [stranger]

    def test_the_newest_receipt_handle_deletes(self, world: QueueWorld) -> None:
        """An older one is not an error, though whether it deletes is up to the queue."""
        world.send("moving")
        old = drain(world)
        world.let_return(old)
        new = drain(world)

        assert world.queue.delete(old) == []
        assert world.queue.delete(new) == []
        world.let_return(new)
        assert drain(world) == []

    @pytest.mark.parametrize(
        "body",
        [
            json.dumps({"detail": "a\u0000b"}),
            '{"detail": "no end',
            "tab\t, line\n, quote ' \" and <b>&amp;</b>",
            "grüße 任务 🚀 \u2028 \u200e \ufffd",
            "x" * 200_000,
        ],
        ids=["escaped-nul", "broken-json", "markup", "unicode", "long"],
    )
    def test_a_body_comes_as_it_was_sent(self, world: QueueWorld, body: str) -> None:
        """What the text means is not the queue's business."""
        world.send(body)

        assert [message.body for message in drain(world)] == [body]

    def test_the_backlog_tells_waiting_from_received(self, world: QueueWorld) -> None:
        """What is received and not yet deleted is in flight."""
        world.send(*map(str, range(5)))
        taken = world.queue.receive(limit=2, seconds=world.patience)

        assert world.queue.backlog() == Backlog(visible=5 - len(taken), in_flight=len(taken))

    def test_what_is_received_too_often_becomes_a_dead_letter(self, world: QueueWorld) -> None:
        """A message that is never deleted does not come for ever."""
        world.send("poison")
        for _ in range(MAX_RECEIVE_COUNT):
            (message,) = drain(world)
            world.let_return([message])

        assert drain(world) == []
        assert world.dead_letters() == 1
