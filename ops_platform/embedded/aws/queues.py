"""SQS: standard queues that many threads use at once, and that hold a long backlog.

moto rebuilds a queue's list for each delete, without a lock: a message that is sent meanwhile is
lost, one that another thread deleted comes back. And it counts the whole queue several times for
each message it takes in or hands out, so that a backlog of ten thousand is never drained.
"""
# ruff: noqa: SLF001 - what stands in for moto's own code works on moto's own state

import time
from collections.abc import Sequence
from copy import copy

from ops_platform.embedded.aws.gaps import Gap, Moto, original

_RECEIVE = "moto.sqs.models:SQSBackend.receive_message"
_DELETE = "moto.sqs.models:Queue.delete_message"
# How often a waiting receive looks for messages that became visible again.
_LOOK_SECONDS = 0.1

_moto_receive = original(_RECEIVE)
_moto_delete = original(_DELETE)
_ReceiptHandleIsInvalid = original("moto.sqs.exceptions:ReceiptHandleIsInvalid")
_filter_attributes = original("moto.sqs.models:_filter_message_attributes")


def receive_message(  # noqa: PLR0917 - the signature is moto's
    backend: Moto,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: Sequence[str] | None = None,
) -> list[Moto]:
    """Hand out up to ``count`` visible messages, waiting for the first as long as asked."""
    queue, names = backend.get_queue(queue_name), message_attribute_names or []
    if queue.fifo_queue:
        return list(
            _moto_receive(
                backend, queue_name, count, wait_seconds_timeout, visibility_timeout, names
            )
        )
    deadline = time.monotonic() + wait_seconds_timeout
    with queue._messages_lock:
        while not (taken := _take(queue, count, visibility_timeout)):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            queue._messages_lock.wait(min(left, _LOOK_SECONDS))
        return [_handed_out(message, names) for message in taken]


def delete_message(queue: Moto, receipt_handle: str) -> None:
    """Delete the message that was handed out under a receipt handle, this time or before."""
    if queue.fifo_queue:
        _moto_delete(queue, receipt_handle)
        return
    with queue._messages_lock:
        if receipt_handle in queue.deleted_messages:
            return
        message = _in_flight(queue).get(receipt_handle)
        if message is None:
            raise _ReceiptHandleIsInvalid
        _remove(queue, message)
        queue.deleted_messages.update(filter(None, message.all_receipt_handles))


def count_delayed(queue: Moto) -> int:
    """Count the messages that wait for the time they may first be seen."""
    now = time.time() * 1000
    return sum(message.delayed_until > now for message in tuple(queue._messages))


def count_in_flight(queue: Moto) -> int:
    """Count the messages that are received and not visible again."""
    now = time.time() * 1000
    return sum(message.visible_at > now for message in tuple(queue.pending_messages))


def count_visible(queue: Moto) -> int:
    """Count the messages that a receive may hand out now."""
    return len(queue._messages) - count_in_flight(queue) - count_delayed(queue)


def _take(queue: Moto, count: int, visibility_timeout: int) -> list[Moto]:
    now, taken, worn_out = time.time() * 1000, [], []
    for message in queue._messages:
        if message.visible_at > now or message.delayed_until > now:
            continue
        if _is_worn_out(queue, message):
            worn_out.append(message)
            continue
        message.mark_received(visibility_timeout=visibility_timeout)
        queue.pending_messages.add(message)
        _in_flight(queue)[message.receipt_handle] = message
        taken.append(message)
        if len(taken) == count:
            break
    for message in worn_out:
        _remove(queue, message)
        queue.dead_letter_queue.add_message(message)
    return taken


def _is_worn_out(queue: Moto, message: Moto) -> bool:
    if queue.dead_letter_queue is None or not queue.redrive_policy:
        return False
    return bool(message.approximate_receive_count >= queue.redrive_policy["maxReceiveCount"])


def _remove(queue: Moto, message: Moto) -> None:
    queue._messages.remove(message)
    queue.pending_messages.discard(message)
    for handle in message.all_receipt_handles:
        _in_flight(queue).pop(handle, None)


def _in_flight(queue: Moto) -> dict[str, Moto]:
    """Return the queue's messages by each receipt handle they were handed out under."""
    found: dict[str, Moto] = queue.__dict__.setdefault("messages_by_handle", {})
    return found


def _handed_out(message: Moto, names: Sequence[str]) -> Moto:
    """Return the message as it is now; the next receive gives it another handle."""
    handed = copy(message)
    _filter_attributes(handed, names)
    return handed


QUEUE_GAPS = (
    Gap(
        _RECEIVE,
        "Threads may receive at once, and a backlog costs no more than what is received.",
        receive_message,
    ),
    Gap(
        _DELETE,
        "Threads may delete and send at once, and nothing is lost or comes back.",
        delete_message,
    ),
    *(
        Gap(
            f"moto.sqs.models:Queue.approximate_number_of_messages{suffix}",
            "Counting reads the clock once, for moto counts with each message sent.",
            property(count),
        )
        for suffix, count in (
            ("", count_visible),
            ("_not_visible", count_in_flight),
            ("_delayed", count_delayed),
        )
    ),
)
