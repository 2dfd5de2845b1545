"""Judgements over waiting jobs, to be recorded."""

from datetime import timedelta
from typing import Any

from ops_platform.domain.causes import Cause
from ops_platform.domain.diagnosis import Diagnosis, Figure
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Decision, Judged, Verdict, Why
from ops_platform.domain.waiting_jobs import WaitingJob
from ops_platform_tests.build import ACCOUNT, NOON, a_job_event

UNFIT = Diagnosis(
    Cause.TOO_MANY_VCPUS,
    "It asks for 999 vCPUs; the largest instance has 4.",
    "Ask for at most 4 vCPUs.",
    (Figure("vCPUs", "999", "4"),),
    blocker="8f2c",
)


def a_judgement(decision: Decision = Decision.CANCEL, **changes: Any) -> Judged:
    """Return the judgement over a job that fits nothing, with changes to the job."""
    since = changes.pop("since", NOON)
    verdict = Verdict(decision, Why.UNFIT, since, since + timedelta(minutes=15))
    job = Job(changes.pop("account", ACCOUNT), a_job_event(**changes))
    return Judged(WaitingJob(job), UNFIT, verdict, Policy())
