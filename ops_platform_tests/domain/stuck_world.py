"""A job in a queue, as `diagnose` is shown them: each test changes what it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ops_platform.domain.capacity import (
    Environment,
    Holder,
    InstanceType,
    Position,
    Queue,
    Situation,
    Size,
)
from ops_platform.domain.causes import Cause
from ops_platform.domain.diagnosis import Diagnosis, diagnose
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.waiting_jobs import WaitingJob
from ops_platform_tests.build import NOON, a_job_event, after
from ops_platform_tests.build_stale import a_queue, a_waiting_job

HOUR = 3600
NOW = after(3 * HOUR)
ME = "5b0e9d3c-job"
OFFERED = (
    InstanceType("r5.large", Size(2, 16_384)),
    InstanceType("r5.xlarge", Size(4, 32_768)),
    InstanceType("m5.24xlarge", Size(96, 393_216)),
    InstanceType("m6g.4xlarge", Size(16, 65_536)),
    InstanceType("m6g.16xlarge", Size(64, 262_144)),
    InstanceType("r5.4xlarge", Size(16, 131_072)),
    InstanceType("g4dn.xlarge", Size(4, 16_384, 1)),
    InstanceType("c5.metal", Size(96, 196_608)),
)
HOLDERS = (
    Holder("TrainFlow", "ana", 8, 4),
    Holder("ScoreFlow", "bob", 4, 4),
    Holder(None, None, 3, 1),
    Holder("SmallFlow", "eve", 1, 1),
)
AT_HEAD = (Position(ME, NOON), Position("next", NOON))
BEHIND = (Position("first", NOON), Position("second", NOON), Position(ME, NOON))
# The end of a sentence, whose first letter depends on where in it that stands.
STILL = "ueue flows has not moved for 3 h"


@dataclass(frozen=True, slots=True)
class Row:
    """A job, its queue and what Batch says; then the sentence, and how the advice begins."""

    cause: Cause
    waiting: WaitingJob
    situation: Situation
    sentence: str
    advice: str
    said: str | None = None


def situation(*environments: Environment, queue: Queue | None = None, **known: Any) -> Situation:
    """Return a queue that has not moved since noon, with this job at its head."""
    given: dict[str, Any] = {
        "queue": queue or a_queue("flows", *environments),
        "front": AT_HEAD,
        "started_at": None,
    }
    return Situation(**{**given, **known})


def lately(**known: Any) -> Situation:
    """Return a queue of which a job started five minutes ago."""
    return situation(**{"started_at": NOW - timedelta(minutes=5), **known})


def asking(
    vcpus: float = 1, memory: int = 4096, gpus: int | None = None, **changes: Any
) -> WaitingJob:
    """Return a job that asks for so much."""
    known = {name: changes.pop(name) for name in ("depends_on", "share") if name in changes}
    event = a_job_event(vcpus=vcpus, memory_mib=memory, gpus=gpus, **changes)
    return a_waiting_job(event, **known)


def diagnosed(
    waiting: WaitingJob,
    found: Situation,
    *,
    said: str | None = None,
    offered: Sequence[InstanceType] = OFFERED,
) -> Diagnosis:
    """Return the diagnosis three hours past noon."""
    return diagnose(waiting, found, policy=Policy(), offered=offered, status_reason=said, now=NOW)


def nominal(name: str, vcpus: float, memory: int, gpus: int = 0) -> InstanceType:
    """Return an instance type of which only EC2's figures are known."""
    return InstanceType(name, Size(vcpus, memory, gpus))
