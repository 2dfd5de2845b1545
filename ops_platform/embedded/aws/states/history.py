"""The history of an execution, closed by its terminal event."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType as Type
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

from ops_platform.embedded.aws.gaps import Gap, Moto

_TERMINAL = {
    Type.ExecutionSucceeded,
    Type.ExecutionFailed,
    Type.ExecutionAborted,
    Type.ExecutionTimedOut,
}
_TASK_OVER = {
    Type.TaskStateExited,
    Type.TaskFailed,
    Type.TaskSubmitFailed,
    Type.TaskTimedOut,
    Type.TaskStateAborted,
}
_ITERATION_OVER = {
    Type.MapIterationSucceeded,
    Type.MapIterationFailed,
    Type.MapIterationAborted,
}


@dataclass(slots=True)
class _Open:
    """What has begun and not ended: by the context in which moto evaluates it."""

    tasks: dict[int, tuple[Moto, Mapping[str, Any]]] = field(default_factory=dict)
    iterations: dict[int, tuple[Moto, Mapping[str, Any]]] = field(default_factory=dict)

    def follow(self, context: Moto, event_type: Type, details: Mapping[str, Any]) -> None:
        """Take note of an event."""
        if event_type == Type.TaskStateEntered:
            self.tasks[id(context)] = (context, details)
        elif event_type in _TASK_OVER:
            self.tasks.pop(id(context), None)
        elif event_type == Type.MapIterationStarted:
            self.iterations[id(context)] = (context, details)
        elif event_type in _ITERATION_OVER:
            self.iterations.pop(id(context), None)


class History(EventManager):
    """Tells at the end what was aborted, then takes no further event."""

    def __init__(self, cloud_watch_logging_session: Moto = None) -> None:
        super().__init__(cloud_watch_logging_session=cloud_watch_logging_session)
        self._order = threading.RLock()
        self._open = _Open()
        self.is_closed = False

    def add_event(
        self,
        context: Moto,
        event_type: Type,
        event_details: Moto = None,
        timestamp: Moto = None,
        update_source_event_id: bool = True,  # noqa: FBT001, FBT002 — the signature is moto's
    ) -> int:
        """Append an event, unless the execution has ended."""
        with self._order:
            if self.is_closed:
                return 0
            if event_type in _TERMINAL:
                self._close()
            self._open.follow(context, event_type, event_details or {})
            return int(
                super().add_event(
                    context, event_type, event_details, timestamp, update_source_event_id
                )
            )

    def _close(self) -> None:
        """Before the last event: what was still going on is aborted."""
        for context, _ in self._open.tasks.values():
            super().add_event(context, Type.TaskStateAborted)
        for context, details in self._open.iterations.values():
            about: Moto = {"mapIterationAbortedEventDetails": next(iter(details.values()))}
            super().add_event(context, Type.MapIterationAborted, about)
        self.is_closed = True


HISTORY_GAP = Gap(
    "moto.stepfunctions.parser.asl.eval.environment:EventManager",
    "moto appends to the history after the terminal event, and never tells what was aborted.",
    History,
)
