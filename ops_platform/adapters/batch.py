"""The jobs of one account's AWS Batch."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from ops_platform.adapters.aws_errors import explained
from ops_platform.domain.events import JobEvent
from ops_platform.domain.job_descriptions import job_event_of

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

_log = logging.getLogger(__name__)

MOST_AT_ONCE = 100
# AWS publishes no limit for DescribeJobs; it is shared with whoever runs flows in the account.
_PAUSE = 0.1


class AwsBatchJobs:
    """The API of Batch, as far as we read it; fulfils `BatchJobs`."""

    def __init__(
        self, client: "BatchClient", *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._sleep = sleep

    def describe(self, job_ids: Sequence[str]) -> list[JobEvent]:
        """Return the jobs as they are now; Batch forgets them some days after their end.

        Raises:
            AwsError: AWS refused, or did not answer.
        """
        found: list[JobEvent] = []
        for number, chunk in enumerate(_chunks(job_ids)):
            if number:
                self._sleep(_PAUSE)
            found += self._describe(chunk)
        return found

    def _describe(self, job_ids: Sequence[str]) -> list[JobEvent]:
        with explained(f"describe {len(job_ids)} jobs"):
            answer = self._client.describe_jobs(jobs=job_ids)
        events = [(job["jobId"], job_event_of(job)) for job in answer["jobs"]]
        for job_id, event in events:
            if event is None:
                _log.warning("What Batch says of the job %s cannot be understood.", job_id)
        return [event for _, event in events if event is not None]


def _chunks(job_ids: Sequence[str]) -> Iterator[list[str]]:
    left = iter(dict.fromkeys(job_ids))
    while chunk := list(islice(left, MOST_AT_ONCE)):
        yield chunk
