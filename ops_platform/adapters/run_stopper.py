"""Ends executions of one account's Step Functions."""

from typing import TYPE_CHECKING

from ops_platform.adapters.aws_errors import AwsError, explained
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.lifecycle import EXECUTION_ENDS

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_LONGEST_ERROR, _LONGEST_CAUSE = 256, 32_768
_GONE = frozenset({"ExecutionDoesNotExist", "InvalidArn"})


class StepFunctionsRunStopper:
    """The API of Step Functions, as far as it stops executions; fulfils `RunStopper`."""

    def __init__(self, client: "SFNClient", pacer: Pacer | None = None) -> None:
        self._client = client
        self._pacer = pacer or Pacer()
        self._executions = StepFunctions(client, self._pacer)

    def stop(self, execution_arn: str, *, error: str, cause: str) -> bool:
        """Stop an execution; False if it is over or gone.

        Raises:
            AwsError: AWS refused, or did not answer.
        """
        # StopExecution succeeds as well where the execution is over.
        known = self._executions.describe_execution(execution_arn)
        if known is None or known.status in EXECUTION_ENDS:
            return False
        self._pacer.wait("StopExecution")
        try:
            with explained(f"stop the execution {execution_arn}"):
                self._client.stop_execution(
                    executionArn=execution_arn,
                    error=error[:_LONGEST_ERROR],
                    cause=cause[:_LONGEST_CAUSE],
                )
        except AwsError as refused:
            if refused.code in _GONE:
                return False
            raise
        return True
