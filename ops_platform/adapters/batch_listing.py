"""Lists of Batch's jobs, read page by page, whatever becomes of the pages meanwhile."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.domain.batch_ports import ListedJob
from ops_platform.domain.queue_descriptions import listed_job_of, may_have_children

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

_PAGE = 1000
# Batch has one name for whatever was wrong with a request, such as a page token of yesterday's.
_BAD_REQUEST = "ClientException"
_FRESH_STARTS = 5


class _ExpiredTokenError(AwsError):
    """Batch has forgotten how far we had read."""


class JobListing:
    """Reads the lists of jobs of one account's Batch."""

    def __init__(self, client: "BatchClient", caller: PatientCaller) -> None:
        self._client = client
        self._caller = caller

    def in_states(self, queue_arn: str, *states: str) -> Iterator[ListedJob]:
        """Yield the jobs of a queue that are in one of these states, then those in its arrays.

        The parent of an array stays PENDING while they wait and run. A multi-node job is one job
        here: its nodes wait together, and are in no list but their own.
        """
        for state in states:
            yield from map(listed_job_of, self._each(jobQueue=queue_arn, jobStatus=state))
        for parent in self._each(jobQueue=queue_arn, jobStatus="PENDING"):
            for state in states:
                if may_have_children(parent, state):
                    children = self._each(arrayJobId=parent["jobId"], jobStatus=state)
                    yield from map(listed_job_of, children)

    def _each(self, **which: str) -> Iterator[Mapping[str, Any]]:
        """Yield the jobs of a list, each once, though the list may have to be begun anew."""
        seen: set[str] = set()
        for fresh_starts_left in reversed(range(_FRESH_STARTS)):
            try:
                for summary in self._pages(which):
                    if summary["jobId"] not in seen:
                        seen.add(summary["jobId"])
                        yield summary
            except _ExpiredTokenError:
                if not fresh_starts_left:
                    raise
            else:
                return

    def _pages(self, which: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        more: dict[str, str] = {}
        while True:
            try:
                page = self._page(which, more)
            except AwsError as error:
                if more and error.code == _BAD_REQUEST:
                    raise _ExpiredTokenError(str(error), code=error.code) from error
                raise
            yield from page["jobSummaryList"]
            if not page.get("nextToken"):
                return
            more = {"nextToken": page["nextToken"]}

    def _page(self, which: Mapping[str, str], more: Mapping[str, str]) -> Mapping[str, Any]:
        of = which.get("jobQueue") or f"the array {which.get('arrayJobId')}"
        doing = f"list the {which['jobStatus']} jobs of {of}"
        request = self._client.list_jobs
        return self._caller.call("ListJobs", doing, request, maxResults=_PAGE, **which, **more)
