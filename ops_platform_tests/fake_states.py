"""A stand-in for Step Functions: machines, executions that end and are redriven, and its moods.

Lists are late, calls are counted, throttled and forbidden as in AWS. The contract suites hold it to
the real adapter.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.domain.events import ExecutionEvent
from ops_platform.domain.ports import LastRun, ListedExecution, ListedMachine, Machine, NoRun
from ops_platform_tests.build import ACCOUNT_ID, REGION

PAGE = 1000
_PREFIX = f"arn:aws:states:{REGION}:{ACCOUNT_ID}"


@dataclass(slots=True)
class _Execution:
    event: ExecutionEvent
    """As it is now; its id is that of the event that said so."""
    changed_at: datetime
    gone: bool = False


@dataclass(slots=True)
class FakeStepFunctions:
    """Step Functions of one account; fulfils `Executions` and `Starts`.

    Attributes:
        clock: Tells the time of whatever happens.
        lag: How far the lists are behind.
        forbidden: ARNs that AWS does not let us read.
        busy_after: After so many calls of an action, by its name, AWS throttles it.
        on_call: Told the action of each call; it may let time pass.
    """

    clock: Callable[[], datetime]
    lag: timedelta = timedelta()
    forbidden: set[str] = field(default_factory=set)
    busy_after: dict[str, int] = field(default_factory=dict)
    on_call: Callable[[str], None] = lambda _: None
    calls: Counter[str] = field(default_factory=Counter)
    events: list[ExecutionEvent] = field(default_factory=list)
    """What EventBridge would tell, in the order it happened."""
    _machines: dict[str, tuple[Machine, datetime]] = field(default_factory=dict)
    _executions: dict[str, _Execution] = field(default_factory=dict)

    # --- what happens in the account --------------------------------------------------------------

    def deploy(self, name: str, *, flow: str | None = None, owner: str | None = None) -> str:
        """Deploy a machine, Metaflow's if it has a flow; return its ARN."""
        arn = f"{_PREFIX}:stateMachine:{name}"
        created_at = self._machines[arn][1] if arn in self._machines else self.clock()
        self._machines[arn] = (Machine(arn, flow, owner), created_at)
        return arn

    def delete(self, arn: str) -> None:
        """Delete a machine; what its executions were can still be told."""
        del self._machines[arn]

    def purge(self, arn: str) -> None:
        """Forget an execution, as AWS does after 90 days."""
        self._executions[arn].gone = True

    def start(self, machine_arn: str, name: str, **changes: Any) -> str:
        """Start an execution; return its ARN."""
        arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        begun = ExecutionEvent(
            id="",
            time=self.clock(),
            aws_account_id=ACCOUNT_ID,
            region=REGION,
            execution_arn=arn,
            machine_arn=machine_arn,
            name=name,
            status="RUNNING",
            started_at=self.clock(),
            stopped_at=None,
            redriven_at=None,
            error=None,
            cause=None,
            metaflow_input=True,
        )
        self._tell(msgspec.structs.replace(begun, **changes))
        return arn

    def end(self, arn: str, status: str, **changes: Any) -> None:
        """End an execution."""
        now = self._executions[arn].event
        self._tell(msgspec.structs.replace(now, status=status, stopped_at=self.clock(), **changes))

    def redrive(self, arn: str) -> None:
        """Set a failed execution running again."""
        again = {"status": "RUNNING", "stopped_at": None, "error": None, "cause": None}
        now = self._executions[arn].event
        self._tell(msgspec.structs.replace(now, redriven_at=self.clock(), **again))

    def _tell(self, now: ExecutionEvent) -> None:
        # Envelopes have whole seconds.
        told = msgspec.structs.replace(
            now, id=f"event-{len(self.events)}", time=self.clock().replace(microsecond=0)
        )
        self.events.append(told)
        self._executions[now.execution_arn] = _Execution(told, self.clock())

    # --- what the API tells -----------------------------------------------------------------------

    def describe(self, arn: str) -> Machine | None:
        """Return the machine as it is deployed now, or None if it is gone."""
        self._call("DescribeStateMachine", arn)
        return self._machines[arn][0] if arn in self._machines else None

    def list_machines(self) -> Iterator[ListedMachine]:
        """Yield the machines."""
        listed = [ListedMachine(arn, at) for arn, (_, at) in self._machines.items()]
        yield from self._pages("ListStateMachines", "", listed)

    def list_executions(
        self, machine_arn: str, *, status: str, since: datetime
    ) -> Iterator[ListedExecution]:
        """Yield ended executions of one status, the last stopped first, until ``since``."""
        visible = self.clock() - self.lag
        found = [
            each
            for each in self._executions.values()
            if each.event.machine_arn == machine_arn and machine_arn in self._machines
            if each.event.status == status and each.changed_at <= visible and not each.gone
        ]
        found.sort(key=_stop, reverse=True)
        for each in self._pages("ListExecutions", machine_arn, found):
            if _stop(each) < since:
                return
            yield ListedExecution(each.event.execution_arn, status, each.event.stopped_at)

    def describe_execution(self, arn: str) -> ExecutionEvent | None:
        """Return the execution as it is now, or None if it is gone."""
        self._call("DescribeExecution", arn)
        execution = self._executions.get(arn)
        if execution is None or execution.gone:
            return None
        event = execution.event
        changed_at = event.stopped_at or event.redriven_at or event.started_at
        millis = round(changed_at.timestamp() * 1000) if changed_at else 0
        event_id = f"api:{arn}:{event.status}:{millis}"
        return msgspec.structs.replace(event, id=event_id, time=changed_at)

    def last_run(self, machine_arn: str) -> LastRun | NoRun:
        """Return the run of a machine that started last."""
        self._call("ListExecutions", machine_arn)
        if machine_arn not in self._machines:
            return NoRun.GONE
        visible = self.clock() - self.lag
        found = [
            LastRun(f"sfn-{event.name}", event.status, event.started_at)
            for event in (each.event for each in self._executions.values() if not each.gone)
            if event.machine_arn == machine_arn
            if event.started_at is not None and event.started_at <= visible
        ]
        return max(found, key=lambda run: run.started_at, default=NoRun.NEVER)

    def _pages(self, action: str, arn: str, found: Iterable[Any]) -> Iterator[Any]:
        self._call(action, arn)
        for at, each in enumerate(found):
            if at and at % PAGE == 0:
                self._call(action, arn)
            yield each

    def _call(self, action: str, arn: str) -> None:
        self.on_call(action)
        self.calls[action] += 1
        if arn in self.forbidden:
            raise AwsError(f"Could not read {arn}: AccessDenied.", code="AccessDeniedException")
        if self.calls[action] > self.busy_after.get(action, self.calls[action]):
            raise AwsError(f"Could not call {action}: too many.", code="ThrottlingException")


def _stop(execution: _Execution) -> datetime:
    assert execution.event.stopped_at is not None, "only ends are listed"
    return execution.event.stopped_at
