"""The scheduler of AWS Batch: all jobs of an account, and how they move on."""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ops_platform.embedded.aws.batch.dispatcher import Dispatcher, HeadListener
from ops_platform.embedded.aws.batch.model import (
    NOT_STARTED,
    Job,
    JobChanged,
    JobSpec,
    Status,
    now_ms,
)
from ops_platform.embedded.aws.batch.outcome import Outcome, Verdict
from ops_platform.embedded.aws.batch.processes import ProcessStarter
from ops_platform.embedded.aws.batch.queues import Queue
from ops_platform.embedded.aws.batch.registry import Registry
from ops_platform.embedded.aws.batch.runs import RunListener, Runs
from ops_platform.embedded.aws.timing import Timing

_BUSY_PAUSE = 0.05
_QUIET_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class JobListener:
    """Whom to tell of a job's new state, and of a job that blocks its queue."""

    changed: JobChanged
    blocked: Callable[[Job], None]


class Scheduler(threading.Thread):
    """Holds all jobs of one account and moves them on; every method may be called anywhere.

    Whoever looks at what it holds for longer than a call takes the lock ``changes``.
    """

    def __init__(self, starter: ProcessStarter, timing: Timing, listener: JobListener) -> None:
        super().__init__(name="batch-scheduler", daemon=True)
        self.timing = timing
        self.registry = Registry()
        self.changes = threading.Condition(threading.RLock())
        self._listener = listener
        self._runs = Runs(starter, timing, RunListener(self._move, self._attempt_ended))
        self._dispatcher = Dispatcher(
            self.registry,
            HeadListener(self._runs.begin, listener.blocked, self._give_up),
            patience=timing.blocked,
        )
        self._jobs: dict[str, Job] = {}
        self._not_admitted: dict[str, Job] = {}
        self._closed = False

    def submit(self, spec: JobSpec, *, job_id: str = "", array_size: int = 0) -> Job:
        """Accept a job, or an array of them."""
        with self.changes:
            job = self._accept(spec, job_id or str(uuid.uuid4()))
            for index in range(array_size):
                child = self._accept(spec, f"{job.job_id}:{index}")
                child.array_index, child.parent = index, job
                job.children.append(child)
            self.changes.notify_all()
            return job

    def cancel(self, job_id: str, reason: str) -> None:
        """CancelJob: ends what has not started, and silently does nothing to what has."""
        with self.changes:
            job = self._jobs.get(job_id)
            if job is None or job.cancelled or job.status not in NOT_STARTED:
                return
            job.cancelled = True
            job.stop_reason = reason
            for child in job.children:
                self.cancel(child.job_id, reason)
            if not job.children and job.status != Status.PENDING:
                self._end(job, Status.FAILED, reason)
            self.changes.notify_all()

    def terminate(self, job_id: str, reason: str) -> None:
        """TerminateJob: ends a job in whatever state, with SIGTERM first if it runs."""
        with self.changes:
            job = self._jobs.get(job_id)
            if job is None or job.is_over or job.terminated:
                return
            job.terminated = True
            job.stop_reason = reason
            for child in job.children:
                self.terminate(child.job_id, reason)
            if job.current is not None:
                self._runs.stop(job)
            elif not job.children:
                self._end(job, Status.FAILED, reason)
            self.changes.notify_all()

    def delete_queue(self, queue: Queue) -> None:
        """End all jobs of a queue; it is gone when the last of them is."""
        with self.changes:
            queue.is_deleted = True
            for job in self._living(queue):
                self.terminate(job.job_id, "Job Queue was deleted")
            self._forget_deleted()

    def find(self, job_ids: Sequence[str]) -> list[Job]:
        """Return the jobs that exist among the given ids or ARNs."""
        with self.changes:
            ids = dict.fromkeys(name.rpartition(":job/")[2] for name in job_ids)
            return [self._jobs[job_id] for job_id in ids if job_id in self._jobs]

    def all_jobs(self) -> list[Job]:
        """Return every job, newest first."""
        with self.changes:
            return list(reversed(self._jobs.values()))

    def run(self) -> None:
        """Move jobs on until the account closes."""
        with self.changes:
            while not self._closed:
                self._settle()
                self.changes.wait(_BUSY_PAUSE if self._is_busy() else _QUIET_PAUSE)

    def close(self) -> None:
        """Stop scheduling and end every process."""
        with self.changes:
            self._closed = True
            self._runs.kill_all()
            self.changes.notify_all()

    def _accept(self, spec: JobSpec, job_id: str) -> Job:
        prefix = spec.queue_arn.partition(":job-queue/")[0]
        job = Job(
            job_id=job_id,
            arn=f"{prefix}:job/{job_id}",
            spec=spec,
            sequence=len(self._jobs),
            created_at=now_ms(),
        )
        self._jobs[job_id] = self._not_admitted[job_id] = job
        return job

    def _is_busy(self) -> bool:
        return bool(self._runs) or any(queue.runnable for queue in self.registry.queues.values())

    def _settle(self) -> None:
        for job in list(self._not_admitted.values()):
            if not job.is_over:
                self._admit(job)
            if job.status not in {Status.SUBMITTED, Status.PENDING}:
                del self._not_admitted[job.job_id]
        self._runs.settle()
        self._dispatcher.settle()
        self._forget_deleted()

    def _admit(self, job: Job) -> None:
        """Let a job wait for what it depends on, or for its array; else make it RUNNABLE."""
        needed = self.find(job.spec.depends_on)
        if any(other.status == Status.FAILED for other in needed):
            self._end(job, Status.FAILED, job.stop_reason or "Dependent Job failed")
        elif job.children or not all(other.is_over for other in needed):
            if job.status != Status.PENDING:
                self._move(job, Status.PENDING)
        elif job.cancelled:
            self._end(job, Status.FAILED, job.stop_reason)
        else:
            self._make_runnable(job)

    def _make_runnable(self, job: Job) -> None:
        job.blocked_by = None
        self._queue_of(job).add(job)
        self._move(job, Status.RUNNABLE)

    def _give_up(self, job: Job, reason: str) -> None:
        """A time limit of its queue cancels a job."""
        job.cancelled = True
        self._end(job, Status.FAILED, reason)

    def _attempt_ended(self, job: Job, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.RETRY:
            job.started_at = None
            job.status_reason = outcome.status_reason
            self._make_runnable(job)
            return
        succeeded = outcome.verdict is Verdict.SUCCEED
        self._end(job, Status.SUCCEEDED if succeeded else Status.FAILED, outcome.status_reason)

    def _end(self, job: Job, status: Status, reason: str | None) -> None:
        self._queue_of(job).remove(job)
        job.status_reason = reason
        job.stopped_at = now_ms()
        self._move(job, status)
        job.ended.set()
        if job.parent is not None:
            self._child_ended(job.parent)

    def _child_ended(self, parent: Job) -> None:
        if parent.is_over or not all(child.is_over for child in parent.children):
            return
        failed = parent.cancelled or any(child.status == Status.FAILED for child in parent.children)
        reason = parent.stop_reason or "Array Child Job failed" if failed else None
        self._end(parent, Status.FAILED if failed else Status.SUCCEEDED, reason)

    def _move(self, job: Job, status: Status) -> None:
        job.status = status
        self._listener.changed(job)

    def _queue_of(self, job: Job) -> Queue:
        return self.registry.queues[job.spec.queue_name]

    def _living(self, queue: Queue) -> list[Job]:
        jobs = self._jobs.values()
        return [job for job in jobs if job.spec.queue_name == queue.name and not job.is_over]

    def _forget_deleted(self) -> None:
        for queue in [each for each in self.registry.queues.values() if each.is_deleted]:
            if not self._living(queue):
                del self.registry.queues[queue.name]
