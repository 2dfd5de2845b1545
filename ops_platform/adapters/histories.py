"""The histories of executions in Step Functions, read for why they failed."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ops_platform.adapters.aws_errors import AwsError, explained
from ops_platform.domain.execution_history import History, HistoryReader

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_GONE = frozenset({"ExecutionDoesNotExist", "InvalidArn"})
_PAGE = 1000
# AWS keeps 25,000 events, and may end a page early.
_PAGES = 30
_PAGES_OF_A_CHILD = 3
_CHILDREN = 20


class StepFunctionsHistories:
    """The API's history of executions; fulfils `ExecutionHistory`.

    A failure takes a few calls, a whole history of 25,000 events about 25, far below the 400 that
    AWS allows at once.
    """

    def __init__(self, client: "SFNClient", *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock

    def failures(self, execution_arn: str, *, seconds: float) -> History:
        """Return how an execution failed, as far as it can be read in the time.

        Raises:
            AwsError: AWS did not let us read the execution's own history.
        """
        deadline = self._clock() + seconds
        try:
            found = self._read(execution_arn, deadline, pages=_PAGES)
        except AwsError as error:
            if error.code in _GONE:
                return History(gone=True)
            raise
        return found.with_children(self._children(found, deadline))

    def _children(self, parent: History, deadline: float) -> Iterator[History]:
        """Yield what those children of a Distributed Map tell that failed last."""
        for map_run in parent.map_runs:
            try:
                with explained(f"list the executions of {map_run}"):
                    page = self._client.list_executions(
                        mapRunArn=map_run, statusFilter="FAILED", maxResults=_CHILDREN
                    )
                for child in page["executions"]:
                    yield self._read(child["executionArn"], deadline, pages=_PAGES_OF_A_CHILD)
            except AwsError:  # the parent's own history is better than nothing
                yield History(truncated=True)
                return
            if page.get("nextToken"):
                yield History(truncated=True)

    def _read(self, arn: str, deadline: float, *, pages: int) -> History:
        reader = HistoryReader(arn)
        more: dict[str, Any] = {}
        for _ in range(pages):
            if self._clock() >= deadline:
                break
            with explained(f"read the history of the execution {arn}"):
                page = self._client.get_execution_history(
                    executionArn=arn,
                    maxResults=_PAGE,
                    reverseOrder=True,
                    includeExecutionData=True,
                    **more,
                )
            if not reader.read(page["events"]) or not page.get("nextToken"):
                return reader.result()
            more = {"nextToken": page["nextToken"]}
        return reader.result(truncated=True)
