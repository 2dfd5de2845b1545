"""Executions: their names, how they end, and the events that say so."""

import json
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType

from ops_platform.embedded.aws.batch.model import JsonObject
from ops_platform.embedded.aws.events import EventBus
from ops_platform.embedded.aws.gaps import Gap, Moto, original

_EXECUTION = "moto.stepfunctions.parser.backend.execution:Execution"
_COMMUNICATION = "moto.stepfunctions.parser.backend.execution:BaseExecutionWorkerCommunication"
_BACKEND = "moto.stepfunctions.parser.models:StepFunctionsParserBackend"
_TERMINAL_EVENTS = {
    status.value: HistoryEventType(f"Execution{name}")
    for status, name in (
        (ExecutionStatus.SUCCEEDED, "Succeeded"),
        (ExecutionStatus.FAILED, "Failed"),
        (ExecutionStatus.ABORTED, "Aborted"),
        (ExecutionStatus.TIMED_OUT, "TimedOut"),
    )
}
_MAX_EVENT_DATA = 248_000


class Executions:
    """Starts and ends the executions of one account, once each."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._ending = threading.RLock()

    def gaps(self) -> list[Gap]:
        """Return what of moto this stands in for."""
        return [
            Gap(
                f"{_BACKEND}.start_execution",
                "moto leaves an execution without a name if none is given; AWS makes one up.",
                self._named(original(f"{_BACKEND}.start_execution")),
            ),
            Gap(
                f"{_EXECUTION}.start",
                "moto emits no Step Functions event.",
                self._announced(original(f"{_EXECUTION}.start")),
            ),
            Gap(
                f"{_EXECUTION}.stop",
                "moto waits for the running tasks, and then calls the execution FAILED.",
                self._stop(),
            ),
            Gap(
                f"{_COMMUNICATION}.terminated",
                "moto emits no Step Functions event, and ends a stopped execution once more.",
                self._settled(original(f"{_COMMUNICATION}._reflect_execution_status")),
            ),
        ]

    @staticmethod
    def _named(start_execution: Moto) -> Moto:
        def start_named(
            backend: Moto,
            state_machine_arn: str,
            name: str | None = None,
            execution_input: str | None = None,
            trace_header: str | None = None,
        ) -> Moto:
            name = name or str(uuid.uuid4())
            return start_execution(
                backend, state_machine_arn, name, execution_input or "{}", trace_header
            )

        return start_named

    def _announced(self, start: Moto) -> Moto:
        def start_announced(execution: Moto) -> None:
            self._emit(execution, "RUNNING")
            start(execution)

        return start_announced

    def _stop(self) -> Moto:
        def stop(
            execution: Moto, stop_date: datetime, error: str | None, cause: str | None
        ) -> None:
            with self._ending:
                if execution.stop_date is None:
                    execution.error, execution.cause = error or None, cause or None
                    self._end(execution, ExecutionStatus.ABORTED)
            env = _environment(execution)
            if env is not None:
                env.set_stop(stop_date=stop_date, cause=cause, error=error)

        return stop

    def _settled(self, reflect: Moto) -> Moto:
        def terminated(communication: Moto) -> None:
            execution = communication.execution
            with self._ending:
                if execution.stop_date is None:
                    reflect(communication)
                    self._end(execution, execution.exec_status)

        return terminated

    def _end(self, execution: Moto, status: ExecutionStatus) -> None:
        execution.exec_status = status
        execution.stop_date = _to_milliseconds(datetime.now(UTC))
        env = _environment(execution)
        if env is not None:
            event = _TERMINAL_EVENTS[status.value]
            about = {"error": execution.error, "cause": execution.cause}
            details = {name: value for name, value in about.items() if value}
            env.event_manager.add_event(
                env.event_history_context, event, {f"e{event.value[1:]}EventDetails": details}
            )
        self._emit(execution, status.value)

    def _emit(self, execution: Moto, status: str) -> None:
        self._bus.execution_changed(execution.exec_arn, _detail(execution, status))


def _environment(execution: Moto) -> Moto | None:
    """Return where moto evaluates the execution; its thread makes it a little after the start."""
    for _ in range(100):
        if execution.exec_worker.env is not None:
            return execution.exec_worker.env
        time.sleep(0.02)
    return None


def _detail(execution: Moto, status: str) -> JsonObject:
    """The detail of a Step Functions Execution Status Change: as in DescribeExecution."""
    output = json.dumps(execution.output) if status == "SUCCEEDED" else None
    fits = len(execution.execution_input) + len(output or "") <= _MAX_EVENT_DATA
    detail: dict[str, Any] = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date),
        "input": execution.execution_input if fits else None,
        "inputDetails": {"included": fits},
        "output": output if fits else None,
        "outputDetails": None if output is None else {"included": fits},
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": 0,
        "redriveDate": None,
        "redriveStatus": "NOT_REDRIVABLE" if status != "FAILED" else "REDRIVABLE",
        "redriveStatusReason": None,
        "error": execution.error,
        "cause": execution.cause,
    }
    return detail


def _to_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
