"""An account of Batch in which very many jobs wait, as boto3's client shows it, made on demand.

Of each queue's jobs a few are stale, the head among them: they ask for more than there is. The
others came evenly over four hours and wait their turn in queues that move.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bench.load import REGION
from ops_platform.domain.capacity import InstanceType, Size
from ops_platform.domain.events import JobEvent
from ops_platform.domain.lifecycle import Job

ACCOUNT, ACCOUNT_ID = "production", "222222222222"
_PREFIX = f"arn:aws:batch:{REGION}:{ACCOUNT_ID}"
_FAMILIES = tuple(f"{kind}{number}" for kind in "cmr" for number in ("5", "5a", "6i", "7i", "7a"))
_SIZES = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "12xlarge": 48, "24xlarge": 96}
_MIB_A_VCPU = {"c": 2048, "m": 4096, "r": 8192}
TYPES = tuple(
    InstanceType(f"{family}.{size}", Size(vcpus, vcpus * _MIB_A_VCPU[family[0]]))
    for family in _FAMILIES
    for size, vcpus in _SIZES.items()
)
_SPAN = timedelta(hours=4)
_OLD = 0.8  # of the jobs, the first, are old enough to be stale
_RUNS = 5  # with stale jobs in a queue: fewer than make the queue itself suspect
_RUNNING = 50  # jobs of each queue that have started
_AT_THE_FRONT = 100


class Waiting(NamedTuple):
    """A job that waits, by its number in its queue; the first is at the head."""

    queue: int
    number: int
    is_stale: bool
    created_at: datetime

    @property
    def id(self) -> str:
        """The id, as long as a real one."""
        return f"{self.queue:08x}-51f7-4bb3-9f59-{self.number:012x}"

    @property
    def run(self) -> str:
        """The run it is of."""
        stale, other = f"stale-{self.number % _RUNS}", f"run-{self.number // 200}"
        return f"{self.queue}-{stale if self.is_stale else other}"

    @property
    def asked(self) -> dict[str, int]:
        """What it asks for."""
        return {"VCPU": 999 if self.is_stale else 1 + self.number % 4, "MEMORY": 4096}


@dataclass
class Account:
    """What boto3's client of Batch would answer; ``requests`` counts the calls."""

    jobs: int
    stale: int
    queues: int
    now: datetime
    requests: Counter[str] = field(default_factory=Counter)
    cancelled: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, list[Waiting]] = field(init=False)

    def __post_init__(self) -> None:
        """Have the jobs wait."""
        self.waiting = {f"queue-{at}": list(self._of(at)) for at in range(self.queues)}

    def minimum(self) -> int:
        """Return how many calls it takes at least to read all, and to end what is stale."""
        pages = sum(-(-len(jobs) // 1000) for jobs in self.waiting.values())
        arrays, fronts, described = self.queues, self.queues, -(-self.stale // 100)
        return 2 + pages + arrays + fronts + described + self.stale + described

    def known(self) -> Iterator[Job]:
        """Yield the jobs as their events add up in the ledger, those that have started as well."""
        for jobs in self.waiting.values():
            for each in jobs:
                yield Job(ACCOUNT, _event(each, "RUNNABLE"), runnable_at=each.created_at)
            started_at = self.now - timedelta(minutes=5)
            for number in range(_RUNNING):
                each = Waiting(
                    jobs[0].queue, 0xF0000 + number, is_stale=False, created_at=started_at
                )
                yield Job(ACCOUNT, _event(each, "RUNNING"), started_at, started_at)

    # --- what boto3's client has ------------------------------------------------------------------

    def describe_job_queues(self, **_arguments: object) -> dict[str, Any]:
        """Describe all queues."""
        self.requests["DescribeJobQueues"] += 1
        environment = [{"order": 1, "computeEnvironment": f"{_PREFIX}:compute-environment/all"}]
        return {
            "jobQueues": [
                {
                    "jobQueueName": name,
                    "jobQueueArn": f"{_PREFIX}:job-queue/{name}",
                    "state": "ENABLED",
                    "status": "VALID",
                    "priority": 1,
                    "computeEnvironmentOrder": environment,
                }
                for name in self.waiting
            ]
        }

    def describe_compute_environments(self, **_arguments: object) -> dict[str, Any]:
        """Describe the environment behind all queues."""
        self.requests["DescribeComputeEnvironments"] += 1
        resources = {
            "type": "EC2",
            "maxvCpus": 5000,
            "desiredvCpus": 2500,
            "instanceTypes": _FAMILIES,
        }
        return {
            "computeEnvironments": [
                {
                    "computeEnvironmentName": "all",
                    "computeEnvironmentArn": f"{_PREFIX}:compute-environment/all",
                    "type": "MANAGED",
                    "state": "ENABLED",
                    "status": "VALID",
                    "computeResources": resources,
                }
            ]
        }

    def get_job_queue_snapshot(self, *, jobQueue: str) -> dict[str, Any]:  # noqa: N803
        """Show the front of a queue."""
        self.requests["GetJobQueueSnapshot"] += 1
        front = self.waiting[_name(jobQueue)][:_AT_THE_FRONT]
        since = _millis(self.now - timedelta(minutes=30))
        places = [{"jobArn": _arn(job), "earliestTimeAtPosition": since} for job in front]
        return {"frontOfQueue": {"jobs": places}}

    def list_jobs(
        self,
        *,
        jobQueue: str,  # noqa: N803
        jobStatus: str,  # noqa: N803
        maxResults: int,  # noqa: N803
        nextToken: str = "0",  # noqa: N803
    ) -> dict[str, Any]:
        """List the RUNNABLE jobs of a queue; no arrays are pending."""
        self.requests["ListJobs"] += 1
        if jobStatus != "RUNNABLE":
            return {"jobSummaryList": []}
        every, begin = self.waiting[_name(jobQueue)], int(nextToken)
        end = begin + maxResults
        page = [_summary(job) for job in every[begin:end]]
        return {"jobSummaryList": page, **({"nextToken": str(end)} if end < len(every) else {})}

    def describe_jobs(self, *, jobs: Sequence[str]) -> dict[str, Any]:
        """Describe jobs."""
        self.requests["DescribeJobs"] += 1
        return {"jobs": [self._detail(job_id) for job_id in jobs]}

    def cancel_job(self, *, jobId: str, reason: str) -> dict[str, Any]:  # noqa: N803
        """Cancel a job."""
        self.requests["CancelJob"] += 1
        self.cancelled[jobId] = reason
        return {}

    def _of(self, queue: int) -> Iterator[Waiting]:
        count, stale = self.jobs // self.queues, self.stale // self.queues
        apart = int(count * _OLD) // stale
        for number in range(count):
            is_stale = number % apart == 0 and number // apart < stale
            age = _SPAN * ((count - number) / count)
            yield Waiting(queue, number, is_stale, self.now - age)

    def _detail(self, job_id: str) -> dict[str, Any]:
        queue, number = job_id.split("-", maxsplit=1)[0], job_id.rsplit("-", 1)[1]
        job = self.waiting[f"queue-{int(queue, 16)}"][int(number, 16)]
        needs = [{"type": kind, "value": str(value)} for kind, value in job.asked.items()]
        parameters = {
            "metaflow.user": "SFN",
            "metaflow.owner": "ana",
            "metaflow.flow_name": "WideFlow",
            "metaflow.step_name": "work",
            "metaflow.run_id": job.run,
        }
        detail = {
            **_summary(job),
            "jobQueue": f"{_PREFIX}:job-queue/queue-{job.queue}",
            "attempts": [],
            "dependsOn": [],
            "parameters": parameters,
            "tags": {},
            "container": {
                "resourceRequirements": needs,
                "environment": [{"name": f"METAFLOW_{at}", "value": "x" * 60} for at in range(25)],
            },
        }
        if job_id in self.cancelled:
            detail |= {"status": "FAILED", "statusReason": self.cancelled[job_id]}
        return detail


def _summary(job: Waiting) -> dict[str, Any]:
    return {
        "jobArn": _arn(job),
        "jobId": job.id,
        "jobName": "SFN-WideFlow--work--",
        "createdAt": _millis(job.created_at),
        "status": "RUNNABLE",
        "jobDefinition": f"{_PREFIX}:job-definition/metaflow_9f2c:1",
    }


def _event(job: Waiting, status: str) -> JobEvent:
    return JobEvent(
        id=f"{job.id}-{status}", time=job.created_at, aws_account_id=ACCOUNT_ID, region=REGION,
        job_id=job.id, job_name="SFN-WideFlow--work--", queue=f"queue-{job.queue}",
        definition="metaflow_9f2c:1", status=status, blocked=False, status_reason=None,
        created_at=job.created_at, started_at=None, stopped_at=None, attempts=(), max_attempts=3,
        exit_code=None, container_reason=None, log_stream=None, container_instance=None,
        vcpus=float(job.asked["VCPU"]), memory_mib=4096, gpus=None, flow="WideFlow", step="work",
        run_id=f"sfn-{job.run}", owner="ana", array_size=None, cancelled=False, terminated=False,
    )  # fmt: skip


def _arn(job: Waiting) -> str:
    return f"{_PREFIX}:job/{job.id}"


def _name(queue_arn: str) -> str:
    return queue_arn.rpartition("/")[2]


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
