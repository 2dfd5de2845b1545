"""Ends executions of one account's Step Functions."""

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.domain.lifecycle import EXECUTION_ENDS

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_LONGEST_ERROR, _LONGEST_CAUSE = 256, 32_768
_GONE = frozenset({"ExecutionDoesNotExist", "InvalidArn"})


class StepFunctionsRunStopper:
    """The API of Step Functions, as far as it stops executions; fulfils `RunStopper`."""

    def __init__(self, client: "SFNClient", *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._caller = PatientCaller(sleep=sleep)

    @property
    def calls(self) -> Counter[str]:
        """The requests made so far, by AWS's name of the action."""
        return self._caller.calls

    def stop(self, execution_arn: str, *, error: str, cause: str) -> bool:
        """Stop an execution; False if it is over or gone.

        Raises:
            AwsError: AWS refused, or did not answer.
        """
        try:
            # StopExecution succeeds as well where the execution is over.
            if self._status(execution_arn) in EXECUTION_ENDS:
                return False
            self._stop(execution_arn, error[:_LONGEST_ERROR], cause[:_LONGEST_CAUSE])
        except AwsError as refused:
            if refused.code in _GONE:
                return False
            raise
        return True

    def _status(self, arn: str) -> str:
        request, doing = self._client.describe_execution, f"read the execution {arn}"
        answer = self._caller.call("DescribeExecution", doing, request, executionArn=arn)
        return str(answer["status"])

    def _stop(self, arn: str, error: str, cause: str) -> None:
        request, doing = self._client.stop_execution, f"stop the execution {arn}"
        self._caller.call(
            "StopExecution", doing, request, executionArn=arn, error=error, cause=cause
        )
