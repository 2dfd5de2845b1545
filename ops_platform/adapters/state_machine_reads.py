"""The state machines of an account, listed and described by the API of Step Functions."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ops_platform.adapters.aws_patience import PatientCaller

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

GONE = frozenset({"StateMachineDoesNotExist", "ExecutionDoesNotExist", "InvalidArn"})
"""The codes by which Step Functions says that there is no such thing."""


class StateMachineReads:
    """What there is; everything raises ``AwsError`` where AWS cannot be asked."""

    def __init__(self, client: "SFNClient", caller: PatientCaller) -> None:
        self._client = client
        self._caller = caller

    def listed(self) -> Iterator[Mapping[str, Any]]:
        """Yield all machines, each with at least its name, ARN and type."""
        token: dict[str, str] = {}
        while True:
            page = self._caller.call(
                "ListStateMachines",
                "list the state machines",
                self._client.list_state_machines,
                **token,
            )
            yield from page["stateMachines"]
            if not page.get("nextToken"):
                return
            token = {"nextToken": page["nextToken"]}

    def described(self, arn: str) -> Mapping[str, Any] | None:
        """Return a machine, or a version of one; None if it is gone or about to be."""
        found = self._caller.call_unless(
            GONE,
            "DescribeStateMachine",
            f"read the state machine {arn}",
            self._client.describe_state_machine,
            stateMachineArn=arn,
        )
        return found if found and found.get("status") != "DELETING" else None
