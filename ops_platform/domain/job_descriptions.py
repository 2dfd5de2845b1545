"""Events made of what an API tells of a job, as if they had arrived.

They go through the very parser of events, so that what is kept of a job is the same, and never its
environment.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from ops_platform.domain import aws_documents as aws
from ops_platform.domain.aws_values import EPOCH, millis, moment, storable
from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import JobEvent
from ops_platform.domain.lifecycle import JOB_ENDS

Described = Mapping[str, Any]
# The names within these are not AWS's.
_FOREIGN_NAMES = frozenset({"Parameters", "Tags", "Options", "Labels"})
_ATTEMPTS = re.compile(r'"Attempts":\s{0,8}')
_DECODER = json.JSONDecoder()
_DEEPEST = 20
_decode = msgspec.json.Decoder(aws.Job).decode


def job_event_of(described: Described, *, id_prefix: str = "api") -> JobEvent | None:
    """Return the event of a job as ``DescribeJobs`` shows it, None if it is no job we understand.

    Its time is when the job came to be as it is, as far as Batch tells.
    """
    try:
        detail = storable(json.dumps(described, default=str).encode())
        job = _decode(detail)
    except (msgspec.DecodeError, TypeError, RecursionError):
        return None
    changed_at = _changed_at(job)
    _, _, _, region, account, *_ = f"{job.job_queue}:::::".split(":")
    envelope = {
        "id": f"{id_prefix}:{job.job_id}:{job.status}:{millis(changed_at)}",
        "detail-type": "Batch Job State Change",
        "account": account,
        "time": changed_at,
        "region": region,
        "detail": msgspec.Raw(detail),
    }
    event = parse(msgspec.json.encode(envelope))
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
    begin = _ATTEMPTS.search(cause)
    try:
        attempts = _DECODER.raw_decode(cause, begin.end())[0] if begin else None
    except (ValueError, RecursionError):
        return {}
    return {"attempts": _respelled(attempts)} if isinstance(attempts, list) else {}


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


def _changed_at(job: aws.Job) -> datetime:
    ready = [job.created_at, *(attempt.stopped_at for attempt in job.attempts or ())]
    if job.status in JOB_ENDS:
        told = [job.stopped_at, *ready]
    elif job.status == "RUNNING":
        told = [job.started_at, *ready]
    else:  # put back to wait when its last attempt ended, as no other field tells
        told = ready
    return moment(max((at for at in told if at is not None), default=0)) or EPOCH
