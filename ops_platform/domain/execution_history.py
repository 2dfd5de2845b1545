"""What the history of an execution tells of its failure.

The history is read from its end, where the failure is: the tasks that failed, and then, by the
numbers that link its events, which jobs those tasks had submitted.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ops_platform.domain.aws_values import millis, storable
from ops_platform.domain.envelopes import shown, shown_cause
from ops_platform.domain.events import JobEvent
from ops_platform.domain.job_descriptions import job_event_of, read_cause, salvage

HistoryEvent = Mapping[str, Any]
"""An event as ``GetExecutionHistory`` returns it."""

_TASK_FAILURES = {
    "TaskFailed": "taskFailedEventDetails",
    "TaskTimedOut": "taskTimedOutEventDetails",
}
_ENDS = {
    "ExecutionFailed": "executionFailedEventDetails",
    "ExecutionTimedOut": "executionTimedOutEventDetails",
    "ExecutionAborted": "executionAbortedEventDetails",
}
_BEGINNINGS = frozenset({"ExecutionRedriven", "ExecutionStarted"})
_OLDER = timedelta(minutes=1)  # a task fails seconds after its job
_CHILD_FAILED = "States.ExceedToleratedFailureThreshold"


@dataclass(frozen=True, slots=True)
class History:
    """How an execution failed.

    ``failed`` are jobs whose tasks failed, whole where the history shows them whole; ``job_ids``
    all that were seen to be submitted. ``error`` and ``cause`` are of the execution's end, or of a
    job that could not even be submitted. ``map_runs`` are those whose children may tell more.
    ``truncated`` says that not all was read that may matter; ``gone`` that AWS has it no more.
    """

    failed: tuple[JobEvent, ...] = ()
    job_ids: tuple[str, ...] = ()
    error: str | None = None
    cause: str | None = None
    map_runs: tuple[str, ...] = ()
    truncated: bool = False
    gone: bool = False

    def with_children(self, children: Iterable["History"]) -> "History":
        """Return the history with what those of a Distributed Map's children add."""
        whole = self
        for child in children:
            takes_error = whole.error == _CHILD_FAILED and child.error is not None
            whole = replace(
                whole,
                failed=whole.failed + child.failed,
                job_ids=whole.job_ids + child.job_ids,
                error=child.error if takes_error else whole.error,
                cause=child.cause if takes_error else whole.cause,
                truncated=whole.truncated or child.truncated,
            )
        return whole


class _Submitted(msgspec.Struct, frozen=True, rename="pascal"):
    job_id: str


class _Override(msgspec.Struct, frozen=True, rename="pascal"):
    command: list[str] | None = None


class _Scheduled(msgspec.Struct, frozen=True, rename="pascal"):
    """What a task asked of Batch; its environment is not decoded."""

    job_name: str = ""
    job_queue: str = ""
    job_definition: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    container_overrides: _Override | None = None


@dataclass(slots=True)
class _FailedTask:
    """A task that failed, and what was found of it so far."""

    at: datetime
    error: str | None
    cause: str
    job_id: str | None = None
    scheduled: _Scheduled = field(default_factory=_Scheduled)


