"""What the queue's adapter does when SQS or the network fails."""

import socket
import time
from datetime import UTC, datetime

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.sqs import SqsEventQueue
from ops_platform.domain.ports import Message
from ops_platform.settings.accounts import Account
from ops_platform_tests.adapters.aws_worlds import sqs_world
from ops_platform_tests.adapters.canned_aws import Answer, CannedAws, Request, canned_aws


def _queue(aws: CannedAws) -> SqsEventQueue:
    return SqsEventQueue(AccountClients(aws.account).sqs, f"{aws.url}/123456789012/events")


def _messages(count: int) -> list[Message]:
    sent = datetime(2026, 3, 2, tzinfo=UTC)
    return [Message(f"m{number}", f"handle {number}", "", sent) for number in range(count)]


def test_a_missing_queue_is_a_clear_error(emulated: AccountClients, emulator_url: str) -> None:
    """It says how a queue comes to be."""
    queue = SqsEventQueue(emulated.sqs, f"{emulator_url}/123456789012/no-such-queue")

    with pytest.raises(AwsError, match=r"receive messages .*event-forwarding\.yaml"):
        queue.receive(limit=10, seconds=0)
    with pytest.raises(AwsError, match=r"count the messages .*event_queue_url"):
        queue.backlog()


def test_a_forbidden_queue_is_a_clear_error() -> None:
    """It names the action and says where to allow it."""
    with (
        canned_aws(lambda _: Answer.error("AccessDenied", status=403)) as aws,
        pytest.raises(AwsError, match=r"receive messages .*AccessDenied.*policy"),
    ):
        _queue(aws).receive(limit=10, seconds=0)


def test_a_dead_network_is_a_clear_error(emulated_account: Account) -> None:
    """Nobody listens at the endpoint."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        account = emulated_account.model_copy(update={"endpoint_url": url})
        queue = SqsEventQueue(AccountClients(account).sqs, f"{url}/123456789012/events")

        with pytest.raises(AwsError, match="endpoint_url"):
            queue.receive(limit=10, seconds=0)


def test_an_error_after_the_first_messages_does_not_lose_them() -> None:
    """They were received, so they must reach the caller; the next call meets the error."""
    answers = iter([Answer.of({"Messages": [_received(number) for number in range(10)]})])

    with canned_aws(lambda _: next(answers, Answer.error("AccessDenied", status=403))) as aws:
        queue = _queue(aws)
        assert len(queue.receive(limit=100, seconds=5)) == 10
        with pytest.raises(AwsError):
            queue.receive(limit=100, seconds=5)


def test_a_receive_ends_when_its_time_is_spent() -> None:
    """A queue that never ends does not keep the caller for ever."""

    def answer(request: Request) -> Answer:
        time.sleep(0.02)
        size = request.fields["MaxNumberOfMessages"]
        return Answer.of({"Messages": [_received(number) for number in range(size)]})

    with canned_aws(answer) as aws:
        queue = _queue(aws)
        started = time.monotonic()
        taken = queue.receive(limit=1_000_000, seconds=0.5)

    assert time.monotonic() - started < 3
    assert len(taken) > 10


def test_the_largest_messages_do_not_fill_the_memory() -> None:
    """A few rounds of messages of a megabyte are enough to work on."""
    body = "x" * 1_000_000

    def answer(request: Request) -> Answer:
        size = request.fields["MaxNumberOfMessages"]
        return Answer.of({"Messages": [{**_received(0), "Body": body}] * size})

    with canned_aws(answer) as aws:
        taken = _queue(aws).receive(limit=5000, seconds=60)

    assert 67 < len(taken) < 300


def test_a_long_poll_never_outlasts_the_budget() -> None:
    """The wait asked of SQS is zero when there is less than a second."""
    with canned_aws(lambda _: Answer.of({})) as aws:
        queue = _queue(aws)
        queue.receive(limit=10, seconds=0.9)
        queue.receive(limit=10, seconds=30)

    assert [request.fields["WaitTimeSeconds"] for request in aws.requests] == [0, 1]


def test_entries_that_sqs_did_not_delete_are_returned() -> None:
    """Named as failed, or not named at all: only what is named as deleted counts as such."""

    def answer(request: Request) -> Answer:
        ids = [entry["Id"] for entry in request.fields["Entries"]]
        failed = {"Id": ids[1], "Code": "InternalError", "SenderFault": False}
        return Answer.of({"Successful": [{"Id": it} for it in ids[3:]], "Failed": [failed]})

    messages = _messages(12)
    with canned_aws(answer) as aws:
        kept = _queue(aws).delete(messages)

    assert kept == [*messages[:3], *messages[10:]]


def test_a_failed_delete_call_fails_its_entries_only() -> None:
    """Other batches are deleted, and nothing is raised: what stays comes again."""

    def answer(request: Request) -> Answer:
        entries = request.fields["Entries"]
        if entries[0]["ReceiptHandle"] == "handle 10":
            return Answer.error("ThrottlingException")
        return Answer.of({"Successful": [{"Id": entry["Id"]} for entry in entries]})

    messages = _messages(30)
    with canned_aws(answer) as aws:
        kept = _queue(aws).delete(messages)

    assert kept == messages[10:20]


def test_an_emulator_may_hand_out_a_nul_byte(emulated: AccountClients) -> None:
    """SQS itself refuses it at the door; what arrives is passed on as it is."""
    with sqs_world(emulated, patience=0) as world:
        world.send("a\x00b")

        assert [message.body for message in world.queue.receive(limit=1, seconds=0)] == ["a\x00b"]


def _received(number: int) -> dict[str, object]:
    return {
        "MessageId": f"m{number}",
        "ReceiptHandle": f"handle {number}",
        "Body": "{}",
        "Attributes": {"SentTimestamp": "1772442000000"},
    }
