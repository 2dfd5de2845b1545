"""Step Functions of one account: which flow each machine runs, and how its executions went."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ops_platform.adapters.aws_errors import AwsError, explained
from ops_platform.adapters.step_functions_definitions import read_definition
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.aws_values import millis, moment
from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import ExecutionEvent
from ops_platform.domain.identity import run_id
from ops_platform.domain.ports import LastRun, ListedExecution, ListedMachine, Machine, NoRun

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

_GONE = frozenset({"StateMachineDoesNotExist", "ExecutionDoesNotExist", "InvalidArn"})
_PAGE = 1000
# Those that have ended are sorted by their end, so the last that started is somewhere at the top.
_NEWEST = 100
_KEPT = ("executionArn", "stateMachineArn", "name", "status", "error", "cause", "input")
_BUSY = (
    "Others use up what Step Functions allows this account to ask; the next reconciliation goes on"
    " where this one stopped."
)
_HINTS = {"ThrottlingException": _BUSY, "TooManyRequestsException": _BUSY}


class StepFunctions:
    """The Step Functions API, as far as we read it; fulfils `Executions` and `Starts`."""

    def __init__(self, client: "SFNClient", pacer: Pacer | None = None) -> None:
        self._client = client
        self._pacer = pacer or Pacer()

    def describe(self, arn: str) -> Machine | None:
        """Return the machine as it is deployed now, or None if it is gone."""
        self._pacer.wait("DescribeStateMachine")
        try:
            with explained(f"read the state machine {arn}", hints=_HINTS):
                answer = self._client.describe_state_machine(stateMachineArn=arn)
        except AwsError as error:
            if error.code in _GONE:
                return None
            if error.code.startswith("Kms"):  # encrypted, as Metaflow's never are
                return Machine(arn=arn, flow=None, owner=None)
            raise
        return read_definition(arn, answer["definition"], revision=answer.get("revisionId"))

    def list_machines(self) -> Iterator[ListedMachine]:
        """Yield the standard state machines, page by page."""
        for page in self._pages("list_state_machines", "list the state machines"):
            for item in page["stateMachines"]:
                if item["type"] == "STANDARD":
                    yield ListedMachine(item["stateMachineArn"], _exact(item["creationDate"]))

    def list_executions(
        self, machine_arn: str, *, status: str, since: datetime
    ) -> Iterator[ListedExecution]:
        """Yield ended executions of one status from the last stopped on, until ``since``."""
        wanted = {"stateMachineArn": machine_arn, "statusFilter": status, "maxResults": _PAGE}
        pages = self._pages("list_executions", f"list the executions of {machine_arn}", **wanted)
        try:
            for item in (item for page in pages for item in page["executions"]):
                stopped_at = _exact(item["stopDate"]) if "stopDate" in item else None
                if stopped_at is not None and stopped_at < since:
                    return
                yield ListedExecution(item["executionArn"], item["status"], stopped_at)
        except AwsError as error:
            if error.code not in _GONE:
                raise

    def describe_execution(self, arn: str) -> ExecutionEvent | None:
        """Return the execution as an event that says how it is now, or None if it is gone."""
        self._pacer.wait("DescribeExecution")
        try:
            with explained(f"read the execution {arn}", hints=_HINTS):
                answer = self._client.describe_execution(executionArn=arn)
        except AwsError as error:
            if error.code in _GONE:
                return None
            raise
        return as_event(answer)

    def last_run(self, machine_arn: str) -> LastRun | NoRun:
        """Return the run of a machine that started last, whether or not it has ended."""
        self._pacer.wait("ListExecutions")
        try:
            with explained(f"list the executions of {machine_arn}", hints=_HINTS):
                page = self._client.list_executions(stateMachineArn=machine_arn, maxResults=_NEWEST)
        except AwsError as error:
            if error.code in _GONE:
                return NoRun.GONE
            raise
        last = max(page["executions"], key=lambda item: item["startDate"], default=None)
        if last is None:
            return NoRun.NEVER
        return LastRun(run_id(last["name"]), last["status"], _exact(last["startDate"]))

    def _pages(self, action: str, doing: str, **arguments: object) -> Iterator[dict[str, Any]]:
        name = "".join(part.capitalize() for part in action.split("_"))
        while True:
            self._pacer.wait(name)
            with explained(doing, hints=_HINTS):
                page = getattr(self._client, action)(**arguments)
            yield page
            if not page.get("nextToken"):
                return
            arguments["nextToken"] = page["nextToken"]


def as_event(described: "DescribeExecutionOutputTypeDef") -> ExecutionEvent:
    """Return the event that would have told of the execution as it was described.

    It goes through the very parser of events, so that what is kept of it has the same limits.

    Raises:
        AwsError: AWS's answer is no execution that we understand.
    """
    arn, status = described["executionArn"], described["status"]
    begun, ended = described["startDate"], described.get("stopDate")
    changed_at = ended or described.get("redriveDate") or begun
    _, _, _, region, account, *_ = arn.split(":")
    envelope = {
        "id": f"api:{arn}:{status}:{millis(changed_at)}",
        "detail-type": "Step Functions Execution Status Change",
        "account": account,
        "time": _exact(changed_at).isoformat(),
        "region": region,
        "detail": {
            **{name: described.get(name) for name in _KEPT},
            "startDate": millis(begun),
            "stopDate": millis(ended),
            "redriveDate": millis(described.get("redriveDate")),
        },
    }
    event = parse(json.dumps(envelope).encode())
    if isinstance(event, ExecutionEvent):
        return event
    said = getattr(event, "error", "it is of another kind")
    raise AwsError(
        f"Could not understand what AWS says of the execution {arn}: {said}", code="Unreadable"
    )


def _exact(at: datetime) -> datetime:
    """Return a moment as events have it, to the millisecond."""
    return moment(millis(at)) or at
