"""The queue of an account's events in SQS, received and deleted many batches at a time."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import chain, islice
from typing import TYPE_CHECKING

from ops_platform.adapters.aws_errors import AwsError, explained
from ops_platform.domain.ports import Backlog, Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_log = logging.getLogger(__name__)

# SQS's own limit for one call.
_BATCH = 10
# A call waits for the network most of its time; more threads than this only wait for each other.
_PARALLEL = 8
_LONG_POLL_SECONDS = 1
# Messages of the largest size must not fill the memory: 5,000 of them would be 5 GB.
_ENOUGH_CHARACTERS = 64 * 1024 * 1024
_NO_QUEUE = (
    "Deploy deploy/event-forwarding.yaml in that account and region, and copy its output QueueUrl"
    " into the account's event_queue_url."
)
_HINTS = {
    "AWS.SimpleQueueService.NonExistentQueue": _NO_QUEUE,
    "QueueDoesNotExist": _NO_QUEUE,
    "InvalidAddress": _NO_QUEUE,
}


class SqsEventQueue:
    """The messages EventBridge forwards; fulfils `EventQueue`."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def receive(self, *, limit: int, seconds: float) -> list[Message]:
        """Return up to ``limit`` messages, giving up after ``seconds``; empty if none came.

        The first call is a long poll, which asks every server of the queue: if it comes back
        empty, so is the queue. Parallel short polls follow until one of them comes back empty, or
        there is enough to work on.
        """
        deadline = time.monotonic() + seconds
        taken = self._receive_batch(min(limit, _BATCH), wait=min(_LONG_POLL_SECONDS, int(seconds)))
        if not taken or limit <= len(taken):
            return taken
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="sqs-receive") as pool:
            while (room := limit - len(taken)) > 0 and time.monotonic() < deadline:
                batches = list(pool.map(self._receive_more, _batch_sizes(room)))
                taken.extend(chain.from_iterable(batches))
                if not all(batches) or _size(taken) > _ENOUGH_CHARACTERS:
                    break
        return taken

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Delete messages that are stored safely; return those the queue did not delete."""
        batches = [messages[at : at + _BATCH] for at in range(0, len(messages), _BATCH)]
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="sqs-delete") as pool:
            return list(chain.from_iterable(pool.map(self._delete_batch, batches)))

    def backlog(self) -> Backlog:
        """Return the queue's estimate of what is waiting."""
        with explained(f"count the messages in {self._url}", hints=_HINTS):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )
        counts = answer["Attributes"]
        return Backlog(
            visible=int(counts["ApproximateNumberOfMessages"]),
            in_flight=int(counts["ApproximateNumberOfMessagesNotVisible"]),
        )

    def _receive_batch(self, size: int, *, wait: int = 0) -> list[Message]:
        with explained(f"receive messages from {self._url}", hints=_HINTS):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=size,
                WaitTimeSeconds=wait,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
        return [_message(item) for item in answer.get("Messages", [])]

    def _receive_more(self, size: int) -> list[Message]:
        # What came already must reach the caller; the next receive meets the error first thing.
        try:
            return self._receive_batch(size)
        except AwsError as error:
            _log.warning("%s", error)
            return []

    def _delete_batch(self, batch: Sequence[Message]) -> list[Message]:
        try:
            with explained(f"delete messages from {self._url}", hints=_HINTS):
                answer = self._client.delete_message_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": message.receipt_handle}
                        for number, message in enumerate(batch)
                    ],
                )
        except AwsError as error:
            _log.warning("%s", error)
            return list(batch)
        # An entry counts as deleted only if the answer says so.
        deleted = {entry["Id"] for entry in answer.get("Successful", [])}
        return [message for number, message in enumerate(batch) if str(number) not in deleted]


def _batch_sizes(room: int) -> Iterator[int]:
    """Split the room left into one round of parallel calls."""
    return islice((min(_BATCH, room - at) for at in range(0, room, _BATCH)), _PARALLEL)


def _size(messages: Iterable[Message]) -> int:
    return sum(len(message.body) for message in messages)


def _message(item: "MessageTypeDef") -> Message:
    sent = int(item["Attributes"]["SentTimestamp"])
    return Message(
        message_id=item["MessageId"],
        receipt_handle=item["ReceiptHandle"],
        body=item["Body"],
        sent_at=datetime.fromtimestamp(sent / 1000, UTC),
    )
