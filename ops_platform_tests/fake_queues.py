"""A fake account of Batch queues: jobs that wait, start, are retried and cancelled, as told.

The platform sees it through the real adapter, over a fake API with AWS's limits and errors; the
contract suite in `ops_platform_tests.adapters` holds that API to an emulator's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec

from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.aws_values import millis
from ops_platform.domain.capacity import InstanceType, Size
from ops_platform.domain.events import JobEvent
from ops_platform.domain.job_descriptions import job_event_of
from ops_platform_tests.build import ACCOUNT
from ops_platform_tests.fake_batch_api import FakeBatchApi
from ops_platform_tests.fake_queue_jobs import (
    PREFIX,
    FakeJob,
    environment_detail,
    job_detail,
    queue_detail,
)
from ops_platform_tests.fakes import FakeClock

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

OFFERED = (
    InstanceType("c5.large", Size(2, 4096)),
    InstanceType("m5.large", Size(2, 8192)),
    InstanceType("m5.xlarge", Size(4, 16_384)),
    InstanceType("p3.2xlarge", Size(8, 62_464, 1)),
    InstanceType("p3.8xlarge", Size(32, 249_856, 4)),
    InstanceType("r5.24xlarge", Size(96, 786_432)),
    InstanceType("r5.2xlarge", Size(8, 65_536)),
    InstanceType("r5.large", Size(2, 16_384)),
    InstanceType("r5.xlarge", Size(4, 32_768)),
)
"""Some of what EC2 offers in a region, by name."""


@dataclass(frozen=True, slots=True)
class FakeInstanceTypes:
    """What EC2 offers; fulfils `InstanceTypes`."""

    offered: Sequence[InstanceType] = OFFERED

    def all(self) -> Sequence[InstanceType]:
        """Return the instance types."""
        return self.offered


@dataclass(slots=True)
class FakeRunStopper:
    """Stops runs; fulfils `RunStopper`.

    Attributes:
        over: ARNs of executions that are over or gone.
        on_stop: Told the ARN of an execution that is stopped; it may let things happen.
        stopped: The ARNs that were stopped, with error and cause.
    """

    over: set[str] = field(default_factory=set)
    on_stop: Callable[[str], None] = lambda _: None
    stopped: list[tuple[str, str, str]] = field(default_factory=list)

    def stop(self, execution_arn: str, *, error: str, cause: str) -> bool:
        """Stop an execution, unless it is over."""
        if execution_arn in self.over:
            return False
        self.over.add(execution_arn)
        self.stopped.append((execution_arn, error[:256], cause[:32_768]))
        self.on_stop(execution_arn)
        return True


@dataclass(slots=True)
class FakeQueues:
    """Batch of one account.

    ``api`` is what AWS answers, with its moods; see `FakeBatchApi`. Pauses of the adapter, when it
    is throttled, let the clock advance.
    """

    clock: FakeClock
    account: str = ACCOUNT
    types: FakeInstanceTypes = field(default_factory=FakeInstanceTypes)
    api: FakeBatchApi = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        self.api = FakeBatchApi(self.clock)

    def batch(
        self, *, registered: Mapping[str, Size] | None = None, patience: float = 60
    ) -> AwsBatchQueues:
        """Return the account's Batch as the platform sees it."""
        return AwsBatchQueues(
            cast("BatchClient", self.api),
            account=self.account,
            types=self.types,
            registered=registered,
            sleep=lambda seconds: self.clock.advance(timedelta(seconds=seconds)),
            patience=patience,
            pacer=Pacer(sleep=lambda _: None),
        )

    # --- what happens in the account --------------------------------------------------------------

    def environment(self, name: str = "flows-spot", **changes: Any) -> str:
        """Make or change a compute environment, see `environment_detail`; return its name."""
        self.api.environments[name] = environment_detail(name, **changes)
        return name

    def queue(self, name: str = "flows", *environments: str, **changes: Any) -> str:
        """Make or change a queue, see `queue_detail`; return its ARN."""
        behind = environments or (self.environment(f"{name}-spot"),)
        self.api.queues[name] = queue_detail(name, behind, **changes)
        self.api.by_queue.setdefault(name, {})
        return f"{PREFIX}:job-queue/{name}"

    def submit(self, queue: str = "flows", *, job_id: str | None = None, **asked: Any) -> str:
        """Submit a job, see `job_detail`; it is RUNNABLE unless it depends on others."""
        job = self._accept(queue, job_id, asked)
        self.api.move(job, "PENDING" if job.detail["dependsOn"] else "RUNNABLE")
        return job.id

    def submit_array(self, size: int, queue: str = "flows", **asked: Any) -> str:
        """Submit an array, whose parent waits for its RUNNABLE children; return the parent's id.

        One that depends on others is PENDING with all its children, which do not tell why.
        """
        parent = self._accept(queue, None, asked)
        self.api.move(parent, "PENDING")
        for index in range(size):
            child = self._accept(queue, f"{parent.id}:{index}", asked)
            child.detail["dependsOn"] = []
            child.detail["arrayProperties"] = {"index": index}
            child.parent = parent
            parent.children.append(child)
            self.api.move(child, "PENDING" if parent.detail["dependsOn"] else "RUNNABLE")
        return parent.id

    def ready(self, job_id: str) -> None:
        """Make a job RUNNABLE, or the children of an array, whose dependencies are over."""
        job = self.job(job_id)
        for each in job.children or [job]:
            self.api.move(each, "RUNNABLE")

    def explain(self, job_id: str, reason: str) -> None:
        """Have Batch say why a job is stuck."""
        self.job(job_id).detail["statusReason"] = reason

    def start(self, job_id: str) -> None:
        """Begin to start a job."""
        self.api.move(self.job(job_id), "STARTING")

    def run(self, job_id: str) -> None:
        """Let a job run."""
        self.start(job_id)
        self.api.move(self.job(job_id), "RUNNING")

    def retry(self, job_id: str, *, reason: str = "Host EC2 (instance i-1) terminated.") -> None:
        """End the attempt of a running job, which waits again."""
        job = self.job(job_id)
        ended = {"startedAt": job.detail.pop("startedAt", None), "stoppedAt": millis(self.clock())}
        job.detail["attempts"].append({"container": {}, "statusReason": reason, **ended})
        self.api.move(job, "RUNNABLE", reason)

    def end(self, job_id: str, status: str = "SUCCEEDED", reason: str | None = None) -> None:
        """End a job."""
        self.api.move(self.job(job_id), status, reason)

    def forget(self, job_id: str) -> None:
        """Forget a job, as Batch does some days after its end."""
        job = self.api.jobs.pop(job_id)
        del self.api.by_queue[job.queue][job_id]

    # --- what is ----------------------------------------------------------------------------------

    def job(self, job_id: str) -> FakeJob:
        """Return a job."""
        return self.api.jobs[job_id]

    def status(self, job_id: str) -> str:
        """Return the state of a job."""
        return self.job(job_id).status

    def event(self, job_id: str) -> JobEvent:
        """Return the event by which EventBridge tells how a job is, as of now."""
        event = job_event_of(self.job(job_id).detail)
        assert event is not None
        at: datetime = self.clock().replace(microsecond=0)
        return msgspec.structs.replace(event, id=f"event-{job_id}-{at}-{event.status}", time=at)

    def _accept(self, queue: str, job_id: str | None, asked: Mapping[str, Any]) -> FakeJob:
        self._count += 1
        name = queue.rpartition("/")[2]
        detail = job_detail(
            job_id or f"job-{self._count:06}", queue=name, now=self.clock(), **asked
        )
        job = FakeJob(detail, name, self._count)
        self.api.jobs[job.id] = self.api.by_queue[name][job.id] = job
        return job
