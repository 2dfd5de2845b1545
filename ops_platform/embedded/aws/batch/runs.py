"""The attempts that hold a place on an instance: their start, their limits, their end."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ops_platform.embedded.aws.batch.compute import ComputeEnvironment
from ops_platform.embedded.aws.batch.instances import Instance
from ops_platform.embedded.aws.batch.model import Attempt, Job, Status, now_ms, task_id
from ops_platform.embedded.aws.batch.outcome import NOT_STARTED, Outcome, judge
from ops_platform.embedded.aws.batch.processes import AttemptProcess, ProcessStarter
from ops_platform.embedded.aws.timing import Timing


@dataclass(slots=True, kw_only=True)
class Run:
    """One attempt on its instance."""

    job: Job
    attempt: Attempt
    compute: ComputeEnvironment
    starts_at: float
    process: AttemptProcess | None = None
    ends_by: float | None = None
    kill_at: float | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class RunListener:
    """Whom to tell that a job moved on, and how its attempt ended."""

    moved: Callable[[Job, Status], None]
    ended: Callable[[Job, Outcome], None]


class Runs:
    """All attempts of one account that hold a place; the scheduler's lock guards them."""

    def __init__(self, starter: ProcessStarter, timing: Timing, listener: RunListener) -> None:
        self._starter = starter
        self._timing = timing
        self._listener = listener
        self._runs: dict[str, Run] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def begin(self, job: Job, instance: Instance, compute: ComputeEnvironment) -> None:
        """Put a job on its instance: it is STARTING."""
        task = task_id()
        attempt = Attempt(
            task_arn=f"{instance.cluster_arn.replace(':cluster/', ':task/')}/{task}",
            log_stream=f"{job.spec.definition_name}/default/{task}",
            instance_arn=instance.arn,
            cluster_arn=instance.cluster_arn,
        )
        job.current = attempt
        starts_at = time.monotonic() + self._timing.starting
        self._runs[job.job_id] = Run(job=job, attempt=attempt, compute=compute, starts_at=starts_at)
        self._listener.moved(job, Status.STARTING)

    def stop(self, job: Job) -> None:
        """End an attempt as TerminateJob does: at once if it has not started its command."""
        run = self._runs[job.job_id]
        if run.process is None:
            self._finish(run, exit_code=None)
        elif run.kill_at is None:
            self._ask_to_end(run)

    def settle(self) -> None:
        """Start, limit and reap whatever is due."""
        now = time.monotonic()
        for run in list(self._runs.values()):
            if run.process is None:
                if now >= run.starts_at:
                    self._start(run)
                continue
            code = run.process.exit_code()
            if code is not None:
                self._finish(run, exit_code=code)
            else:
                self._limit(run, now)

    def kill_all(self) -> None:
        """End every process; the account goes down."""
        for run in self._runs.values():
            if run.process is not None:
                run.process.clean_up()

    def _start(self, run: Run) -> None:
        job, attempt = run.job, run.attempt
        try:
            run.process = self._starter.start(
                job.spec.command, environment=_environment(run), stream=attempt.log_stream
            )
        except (OSError, ValueError) as error:
            attempt.status_reason = NOT_STARTED
            attempt.reason = f"CannotStartContainerError: {error}"[:255]
            self._finish(run, exit_code=None)
            return
        attempt.started_at = job.started_at = now_ms()
        if job.spec.timeout_seconds is not None:
            run.ends_by = time.monotonic() + job.spec.timeout_seconds
        self._listener.moved(job, Status.RUNNING)

    def _limit(self, run: Run, now: float) -> None:
        if run.kill_at is not None:
            if now >= run.kill_at and run.process is not None:
                run.process.kill()
        elif run.ends_by is not None and now >= run.ends_by:
            run.timed_out = True
            self._ask_to_end(run)

    def _ask_to_end(self, run: Run) -> None:
        run.kill_at = time.monotonic() + self._timing.kill_grace
        if run.process is not None:
            run.process.ask_to_end()

    def _finish(self, run: Run, *, exit_code: int | None) -> None:
        job, attempt = run.job, run.attempt
        del self._runs[job.job_id]
        attempt.exit_code = exit_code
        attempt.stopped_at = now_ms()
        if run.process is not None:
            run.process.clean_up()
        job.attempts.append(attempt)
        job.current = None
        outcome = judge(job, attempt, timed_out=run.timed_out)
        attempt.status_reason = outcome.status_reason
        run.compute.fleet.release(attempt.instance_arn, job.job_id)
        self._listener.ended(job, outcome)


def _environment(run: Run) -> dict[str, str]:
    """Return the job's own environment and what Batch adds to it."""
    job = run.job
    batch = {
        "AWS_BATCH_JOB_ID": job.job_id,
        "AWS_BATCH_JOB_ATTEMPT": str(len(job.attempts) + 1),
        "AWS_BATCH_CE_NAME": run.compute.name,
        "AWS_BATCH_JQ_NAME": job.spec.queue_name,
        "AWS_EXECUTION_ENV": "AWS_ECS_EC2",
    }
    if job.array_index is not None and job.parent is not None:
        batch["AWS_BATCH_JOB_ARRAY_INDEX"] = str(job.array_index)
        batch["AWS_BATCH_JOB_ARRAY_SIZE"] = str(len(job.parent.children))
    return job.spec.environment | batch
