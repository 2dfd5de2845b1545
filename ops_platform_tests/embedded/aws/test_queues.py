"""Standard queues keep every message once, whoever sends, receives and deletes at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import sqs_backends

from ops_platform.embedded.aws.queues import QUEUE_GAPS

REGION = "eu-west-1"


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An account's SQS, with our replacements for as long as the test runs."""
    for gap in QUEUE_GAPS:
        monkeypatch.setattr(gap.target.replace(":", "."), gap.replacement)
    backend = sqs_backends["111111111111"][REGION]
    backend.reset()
    backend.create_queue("events", {})
    return backend


def _receive(backend: Any, *, count: int = 10, wait: int = 0, visibility: int = 900) -> list[Any]:
    return list(backend.receive_message("events", count, wait, visibility))


def test_nothing_is_lost_between_threads(backend: Any) -> None:
    """Four threads receive and delete what two others send meanwhile."""
    bodies: list[str] = []
    done = threading.Event()

    def send(first: int) -> None:
        for number in range(first, first + 1000):
            backend.send_message("events", f"{number:04}")

    def work() -> None:
        while (taken := _receive(backend)) or not done.is_set():
            for message in taken:
                backend.delete_message("events", message.receipt_handle)
                bodies.append(message.body)

    with ThreadPoolExecutor(6) as pool:
        workers = [pool.submit(work) for _ in range(4)]
        for sender in [pool.submit(send, first) for first in (0, 1000)]:
            sender.result()
        done.set()
        for worker in workers:
            worker.result()

    assert sorted(bodies) == [f"{number:04}" for number in range(2000)]
    assert backend.get_queue("events")._messages == []


def test_a_waiting_receive_is_woken_by_a_message(backend: Any) -> None:
    """A long poll answers as soon as there is something, not when its time is up."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(_receive, backend, wait=20)
        backend.send_message("events", "wake up")

        assert [message.body for message in waiting.result(timeout=5)] == ["wake up"]


def test_a_message_that_is_not_deleted_comes_again_with_another_handle(backend: Any) -> None:
    """Either handle deletes it, as the newest does at AWS."""
    backend.send_message("events", "again")
    (first,) = _receive(backend, visibility=0)
    (second,) = _receive(backend, visibility=900)

    assert first.receipt_handle != second.receipt_handle
    assert _receive(backend) == []

    backend.delete_message("events", first.receipt_handle)
    backend.delete_message("events", second.receipt_handle)
    assert backend.get_queue("events")._messages == []


def test_an_unknown_receipt_handle_is_refused(backend: Any) -> None:
    """As AWS refuses one that is none of its own."""
    with pytest.raises(ReceiptHandleIsInvalid):
        backend.delete_message("events", "no such handle")


def test_what_was_received_too_often_goes_to_the_dead_letters(backend: Any) -> None:
    """A message nobody deletes ends in the queue behind."""
    dead = backend.create_queue("dead", {})
    policy = f'{{"deadLetterTargetArn": "{dead.queue_arn}", "maxReceiveCount": 1}}'
    backend.set_queue_attributes("events", {"RedrivePolicy": policy})
    backend.send_message("events", "poison")
    assert len(_receive(backend, visibility=0)) == 1

    assert _receive(backend) == []
    assert [message.body for message in dead._messages] == ["poison"]


def test_messages_are_counted_by_what_they_wait_for(backend: Any) -> None:
    """Visible, received or delayed; each is one of them."""
    for delay in (0, 0, 0, 60):
        backend.send_message("events", "x", delay_seconds=delay)
    _receive(backend, count=1)
    queue = backend.get_queue("events")

    assert queue.approximate_number_of_messages == 2
    assert queue.approximate_number_of_messages_not_visible == 1
    assert queue.approximate_number_of_messages_delayed == 1


def test_a_fifo_queue_stays_with_moto(backend: Any) -> None:
    """Its order and its groups are moto's business."""
    backend.create_queue("ordered.fifo", {"FifoQueue": "true"})
    backend.send_message("ordered.fifo", "one", group_id="g", deduplication_id="1")
    (message,) = backend.receive_message("ordered.fifo", 10, 0, 900)

    backend.delete_message("ordered.fifo", message.receipt_handle)
    assert backend.get_queue("ordered.fifo")._messages == []
