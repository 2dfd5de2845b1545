"""The `batch:submitJob.sync` task: it waits for its job, and ends the job if it is aborted."""

import time
from collections.abc import Callable

from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEventException,
)

from ops_platform.embedded.aws.batch.model import Job, Status
from ops_platform.embedded.aws.batch.scheduler import Scheduler
from ops_platform.embedded.aws.gaps import Gap, Moto, original
from ops_platform.embedded.aws.states.casing import operation
from ops_platform.embedded.aws.timing import Timing

_TASK = (
    "moto.stepfunctions.parser.asl.component.state.exec.state_task.service."
    "state_task_service_batch:StateTaskServiceBatch"
)
_LOOK = 0.2
_AFTER_STOP = 0.3
_MAX_CAUSE = 32_768


class StateAbortedError(Exception):
    """The execution was stopped, or a sibling of this task failed."""


class BatchTasks:
    """Ties the tasks of Step Functions to the jobs of our scheduler."""

    def __init__(self, scheduler: Scheduler, timing: Timing) -> None:
        self._scheduler = scheduler
        self._timing = timing

    def gaps(self) -> list[Gap]:
        """Return what of moto this stands in for."""
        return [
            Gap(
                f"{_TASK}._build_sync_resolver",
                "moto polls a job each half second and lets it run when the task is aborted.",
                self._waiting(original(f"{_TASK}._build_sync_resolver")),
            ),
            Gap(
                f"{_TASK}._eval_sync",
                "moto asks for the job only while the execution runs, so that the job of a task "
                "that is aborted early would be forgotten.",
                _resolve_once,
            ),
            Gap(
                f"{_TASK}._get_supported_parameters",
                "moto drops PropagateTags and what else of SubmitJob it does not know.",
                _supported_parameters,
            ),
        ]

    def _waiting(self, build: Moto) -> Moto:
        def build_waiting(task: Moto, env: Moto, *args: object, **kwargs: object) -> Moto:
            job_id = env.stack[-1]["JobId"]
            resolve = build(task, env, *args, **kwargs)

            def wait_then_resolve() -> object:
                for job in self._scheduler.find([job_id]):
                    self._wait(job, env.is_running)
                try:
                    return resolve()
                except FailureEventException as failure:
                    _cut_cause(failure)
                    raise

            return wait_then_resolve

        return build_waiting

    def _wait(self, job: Job, is_wanted: Callable[[], bool]) -> None:
        """Return a little after the job's end; abort the job if nobody waits for it any more."""
        while is_wanted():
            if job.ended.wait(_LOOK):
                due = (job.stopped_at or 0) / 1000 + self._delay(job)
                while is_wanted() and time.time() < due:
                    time.sleep(min(_LOOK, max(0.01, due - time.time())))
                if is_wanted():
                    return
        # The execution has its stop date by then, as in AWS, where the abort follows it.
        time.sleep(_AFTER_STOP)
        self._scheduler.terminate(job.job_id, "Aborted by AWS Step Functions")
        raise StateAbortedError

    def _delay(self, job: Job) -> float:
        succeeded = job.status is Status.SUCCEEDED
        return self._timing.reaction if succeeded else self._timing.failure_reaction


def _supported_parameters(_task: Moto) -> set[str]:
    shape: Moto = operation("batch", "submit_job").input_shape
    return {name[0].upper() + name[1:] for name in shape.members}


def _cut_cause(failure: FailureEventException) -> None:
    details: Moto = failure.failure_event.event_details
    for about in details.values():
        about["cause"] = about.get("cause", "")[:_MAX_CAUSE]


def _resolve_once(_task: Moto, *, sync_resolver: Callable[[], object], **_others: object) -> object:
    return sync_resolver()
