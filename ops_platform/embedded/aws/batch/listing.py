"""ListJobs: its filters and its pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.batch.exceptions import ClientException

from ops_platform.embedded.aws.batch.model import Job, Status

_WITH_FILTER = 100
_WITH_STATUS = 1000


def matches(job: Job, body: Mapping[str, Any]) -> bool:
    """Tell whether a job is asked for: by one filter, or by its status (RUNNING by default)."""
    queue = body.get("jobQueue")
    if queue and queue not in {job.spec.queue_name, job.spec.queue_arn}:
        return False
    filters = body.get("filters") or []
    if not filters or body.get("arrayJobId"):
        return bool(job.status == body.get("jobStatus", Status.RUNNING))
    if len(filters) > 1:
        raise ClientException("Only one filter can be used at a time")
    return any(_passes(job, filters[0]["name"], value) for value in filters[0]["values"])


def page(jobs: Sequence[Job], body: Mapping[str, Any]) -> tuple[Sequence[Job], dict[str, str]]:
    """Return one page, and the token of the next one if there is more."""
    most = _WITH_FILTER if body.get("filters") else _WITH_STATUS
    size = min(int(body.get("maxResults") or most), most)
    start = int(body.get("nextToken") or 0)
    end = start + size
    return jobs[start:end], {"nextToken": str(end)} if end < len(jobs) else {}


def _passes(job: Job, name: str, value: str) -> bool:
    match name:
        case "JOB_NAME":
            return _like(job.spec.name, value)
        case "JOB_DEFINITION":
            arn = job.spec.definition_arn
            return value == arn or _like(job.spec.definition_name, value)
        case "BEFORE_CREATED_AT":
            return job.created_at < int(value)
        case "AFTER_CREATED_AT":
            return job.created_at > int(value)
        case _:
            raise ClientException(f"Filter {name} is not known")


def _like(name: str, pattern: str) -> bool:
    """Compare as Batch does: without case, with an asterisk at the end for the rest."""
    name, pattern = name.lower(), pattern.lower()
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
