"""The promises of whatever ends runs, kept by the fake and by the adapter; and its refusals."""

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.run_stopper import StepFunctionsRunStopper
from ops_platform_tests.adapters.canned_aws import Answer, Request, canned_aws
from ops_platform_tests.adapters.executions_world import StepFunctionsExecutionsWorld
from ops_platform_tests.adapters.stops_contract import StopsContract
from ops_platform_tests.build import EXECUTION_ARN, MACHINE_ARN, NOON
from ops_platform_tests.fake_queues import FakeRunStopper

ARN = "arn:aws:states:eu-west-1:111111111111:execution:TrainFlow:"


class FakeWorld:
    """The fake."""

    def __init__(self) -> None:
        self.stopper = FakeRunStopper()

    def begin(self) -> str:
        """Start an execution."""
        return f"{ARN}runs"

    def end(self) -> str:
        """Have an execution that is over."""
        self.stopper.over.add(f"{ARN}over")
        return f"{ARN}over"

    def forget(self) -> str:
        """Have an execution that is gone."""
        self.stopper.over.add(f"{ARN}gone")
        return f"{ARN}gone"

    def told(self, execution_arn: str) -> tuple[str, str]:
        """Return the error and the cause."""
        ((error, cause),) = [said for arn, *said in self.stopper.stopped if arn == execution_arn]
        return error, cause


class EmulatedWorld:
    """An emulated account's Step Functions."""

    def __init__(self, clients: AccountClients) -> None:
        self._client = clients.step_functions
        self._executions = StepFunctionsExecutionsWorld(self._client)
        self._machine = self._executions.deploy()
        self.stopper = StepFunctionsRunStopper(self._client)

    def begin(self) -> str:
        """Start an execution."""
        return self._executions.begin(self._machine)

    def end(self) -> str:
        """Run an execution to its end."""
        return self._executions.end(self._executions.deploy(), "SUCCEEDED")

    def forget(self) -> str:
        """Return the ARN of an execution that never was."""
        return f"{self.end()}-no-such"

    def told(self, execution_arn: str) -> tuple[str, str]:
        """Return the error and the cause."""
        found = self._client.describe_execution(executionArn=execution_arn)
        assert found["status"] == "ABORTED"
        return found["error"], found["cause"]


class TestFakeStops(StopsContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeWorld:
        """Return a fresh fake."""
        return FakeWorld()


class TestEmulatedStops(StopsContract):
    """The real adapter, over HTTP, against an emulator."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> EmulatedWorld:
        """Return the emulator's account."""
        return EmulatedWorld(emulated)


_BUSY = Answer.error("ThrottlingException")
_STOPPED = Answer.of({"stopDate": NOON.timestamp()})


def _running() -> Answer:
    return Answer.of(
        {
            "executionArn": EXECUTION_ARN,
            "stateMachineArn": MACHINE_ARN,
            "name": "run",
            "status": "RUNNING",
            "startDate": NOON.timestamp(),
        }
    )


def _refusing(code: str, request: Request) -> Answer:
    is_stop = "StopExecution" in request.headers["X-Amz-Target"]
    return Answer.error(code) if is_stop else _running()


def test_a_run_that_is_gone_by_the_time_it_is_stopped_is_gone() -> None:
    """It was there when we looked."""
    with canned_aws(lambda request: _refusing("ExecutionDoesNotExist", request)) as aws:
        stopper = StepFunctionsRunStopper(AccountClients(aws.account).step_functions)

        assert not stopper.stop(EXECUTION_ARN, error="StaleJob", cause="why")


def test_throttling_is_waited_out() -> None:
    """Of whichever of the two calls."""
    answers = {"DescribeExecution": [_BUSY] * 3, "StopExecution": [_BUSY] * 3}

    def answer(request: Request) -> Answer:
        action = request.headers["X-Amz-Target"].rpartition(".")[2]
        busy = answers[action]
        return busy.pop() if busy else _running() if action.startswith("D") else _STOPPED

    pauses: list[float] = []
    with canned_aws(answer) as aws:
        client = AccountClients(aws.account).step_functions
        stopper = StepFunctionsRunStopper(client, sleep=pauses.append)

        assert stopper.stop(EXECUTION_ARN, error="StaleJob", cause="why")

        assert stopper.calls == {"DescribeExecution": 4, "StopExecution": 4}
        assert stopper.calls.total() == len(aws.requests)
    assert len(pauses) == 2


def test_a_refusal_says_what_to_do() -> None:
    """It is the platform's role that lacks the action."""
    with canned_aws(lambda request: _refusing("AccessDeniedException", request)) as aws:
        stopper = StepFunctionsRunStopper(AccountClients(aws.account).step_functions)

        with pytest.raises(AwsError, match=r"stop the execution .*policy"):
            stopper.stop(EXECUTION_ARN, error="StaleJob", cause="why")
