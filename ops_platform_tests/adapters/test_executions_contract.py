"""The promises of a reader of executions, kept by the fake and by the adapter."""

import json

import msgspec
import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import ExecutionEvent
from ops_platform.settings.accounts import Account
from ops_platform_tests.adapters.executions_contract import ENDS, ExecutionsContract
from ops_platform_tests.adapters.executions_world import (
    FakeExecutionsWorld,
    StepFunctionsExecutionsWorld,
)
from ops_platform_tests.embedded.aws.accounts import eventually


class TestFakeExecutions(ExecutionsContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeExecutionsWorld:
        """Return a fresh fake."""
        return FakeExecutionsWorld()


class TestEmulatedExecutions(ExecutionsContract):
    """The real adapter, over HTTP, against an emulator."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> StepFunctionsExecutionsWorld:
        """Return the emulator's account."""
        return StepFunctionsExecutionsWorld(emulated.step_functions)

    @pytest.mark.parametrize("status", ENDS)
    def test_the_event_and_the_api_tell_the_same(
        self,
        world: StepFunctionsExecutionsWorld,
        emulated: AccountClients,
        emulated_account: Account,
        status: str,
    ) -> None:
        """So that it does not matter which of them is heard first."""
        arn = world.end(world.deploy(), status)
        # A message whose answer was lost on the way stays hidden for the queue's 30 seconds.
        told = eventually(
            lambda: _event(emulated, emulated_account, arn, status),
            seconds=90,
            what=f"the event of {status}",
        )

        asked = world.api.describe_execution(arn)

        assert asked is not None
        assert told is not None
        assert asked == msgspec.structs.replace(told, id=asked.id, time=asked.time)
        assert told.time <= asked.time


def _event(
    clients: AccountClients, account: Account, arn: str, status: str
) -> ExecutionEvent | None:
    """Return the event of an execution's end, if the queue has it."""
    url = str(account.event_queue_url)
    answer = clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    for message in answer.get("Messages", ()):
        detail = json.loads(message["Body"])["detail"]
        if (detail.get("executionArn"), detail["status"]) == (arn, status):
            event = parse(message["Body"].encode())
            assert isinstance(event, ExecutionEvent)
            return event
    return None
