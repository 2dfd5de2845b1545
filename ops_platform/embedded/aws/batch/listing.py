"""ListJobs: which jobs are asked for, and how many fit on a page."""

from collections.abc import Callable, Sequence

from moto.batch.exceptions import ClientException

from ops_platform.embedded.aws.batch.answers import Body
from ops_platform.embedded.aws.batch.model import Job, Status
from ops_platform.embedded.aws.batch.queues import Queue

_WITH_FILTER = 100
_WITH_STATUS = 1000
_FILTERS = ("JOB_NAME", "JOB_DEFINITION", "BEFORE_CREATED_AT", "AFTER_CREATED_AT")
_OWNERS = ("jobQueue", "arrayJobId", "multiNodeJobId")


def required_owner(body: Body) -> str:
    """Return by what jobs are asked for, which must be one thing."""
    given = [name for name in _OWNERS if body.get(name)]
    if len(given) != 1:
        raise ClientException("Exactly one of jobQueue, arrayJobId, multiNodeJobId is required")
    return given[0]


def page_size(body: Body) -> int:
    """Return how many jobs a page holds at most."""
    return _WITH_FILTER if body.get("filters") else _WITH_STATUS


def of_queue(jobs: Sequence[Job], queue: Queue, body: Body) -> list[Job]:
    """Return the jobs of a queue, but for the children of arrays.

    One filter may be given, and then the status counts for nothing.
    """
    passes = _filter(body) or _has_status(body)
    return [
        job
        for job in jobs
        if job.parent is None and job.spec.queue_arn == queue.arn and passes(job)
    ]


def of_array(parent: Job, body: Body) -> list[Job]:
    """Return the children of an array job, the last first; filters do not apply to them."""
    has_status = _has_status(body)
    return [child for child in reversed(parent.children) if has_status(child)]


def _has_status(body: Body) -> Callable[[Job], bool]:
    wanted = body.get("jobStatus", Status.RUNNING)
    if wanted not in set(Status):
        raise ClientException(f"{wanted} is no status of a job")
    return lambda job: bool(job.status == wanted)


def _filter(body: Body) -> Callable[[Job], bool] | None:
    filters = body.get("filters") or []
    if not filters:
        return None
    if len(filters) > 1:
        raise ClientException("Only one filter can be used at a time")
    name, values = filters[0]["name"], filters[0]["values"]
    if name not in _FILTERS:
        raise ClientException(f"Filter {name} is not known; known are {', '.join(_FILTERS)}")
    return lambda job: any(_passes(job, name, value) for value in values)


def _passes(job: Job, name: str, value: str) -> bool:
    match name:
        case "JOB_NAME":
            return _like(job.spec.name, value)
        case "JOB_DEFINITION":
            arn = job.spec.definition_arn
            return value == arn or _like(job.spec.definition_name, value)
        case "BEFORE_CREATED_AT":
            return job.created_at < int(value)
        case _:
            return job.created_at > int(value)


def _like(name: str, pattern: str) -> bool:
    """Compare as Batch does: without case, with an asterisk at the end for the rest."""
    name, pattern = name.lower(), pattern.lower()
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
