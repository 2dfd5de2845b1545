"""Events made of what an API tells of a job, as if they had arrived.

They go through the very parser of events, so that what is kept of a job is the same, and never its
environment.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ops_platform.domain.aws_values import EPOCH, millis, moment
from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import JobEvent
from ops_platform.domain.lifecycle import JOB_ENDS

Described = Mapping[str, Any]
# The names within these are not AWS's.
_FOREIGN_NAMES = frozenset({"Parameters", "Tags", "Options", "Labels"})
_DECODER = json.JSONDecoder()
_DEEPEST = 20


def job_event_of(described: Described, *, id_prefix: str = "api") -> JobEvent | None:
    """Return the event of a job as ``DescribeJobs`` shows it, None if it is no job we understand.

    Its time is when the job came to be as it is, as far as Batch tells.
    """
    changed_at = _changed_at(described)
    _, _, _, region, account, *_ = f"{described.get('jobQueue')}:::::".split(":")
    envelope = {
        "id": ":".join(
            (
                id_prefix,
                str(described.get("jobId")),
                str(described.get("status")),
                str(millis(changed_at)),
            )
        ),
        "detail-type": "Batch Job State Change",
        "account": account,
        "time": changed_at.isoformat(),
        "region": region,
        "detail": described,
    }
    event = parse(json.dumps(envelope, default=str).encode())
    return event if isinstance(event, JobEvent) else None


def read_cause(cause: str) -> dict[str, Any] | None:
    """Return the job that the cause of a failed task describes, spelled as ``DescribeJobs`` does.

    None if it is a plain text, or was cut off.
    """
    try:
        found = json.loads(cause)
    except (ValueError, RecursionError):
        return None
    return _respelled(found) if isinstance(found, dict) and "JobId" in found else None


def salvage(cause: str) -> dict[str, Any]:
    """Return what can be told of a job whose description was cut off: its attempts come first."""
    at = cause.find('"Attempts":')
    try:
        attempts, _ = _DECODER.raw_decode(cause, at + len('"Attempts":'))
    except (ValueError, RecursionError):
        return {}
    return {"attempts": _respelled(attempts)} if at >= 0 else {}


def _respelled(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 (any JSON)
    """Spell names as Batch does, where Step Functions begins them with a capital."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {
            key[:1].lower() + key[1:]: item
            if key in _FOREIGN_NAMES
            else _respelled(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_respelled(item, depth + 1) for item in value]
    return value


def _changed_at(job: Described) -> datetime:
    attempts = [attempt for attempt in job.get("attempts") or () if isinstance(attempt, dict)]
    ready = [job.get("createdAt"), *(attempt.get("stoppedAt") for attempt in attempts)]
    if job.get("status") in JOB_ENDS:
        told = [job.get("stoppedAt"), *ready]
    elif job.get("status") == "RUNNING":
        told = [job.get("startedAt"), *ready]
    else:  # put back to wait when its last attempt ended, as no field tells
        told = ready
    known = [at for at in told if isinstance(at, int)]
    try:
        return moment(max(known, default=0)) or EPOCH
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
