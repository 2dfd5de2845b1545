"""The API of a fake Batch, called as boto3's client is: its pages, limits, errors and moods."""

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from botocore.exceptions import ClientError

from ops_platform.domain.aws_values import millis
from ops_platform_tests.fake_queue_jobs import OVER, FakeJob, Json

_LONGEST_REASON = 1024
_MOST_AT_ONCE = 100
_MOST_LISTED = 1000


def _moody(_action: str, _number: int) -> bool:
    return False


@dataclass(slots=True)
class FakeBatchApi:
    """What boto3's client of Batch would answer.

    Attributes:
        clock: Tells the time of whatever happens.
        forbidden: Actions that AWS does not allow us, by AWS's name of them.
        missing: Actions that this Batch does not know.
        throttle: Tells of an action, and how often it was called, whether AWS is busy.
        expired_tokens: So many of the next pages are refused, since their token is too old.
        page: The most that a page of ListJobs, or of queues and environments, holds.
        slow_cancel: Whether a cancelled job stays in its state, marked, until `let_cancel`.
        on_call: Told the action before each call is answered; it may let things happen.
        requests: The calls so far, by action.
    """

    clock: Callable[[], datetime]
    forbidden: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    throttle: Callable[[str, int], bool] = _moody
    expired_tokens: int = 0
    page: int = _MOST_LISTED
    slow_cancel: bool = False
    on_call: Callable[[str], None] = lambda _: None
    requests: Counter[str] = field(default_factory=Counter)
    jobs: dict[str, FakeJob] = field(default_factory=dict)
    by_queue: dict[str, dict[str, FakeJob]] = field(default_factory=dict)
    queues: dict[str, Json] = field(default_factory=dict)
    environments: dict[str, Json] = field(default_factory=dict)
    left: dict[str, list[tuple[int, datetime]]] = field(default_factory=dict)
    """By queue, the numbers of the jobs that are no longer RUNNABLE, and since when."""

    # --- what boto3's client has ------------------------------------------------------------------

    def describe_job_queues(self, *, maxResults: int = 100, nextToken: str = "") -> Json:  # noqa: N803
        """Describe the queues, page by page."""
        self._begin("DescribeJobQueues", nextToken)
        found, more = _slice(list(self.queues.values()), min(maxResults, self.page), nextToken)
        return {"jobQueues": copy.deepcopy(found), **more}

    def describe_compute_environments(
        self,
        *,
        computeEnvironments: Sequence[str],  # noqa: N803
        nextToken: str = "",  # noqa: N803
    ) -> Json:
        """Describe environments by name or ARN; unknown ones are left out."""
        self._begin("DescribeComputeEnvironments", nextToken)
        _refuse(len(computeEnvironments) > _MOST_AT_ONCE, "Too many compute environments")
        names = [each.rpartition("/")[2] for each in computeEnvironments]
        known = [self.environments[name] for name in names if name in self.environments]
        found, more = _slice(known, min(_MOST_AT_ONCE, self.page), nextToken)
        return {"computeEnvironments": copy.deepcopy(found), **more}

    def get_job_queue_snapshot(self, *, jobQueue: str) -> Json:  # noqa: N803
        """Show the first hundred RUNNABLE jobs of a queue."""
        self._begin("GetJobQueueSnapshot")
        name = self._queue(jobQueue)
        waiting = [job for job in self.by_queue[name].values() if job.status == "RUNNABLE"]
        waiting.sort(key=lambda job: job.number)
        jobs = [
            {"jobArn": job.detail["jobArn"], "earliestTimeAtPosition": self._at_position(job)}
            for job in waiting[:_MOST_AT_ONCE]
        ]
        return {"frontOfQueue": {"jobs": jobs, "lastUpdatedAt": millis(self.clock())}}

    def list_jobs(
        self,
        *,
        jobQueue: str = "",  # noqa: N803
        arrayJobId: str = "",  # noqa: N803
        jobStatus: str = "RUNNING",  # noqa: N803
        maxResults: int = _MOST_LISTED,  # noqa: N803
        nextToken: str = "",  # noqa: N803
    ) -> Json:
        """List the jobs of a queue, or the children of an array, in one state, newest first."""
        self._begin("ListJobs", nextToken)
        _refuse(bool(jobQueue) == bool(arrayJobId), "Name one of jobQueue and arrayJobId")
        if jobQueue:
            every = self.by_queue[self._queue(jobQueue)].values()
            found = [job for job in every if job.parent is None]
        else:
            found = self.jobs[arrayJobId].children if arrayJobId in self.jobs else []
        before = float(nextToken or "inf")
        listed = [job for job in reversed(found) if job.status == jobStatus and job.number < before]
        size = min(maxResults, self.page, _MOST_LISTED)
        page = listed[:size]
        more = {"nextToken": str(page[-1].number)} if len(listed) > size else {}
        return {"jobSummaryList": [job.summary() for job in page], **more}

    def describe_jobs(self, *, jobs: Sequence[str]) -> Json:
        """Describe up to a hundred jobs; unknown ones are left out."""
        self._begin("DescribeJobs")
        _refuse(len(jobs) > _MOST_AT_ONCE, "Job list must not exceed 100 jobs")
        known = [self.jobs[each] for each in jobs if each in self.jobs]
        described = [copy.deepcopy(job.detail) for job in known]
        for job, detail in zip(known, described, strict=True):
            if job.children:
                detail["arrayProperties"] = job.summary()["arrayProperties"]
        return {"jobs": described}

    def cancel_job(self, *, jobId: str, reason: str) -> Json:  # noqa: N803
        """Cancel a job; a success also where it has started, is over or was never there."""
        self._begin("CancelJob")
        _refuse(
            not reason or len(reason) > _LONGEST_REASON, "Reason must have 1 to 1024 characters"
        )
        if jobId in self.jobs:
            self._cancel(self.jobs[jobId], reason)
        return {}

    # --- what happens -----------------------------------------------------------------------------

    def move(self, job: FakeJob, status: str, reason: str | None = None) -> None:
        """Bring a job into a state."""
        now = self.clock()
        if job.status == "RUNNABLE":
            self.left.setdefault(job.queue, []).append((job.number, now))
        job.detail["status"] = status
        job.detail.pop("statusReason", None)
        if reason is not None:
            job.detail["statusReason"] = reason
        if status == "RUNNABLE":
            job.runnable_at = now
        if status == "STARTING":
            job.starting_at = now
        if status == "RUNNING":
            job.detail["startedAt"] = millis(now)
        if status in OVER:
            job.detail["stoppedAt"] = millis(now)
            self._child_ended(job.parent)

    def let_cancel(self) -> None:
        """End the jobs that were cancelled and have not started."""
        for job in list(self.jobs.values()):
            if job.detail.get("isCancelled") and job.status in {"SUBMITTED", "RUNNABLE"}:
                self.move(job, "FAILED", job.detail["cancelReason"])

    def _cancel(self, job: FakeJob, reason: str) -> None:
        for child in job.children:
            self._cancel(child, reason)
        if job.status not in {"SUBMITTED", "PENDING", "RUNNABLE"}:
            return
        job.detail |= {"isCancelled": True, "cancelReason": reason}
        if not self.slow_cancel and job.status != "PENDING":
            self.move(job, "FAILED", reason)

    def _child_ended(self, parent: FakeJob | None) -> None:
        if parent is None or not all(child.status in OVER for child in parent.children):
            return
        failed = any(child.status == "FAILED" for child in parent.children)
        said = parent.detail.get("cancelReason") or "Array Child Job failed"
        self.move(parent, "FAILED" if failed else "SUCCEEDED", said if failed else None)

    def _at_position(self, job: FakeJob) -> int | None:
        assert job.runnable_at is not None, "only what is RUNNABLE has a position"
        ahead = [at for number, at in self.left.get(job.queue, ()) if number < job.number]
        return millis(max([job.runnable_at, *ahead]))

    # --- the moods of AWS -------------------------------------------------------------------------

    def _begin(self, action: str, token: str = "") -> None:
        self.requests[action] += 1
        self.on_call(action)
        if action in self.missing:
            raise _error(action, "404", "Not Found", 404)
        if action in self.forbidden:
            raise _error(action, "AccessDeniedException", "User is not authorized", 403)
        if self.throttle(action, self.requests[action]):
            raise _error(action, "TooManyRequestsException", "Too Many Requests", 429)
        if token and self.expired_tokens:
            self.expired_tokens -= 1
            raise _error(action, "ClientException", "The nextToken is invalid", 400)

    def _queue(self, name: str) -> str:
        short = name.rpartition("/")[2]
        _refuse(short not in self.queues, f"JobQueue {name} does not exist")
        return short


def _slice(found: list[Json], size: int, token: str) -> tuple[list[Json], Json]:
    start = int(token or 0)
    end = start + size
    return found[start:end], {"nextToken": str(end)} if end < len(found) else {}


def _refuse(wrong: bool, message: str) -> None:  # noqa: FBT001
    if wrong:
        raise _error("Request", "ClientException", message, 400)


def _error(action: str, code: str, message: str, status: int) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RetryAttempts": 0,
                "RequestId": "fake",
                "HostId": "",
                "HTTPHeaders": {},
            },
        },
        action,
    )
