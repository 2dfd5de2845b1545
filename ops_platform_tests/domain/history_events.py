"""Events of an execution's history, as ``GetExecutionHistory`` returns them."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from ops_platform.domain.events import JobEvent
from ops_platform_tests.build import after, body

Json = dict[str, Any]
_KEPT = {"parameters"}


def described(job: JobEvent) -> Json:
    """Return a job as ``DescribeJobs`` shows it."""
    detail: Json = msgspec.json.decode(body(job))["detail"]
    return detail


def cause_of(job: JobEvent) -> str:
    """Return the cause of a job's task: ``DescribeJobs``, as Step Functions spells it."""
    return json.dumps(capitalised(described(job)))


def capitalised(value: Any) -> Any:
    """Spell names with a capital, but for those that are not AWS's."""
    if isinstance(value, list):
        return [capitalised(item) for item in value]
    if not isinstance(value, dict):
        return value
    ordered = sorted((key[:1].upper() + key[1:], key, item) for key, item in value.items())
    return {name: item if key in _KEPT else capitalised(item) for name, key, item in ordered}


class HistoryScript:
    """Writes a history, event by event."""

    def __init__(self) -> None:
        self._events: list[Json] = []
        self.event("ExecutionStarted")

    def event(self, kind: str, *, previous: int | None = None, **details: Any) -> int:
        """Append an event, which follows the last one unless another is named; return its id."""
        number = len(self._events) + 1
        self._events.append(
            {
                "id": number,
                "previousEventId": number - 1 if previous is None else previous,
                "timestamp": after(number),
                "type": kind,
                **details,
            }
        )
        return number

    def submitted(self, job_id: str, asked: Json | None = None, *, previous: int = 0) -> int:
        """Append what a task does until its job is submitted; return the last event's id."""
        entered = self.event("TaskStateEntered", previous=previous)
        about = {"resourceType": "batch", "resource": "submitJob.sync"}
        parameters = json.dumps(asked or {})
        scheduled = self.event(
            "TaskScheduled",
            previous=entered,
            taskScheduledEventDetails={**about, "parameters": parameters},
        )
        started = self.event("TaskStarted", previous=scheduled)
        output = json.dumps({"JobArn": f"arn:job/{job_id}", "JobId": job_id, "JobName": "x"})
        return self.event(
            "TaskSubmitted", previous=started, taskSubmittedEventDetails={"output": output}
        )

    def failed(self, cause: str | None, *, previous: int, kind: str = "TaskFailed",
               error: str = "States.TaskFailed", resource: str = "batch") -> None:  # fmt: skip
        """Append the failure of a task."""
        details = {"resourceType": resource, "error": error}
        if cause is not None:
            details["cause"] = cause
        name = f"{kind[:1].lower()}{kind[1:]}EventDetails"
        self.event(kind, previous=previous, **{name: details})

    def ended(self, kind: str = "ExecutionFailed", **about: str) -> None:
        """Append the end of the execution."""
        details: Json = {f"{kind[:1].lower()}{kind[1:]}EventDetails": about}
        self.event(kind, **details)

    def pages(self, size: int = 1000) -> list[Sequence[Json]]:
        """Return what was written as pages, the last event first."""
        events = self._events[::-1]
        return [events[at : at + size] for at in range(0, len(events), size)]
