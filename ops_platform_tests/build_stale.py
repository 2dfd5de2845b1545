"""Builders of jobs that wait, of the queues they wait in, and of judgements over them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from ops_platform.domain.capacity import Environment, InstanceType, Platform, Position, Queue, Size
from ops_platform.domain.causes import Cause, Fault
from ops_platform.domain.diagnosis import Diagnosis, Figure
from ops_platform.domain.events import JobEvent
from ops_platform.domain.lifecycle import Job, advance_job
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Decision, Judged, Verdict, Why
from ops_platform.domain.waiting_jobs import WaitingJob
from ops_platform_tests.build import ACCOUNT, ACCOUNT_ID, NOON, REGION, a_job_event

_ENVIRONMENT = f"arn:aws:batch:{REGION}:{ACCOUNT_ID}:compute-environment/"
_QUEUE = f"arn:aws:batch:{REGION}:{ACCOUNT_ID}:job-queue/"
UNFIT = Diagnosis(
    Cause.TOO_MANY_VCPUS,
    "It asks for 999 vCPUs; the largest instance has 4.",
    "Ask for at most 4 vCPUs.",
    (Figure("vCPUs", "999", "4"),),
    blocker="8f2c",
)
LARGE = InstanceType("r5.large", Size(2, 15_500), is_registered=True)
XLARGE = InstanceType("r5.xlarge", Size(4, 31_300), is_registered=True)


def a_waiting_job(*events: JobEvent, account: str = ACCOUNT, **known: Any) -> WaitingJob:
    """Return a described job of which these events are known; one that became RUNNABLE at noon."""
    state: Job | None = None
    for event in events or (a_job_event(),):
        state = advance_job(state, event, account)
    assert state is not None
    return WaitingJob(state, **{"tags": {}, "parameters": {}, **known})


def a_diagnosis(cause: Cause = Cause.UNKNOWN, **changes: Any) -> Diagnosis:
    """Return a diagnosis of that cause."""
    told = {"sentence": f"It does not start: {cause}.", "advice": "Change it.", **changes}
    return Diagnosis(cause, **told)


def with_fault(fault: Fault) -> Diagnosis:
    """Return a diagnosis that lays the blame there."""
    return a_diagnosis(next(cause for cause in Cause if cause.fault is fault))


def an_environment(name: str = "spot", **changes: Any) -> Environment:
    """Return an environment in order, with up to 16 vCPUs of two types."""
    given: dict[str, Any] = {
        "arn": f"{_ENVIRONMENT}{name}",
        "state": "ENABLED",
        "status": "VALID",
        "status_reason": "ComputeEnvironment Healthy",
        "platform": Platform.EC2,
        "max_vcpus": 16,
        "desired_vcpus": 0,
        "configured": ("r5.large", "r5.xlarge"),
        "types": (LARGE, XLARGE),
    }
    return Environment(**{**given, **changes})


def a_queue(name: str = "flows", *environments: Environment, **changes: Any) -> Queue:
    """Return a queue in order, with the given environments or one."""
    given: dict[str, Any] = {
        "arn": f"{_QUEUE}{name}",
        "state": "ENABLED",
        "status": "VALID",
        "status_reason": "JobQueue Healthy",
        "environments": environments or (an_environment(),),
    }
    return Queue(**{**given, **changes})


def positions(job_ids: Iterable[str], **known: Any) -> list[Position]:
    """Return the front of a queue, all where they are since the same moment."""
    return [Position(job_id, known.get("since")) for job_id in job_ids]


def a_judgement(decision: Decision = Decision.CANCEL, **changes: Any) -> Judged:
    """Return the judgement over a job that fits nothing, with changes to the job."""
    since = changes.pop("since", NOON)
    verdict = Verdict(decision, Why.UNFIT, since, since + timedelta(minutes=15))
    job = Job(changes.pop("account", ACCOUNT), a_job_event(**changes))
    return Judged(WaitingJob(job), UNFIT, verdict, Policy())
