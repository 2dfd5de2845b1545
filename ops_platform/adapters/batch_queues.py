"""The job queues of one account's Batch, what waits in them, and its cancellation."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ops_platform.adapters.aws_errors import FORBIDDEN, AwsError
from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.adapters.batch_environments import Environments
from ops_platform.adapters.batch_listing import JobListing
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.batch_ports import InstanceTypes, ListedJob
from ops_platform.domain.cancelling import LONGEST_REASON
from ops_platform.domain.capacity import Position, Queue, Size
from ops_platform.domain.queue_descriptions import front_of, parent_of, waiting_job_of
from ops_platform.domain.waiting_jobs import WaitingJob

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

_log = logging.getLogger(__name__)

_MOST_AT_ONCE = 100
# Whoever waits longer cancels a job by what is no longer known of it: it may have run since.
_CANCEL_PATIENCE = 5.0
# By an emulator that lacks the operation, or of a queue that has no such thing as a front.
_NO_SNAPSHOT = FORBIDDEN | {
    "404", "ClientException", "InvalidAction", "NotFoundException", "UnknownOperationException",
}  # fmt: skip


class AwsBatchQueues:
    """The API of Batch, as far as the cleanup needs it; fulfils `BatchQueues`.

    Args:
        client: That of the account's Batch.
        account: The name of the account, which its jobs carry.
        types: What EC2 offers there.
        registered: What container instances were seen to register, by instance type.
        sleep: Waits while AWS is busy.
        patience: For how many seconds at most, of one call.
        pacer: Waits before each call.
    """

    def __init__(
        self,
        client: "BatchClient",
        *,
        account: str,
        types: InstanceTypes,
        registered: Mapping[str, Size] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = 60.0,
        pacer: Pacer | None = None,
    ) -> None:
        self._client = client
        self._account = account
        self._caller = PatientCaller(patience=patience, sleep=sleep, pacer=pacer)
        self._environments = Environments(client, self._caller, types, registered or {})
        self._listing = JobListing(client, self._caller)

    @property
    def calls(self) -> Counter[str]:
        """The requests made so far, by AWS's name of the action."""
        return self._caller.calls

    def queues(self) -> list[Queue]:
        """Return the job queues with their compute environments.

        Raises:
            AwsError: AWS refused, or did not answer.
        """
        return self._environments.queues()

    def front(self, queue_arn: str) -> list[Position] | None:
        """Return the first RUNNABLE jobs of a queue in order; None if Batch does not say."""
        request, doing = self._client.get_job_queue_snapshot, f"read the front of {queue_arn}"
        try:
            answer = self._caller.call("GetJobQueueSnapshot", doing, request, jobQueue=queue_arn)
        except AwsError as error:
            if error.code not in _NO_SNAPSHOT:
                raise
            _log.info("Nobody knows which job is next. %s", error)
            return None
        return front_of(answer)

    def runnable(self, queue_arn: str) -> Iterator[ListedJob]:
        """Yield the RUNNABLE jobs of a queue, those in arrays included, each once."""
        return self._listing.in_states(queue_arn, "RUNNABLE")

    def started(self, queue_arn: str) -> Iterator[ListedJob]:
        """Yield the STARTING and RUNNING jobs of a queue, those in arrays included, each once."""
        return self._listing.in_states(queue_arn, "STARTING", "RUNNING")

    def describe(self, job_ids: Sequence[str]) -> list[WaitingJob]:
        """Return jobs as they are now; those that Batch has forgotten are left out.

        The parents of children are read along, since a child does not tell what its array waits
        for.
        """
        wanted = dict.fromkeys(job_ids)
        parents = dict.fromkeys(filter(None, map(parent_of, wanted)))
        described = {job["jobId"]: job for job in self._described([*(wanted | parents)])}
        found = []
        for job_id in wanted:
            if job_id in described:
                parent = described.get(parent_of(job_id) or "")
                found.append(self._understood(job_id, described[job_id], parent))
        return [job for job in found if job is not None]

    def cancel(self, job_id: str, reason: str) -> None:
        """Ask for the end of a job that has not started; one that has goes on.

        Raises:
            AwsError: AWS refused, or did not answer.
        """
        request, doing = self._client.cancel_job, f"cancel the job {job_id}"
        given = {"jobId": job_id, "reason": reason[:LONGEST_REASON]}
        self._caller.call_within(_CANCEL_PATIENCE, "CancelJob", doing, request, **given)

    def _described(self, job_ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        left = iter(job_ids)
        while chunk := list(islice(left, _MOST_AT_ONCE)):
            doing = f"describe {len(chunk)} jobs"
            answer = self._caller.call(
                "DescribeJobs", doing, self._client.describe_jobs, jobs=chunk
            )
            yield from answer["jobs"]

    def _understood(
        self, job_id: str, described: Mapping[str, Any], parent: Mapping[str, Any] | None
    ) -> WaitingJob | None:
        job = waiting_job_of(described, self._account, parent=parent)
        if job is None:
            _log.warning("What Batch says of the job %s cannot be understood.", job_id)
        return job
