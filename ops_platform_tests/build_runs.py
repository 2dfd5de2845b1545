"""The events of whole runs, in the order they happened."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ops_platform.domain.events import Attempt, Event, JobEvent
from ops_platform_tests.build import (
    TASK_EXITED,
    a_failure,
    a_job_event,
    after,
    an_execution_event,
    an_instance_event,
)

_ATTEMPT_SECONDS = 10


def a_job_history(
    job_id: str, *, exits: Sequence[int], begin: float, step: str = "work"
) -> list[JobEvent]:
    """Return the events of a job, one attempt of ten seconds for each exit code."""
    told: list[JobEvent] = []
    attempts: list[Attempt] = []
    for number, code in enumerate(exits):
        ready = begin + number * _ATTEMPT_SECONDS
        base = a_job_event(job_id=job_id, step=step, created_at=after(begin), **_last(attempts))
        told += _one_attempt(base, ready)
        attempts.append(_ended(job_id, ready, code))
    end = msgspec.structs.replace(
        told[-1],
        time=after(begin + len(exits) * _ATTEMPT_SECONDS),
        status="FAILED" if exits[-1] else "SUCCEEDED",
        status_reason=TASK_EXITED,
        stopped_at=attempts[-1].stopped_at,
        **_last(attempts),
    )
    return numbered([*told, end], job_id)


def _last(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """Return the fields that show the last attempt that ended, where Batch shows none newer."""
    if not attempts:
        return {}
    last = attempts[-1]
    return {
        "attempts": tuple(attempts),
        "exit_code": last.exit_code,
        "container_reason": last.reason,
        "log_stream": last.log_stream,
        "container_instance": last.container_instance,
    }


def _one_attempt(base: JobEvent, ready: float) -> list[JobEvent]:
    running: dict[str, Any] = {
        "started_at": after(ready + 4.25),
        "log_stream": f"metaflow/default/{base.job_id}/{ready}",
    }
    return [
        msgspec.structs.replace(base, time=after(ready), status="RUNNABLE"),
        msgspec.structs.replace(base, time=after(ready + 2), status="STARTING"),
        msgspec.structs.replace(base, time=after(ready + 4), status="RUNNING", **running),
    ]


def _ended(job_id: str, ready: float, code: int) -> Attempt:
    return Attempt(
        started_at=after(ready + 4.25),
        stopped_at=after(ready + 9.5),
        exit_code=code,
        reason=TASK_EXITED,
        log_stream=f"metaflow/default/{job_id}/{ready}",
        container_instance="arn:aws:ecs:eu-west-1:222222222222:container-instance/flows/9c1e",
    )


def numbered(events: Sequence[JobEvent], prefix: str) -> list[JobEvent]:
    """Give each event of a job an id of its own."""
    return [
        msgspec.structs.replace(event, id=f"{prefix}-{number}")
        for number, event in enumerate(events)
    ]


def a_failing_run() -> list[Event]:
    """Return the events of a foreach that fails: 2 root failures, 2 jobs dragged along.

    One task succeeds at its second attempt, one fails at its second, one at its first; then the
    execution stops and aborts one that runs and one that still waits and blocks the queue.
    """
    events: list[Event] = [
        an_execution_event(id="run-begins"),
        an_instance_event(id="instance-1", time=after(1)),
        *a_job_history("start", exits=[0], begin=2, step="start"),
        an_instance_event(id="instance-2", time=after(12), version=2),
        *a_job_history("retried", exits=[1, 0], begin=20),
        *a_job_history("root-1", exits=[1, 1], begin=25),
        *a_job_history("root-2", exits=[137], begin=34),
        *_aborted_while_running(),
        *_aborted_while_waiting(),
        a_failure(46.5, id="run-fails", cause=TASK_EXITED),
        an_instance_event(id="instance-3", time=after(90), version=9, status="DRAINING"),
    ]
    return sorted(events, key=lambda event: event.time)


def _aborted_while_running() -> list[JobEvent]:
    events = a_job_history("aborted-running", exits=[143], begin=38)
    abort = {"time": after(49), "stopped_at": after(49.75), "terminated": True}
    return [*events[:-1], msgspec.structs.replace(events[-1], **abort)]


def _aborted_while_waiting() -> list[JobEvent]:
    waiting = a_job_event(job_id="aborted-waiting", time=after(30))
    blocked = msgspec.structs.replace(
        waiting, blocked=True, time=after(40), status_reason="UNDETERMINED - Batch job is blocked"
    )
    end = {"status": "FAILED", "stopped_at": after(48.5), "terminated": True}
    aborted = msgspec.structs.replace(waiting, time=after(48), **end)
    return numbered([waiting, blocked, aborted], "aborted-waiting")