class HistoryReader:
    """Reads pages of one execution's history, from the last event on backwards."""

    def __init__(self, execution_arn: str) -> None:
        self._arn = execution_arn
        self._failed: list[JobEvent] = []
        self._unclear: list[_FailedTask] = []
        self._links: dict[int, _FailedTask] = {}
        self._job_ids: list[str] = []
        self._map_runs: list[str] = []
        self._end: tuple[str | None, str | None] = (None, None)
        self._submit_failure: tuple[str | None, str | None] | None = None

    def read(self, page: Sequence[HistoryEvent]) -> bool:
        """Take one more page; return whether it is worth to read on."""
        before = len(self._failed) + len(self._unclear)
        for event in page:
            if event["type"] in _BEGINNINGS:  # what was before a redrive failed another time
                return False
            self._read(event)
        found = len(self._failed) + len(self._unclear)
        # The failure of a task ends an execution, so all of them stand close together.
        return not found or bool(self._links) or found > before

    def result(self, *, truncated: bool = False) -> History:
        """Return what was found."""
        guessed = (self._guess(task) for task in self._unclear)
        failed = self._failed + [event for event in guessed if event is not None]
        tells_submit = self._submit_failure is not None and not failed
        error, cause = (self._submit_failure if tells_submit else None) or self._end
        return History(
            failed=tuple(failed),
            job_ids=tuple(dict.fromkeys(self._job_ids)),
            error=error,
            cause=cause,
            map_runs=tuple(self._map_runs),
            truncated=truncated,
        )

    def _read(self, event: HistoryEvent) -> None:
        kind = event["type"]
        if kind in _TASK_FAILURES:
            self._task_failed(event, event.get(_TASK_FAILURES[kind]) or {})
        elif kind == "TaskSubmitFailed" and self._submit_failure is None:
            self._submit_failure = _told(event.get("taskSubmitFailedEventDetails"))
        elif kind in _ENDS:
            self._end = _told(event.get(_ENDS[kind]))
        elif kind == "TaskSubmitted":
            self._submitted(event)
        elif kind == "MapRunStarted":
            self._map_runs.append(event["mapRunStartedEventDetails"]["mapRunArn"])
        self._follow(event)

    def _task_failed(self, event: HistoryEvent, details: Mapping[str, Any]) -> None:
        if details.get("resourceType") != "batch":
            return  # it ran no job; what went wrong is the error of the execution, too
        cause = details.get("cause") or ""
        described = read_cause(cause)
        whole = job_event_of(described) if described else None
        if whole is not None:
            self._failed.append(whole)
            return
        task = _FailedTask(event["timestamp"], details.get("error"), cause)
        self._unclear.append(task)
        self._links[event["previousEventId"]] = task

    def _submitted(self, event: HistoryEvent) -> None:
        submitted = _decoded(
            (event.get("taskSubmittedEventDetails") or {}).get("output"), _Submitted
        )
        if submitted is None:
            return
        self._job_ids.append(submitted.job_id)
        if event["id"] in self._links:
            self._links[event["id"]].job_id = submitted.job_id

    def _follow(self, event: HistoryEvent) -> None:
        """Go on from an event to the one before it, of the same task."""
        task = self._links.pop(event["id"], None)
        if task is None:
            return
        if event["type"] == "TaskScheduled":
            given = (event.get("taskScheduledEventDetails") or {}).get("parameters")
            task.scheduled = _decoded(given, _Scheduled) or task.scheduled
        elif event["type"] != "TaskStateEntered":
            self._links[event["previousEventId"]] = task

    def _guess(self, task: _FailedTask) -> JobEvent | None:
        """Return the job of a task whose description is lost, as far as the task tells."""
        if task.job_id is None:
            return None
        _, _, _, region, account, *_ = self._arn.split(":")
        asked = task.scheduled
        queue = asked.job_queue.rsplit("/", 1)[-1]
        override = asked.container_overrides
        reason = shown_cause(task.cause)
        event = job_event_of(
            {
                "jobId": task.job_id,
                "jobName": asked.job_name,
                "jobQueue": f"arn:aws:batch:{region}:{account}:job-queue/{queue}",
                "jobDefinition": asked.job_definition,
                "status": "FAILED",
                "statusReason": reason or task.error,
                "stoppedAt": millis(task.at),
                "parameters": asked.parameters,
                "container": {"command": (override and override.command) or []},
                **salvage(task.cause),
            },
            id_prefix="api:history",
        )
        # Whatever else tells of the same end tells more, and has to count as newer.
        return event and msgspec.structs.replace(event, time=event.time - _OLDER)


def _told(details: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """Return error and cause as an event would have told them."""
    given = json.loads(storable(json.dumps(details or {}, default=str).encode()))
    return shown(given.get("error")), shown_cause(given.get("cause"))


def _decoded(text: str | None, kind: type[Any]) -> Any:  # noqa: ANN401 (an object of that type)
    try:
        return msgspec.json.decode(text or "", type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
