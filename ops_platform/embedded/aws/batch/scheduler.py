"""The scheduler of AWS Batch: FIFO queues in front of compute environments that are limited."""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ops_platform.embedded.aws.batch.compute import ComputeEnvironment
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
from ops_platform.embedded.aws.batch.runs import RunListener, Runs
from ops_platform.embedded.aws.timing import Timing

UNPLACEABLE = (
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) "
    "is higher than that can be met by the CE(s) attached to the job queue."
)
_BUSY_PAUSE = 0.05
_QUIET_PAUSE = 0.5


@dataclass(slots=True)
class Queue:
    """A job queue: the jobs that are RUNNABLE, first come first served."""

    name: str
    arn: str
    compute: ComputeEnvironment
    runnable: list[Job] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class JobListener:
    """Whom to tell of a job's new state, and of a job that blocks its queue."""

    changed: JobChanged
    blocked: Callable[[Job], None]


class Scheduler(threading.Thread):
    """Holds all jobs of one account and moves them on; every method may be called anywhere."""

    def __init__(self, starter: ProcessStarter, timing: Timing, listener: JobListener) -> None:
        super().__init__(name="batch-scheduler", daemon=True)
        self._timing = timing
        self._listener = listener
        self._runs = Runs(starter, timing, RunListener(self._move, self._attempt_ended))
        self._queues: dict[str, Queue] = {}
        self._jobs: dict[str, Job] = {}
        self._closed = False
        self.changes = threading.Condition(threading.RLock())

    def add_queue(self, queue: Queue) -> None:
        """Take a queue into service."""
        with self.changes:
            self._queues[queue.name] = queue

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
            if (job := self._jobs.get(job_id)) is None:
                return
            for child in job.children:
                self.cancel(child.job_id, reason)
            if job.status in NOT_STARTED:
                job.cancelled = True
                job.stop_reason = reason
                if job.status != Status.PENDING:
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

    def find(self, job_ids: Sequence[str]) -> list[Job]:
        """Return the jobs that exist among the given ids or ARNs."""
        with self.changes:
            ids = dict.fromkeys(name.rpartition(":job/")[2] for name in job_ids)
            return [self._jobs[job_id] for job_id in ids if job_id in self._jobs]

    def all_jobs(self) -> list[Job]:
        """Return every job, newest first."""
        with self.changes:
            return list(reversed(self._jobs.values()))

    def queue_front(self, name: str) -> list[Job] | None:
        """Return the RUNNABLE jobs of a queue in their order; None if there is no such queue."""
        with self.changes:
            queue = self._queues.get(name)
            return None if queue is None else list(queue.runnable)

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
        self._jobs[job_id] = job
        return job

    def _is_busy(self) -> bool:
        return bool(self._runs) or any(queue.runnable for queue in self._queues.values())

    def _settle(self) -> None:
        for job in [job for job in self._jobs.values() if job.status in NOT_STARTED]:
            if job.status != Status.RUNNABLE:
                self._admit(job)
        self._runs.settle()
        for queue in self._queues.values():
            queue.compute.settle()
            self._place(queue)

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
        queue = self._queues[job.spec.queue_name]
        job.runnable_at, job.head_since, job.blocked_told = now_ms(), None, False
        queue.runnable.append(job)
        queue.runnable.sort(key=lambda job: job.sequence)
        self._move(job, Status.RUNNABLE)

    def _place(self, queue: Queue) -> None:
        """Start jobs from the head; the first that finds no room holds up all behind it."""
        while queue.runnable:
            head = queue.runnable[0]
            head.head_since = head.head_since or now_ms()
            instance = queue.compute.place(head.job_id, head.spec.vcpus, head.spec.memory)
            if instance is None:
                self._explain_block(queue, head, head.head_since)
                return
            queue.runnable.pop(0)
            head.status_reason = None
            self._runs.begin(head, instance, queue.compute)

    def _explain_block(self, queue: Queue, head: Job, since: int) -> None:
        if queue.compute.can_ever_hold(head.spec.vcpus, head.spec.memory) or head.blocked_told:
            return
        if now_ms() - since >= self._timing.blocked * 1000:
            head.blocked_told = True
            head.status_reason = UNPLACEABLE
            self._listener.blocked(head)

    def _attempt_ended(self, job: Job, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.RETRY:
            job.started_at = None
            job.status_reason = outcome.status_reason
            self._make_runnable(job)
            return
        succeeded = outcome.verdict is Verdict.SUCCEED
        self._end(job, Status.SUCCEEDED if succeeded else Status.FAILED, outcome.status_reason)

    def _end(self, job: Job, status: Status, reason: str | None) -> None:
        runnable = self._queues[job.spec.queue_name].runnable
        if job in runnable:
            runnable.remove(job)
        job.status_reason = reason
        job.stopped_at = now_ms()
        self._move(job, status)
        job.ended.set()
        if job.parent is not None:
            self._child_ended(job.parent)

    def _child_ended(self, parent: Job) -> None:
        if parent.is_over or not all(child.is_over for child in parent.children):
            return
        failed = any(child.status == Status.FAILED for child in parent.children)
        reason = parent.stop_reason or "Array Child Job failed" if failed else None
        self._end(parent, Status.FAILED if failed else Status.SUCCEEDED, reason)

    def _move(self, job: Job, status: Status) -> None:
        job.status = status
        self._listener.changed(job)
