"""The contract suites' worlds at an AWS endpoint, whether an emulator or a real account."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.logs import CloudWatchJobLogs
from ops_platform.adapters.sqs import SqsEventQueue
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform.domain.ports import Message
from ops_platform_tests.adapters.metaflow_definition import foreign_definition, metaflow_definition
from ops_platform_tests.adapters.queue_contract import MAX_RECEIVE_COUNT

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient


class SqsWorld:
    """A queue in SQS with a dead-letter queue behind it."""

    def __init__(
        self, client: "SQSClient", *, url: str, dead_letter_url: str, patience: float
    ) -> None:
        self.patience = patience
        self._client = client
        self.url = url
        self._dead_letter_url = dead_letter_url
        self.queue = SqsEventQueue(client, url)

    def now(self) -> datetime:
        """Tell the time by the queue's clock."""
        return datetime.now(UTC)

    def send(self, *bodies: str) -> None:
        """Put messages in, as EventBridge does."""
        for body in bodies:
            self._client.send_message(QueueUrl=self.url, MessageBody=body)

    def let_return(self, messages: Sequence[Message]) -> None:
        """End the visibility timeout of received messages."""
        for message in messages:
            # A message that is deleted already cannot return, as the test wants to see.
            with suppress(self._client.exceptions.ClientError):
                self._client.change_message_visibility(
                    QueueUrl=self.url,
                    ReceiptHandle=message.receipt_handle,
                    VisibilityTimeout=0,
                )

    def dead_letters(self) -> int:
        """Count what ended in the dead-letter queue."""
        return SqsEventQueue(self._client, self._dead_letter_url).backlog().visible


@contextmanager
def sqs_world(clients: AccountClients, *, patience: float) -> Iterator[SqsWorld]:
    """Create a queue for one test, and delete it afterwards."""
    client, name = clients.sqs, f"ops-platform-contract-{uuid4().hex[:12]}"
    dead = client.create_queue(QueueName=f"{name}-dead-letters")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    redrive = {
        "deadLetterTargetArn": arn["Attributes"]["QueueArn"],
        "maxReceiveCount": MAX_RECEIVE_COUNT,
    }
    url = client.create_queue(
        QueueName=name,
        Attributes={"VisibilityTimeout": "60", "RedrivePolicy": json.dumps(redrive)},
    )["QueueUrl"]
    try:
        yield SqsWorld(client, url=url, dead_letter_url=dead, patience=patience)
    finally:
        client.delete_queue(QueueUrl=url)
        client.delete_queue(QueueUrl=dead)


class StepFunctionsWorld:
    """An account's state machines, and the means to deploy some."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client
        self.machines = StepFunctions(client)

    def deploy_flow(self, *, flow: str, owner: str) -> str:
        """Deploy a flow as Metaflow does; return the machine's ARN."""
        return self._deploy(metaflow_definition(flow=flow, owner=owner))

    def deploy_foreign(self) -> str:
        """Deploy a machine Metaflow knows nothing of; return its ARN."""
        return self._deploy(foreign_definition())

    def delete(self, arn: str) -> None:
        """Delete a machine."""
        self._client.delete_state_machine(stateMachineArn=arn)

    def _deploy(self, definition: dict[str, Any]) -> str:
        return self._client.create_state_machine(
            name=f"ops-platform-contract-{uuid4().hex[:12]}",
            definition=json.dumps(definition),
            roleArn="arn:aws:iam::123456789012:role/contract",
        )["stateMachineArn"]


class CloudWatchLogsWorld:
    """A log group in CloudWatch Logs."""

    def __init__(
        self, client: "CloudWatchLogsClient", *, log_group: str, settle_seconds: float
    ) -> None:
        self._client = client
        self._settle_seconds = settle_seconds
        self.log_group = log_group
        self.logs = CloudWatchJobLogs(client)

    def write(self, stream: str, lines: Sequence[str]) -> None:
        """Create a stream with these lines."""
        self._client.create_log_stream(logGroupName=self.log_group, logStreamName=stream)
        now = int(time.time() * 1000)
        events: list[InputLogEventTypeDef] = [
            {"timestamp": now + at, "message": line} for at, line in enumerate(lines)
        ]
        if events:
            self._client.put_log_events(
                logGroupName=self.log_group, logStreamName=stream, logEvents=events
            )
            # What was written to CloudWatch can be read a few seconds later.
            time.sleep(self._settle_seconds)


@contextmanager
def logs_world(
    clients: AccountClients, *, settle_seconds: float = 0
) -> Iterator[CloudWatchLogsWorld]:
    """Create a log group for one test, and delete it afterwards."""
    group = f"/ops-platform/contract-{uuid4().hex[:12]}"
    clients.logs.create_log_group(logGroupName=group)
    try:
        yield CloudWatchLogsWorld(clients.logs, log_group=group, settle_seconds=settle_seconds)
    finally:
        clients.logs.delete_log_group(logGroupName=group)
