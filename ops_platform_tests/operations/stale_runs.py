"""Runs whose job could not start: how it was judged, and the events of its end."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ops_platform.domain.cancelling import cancel_reason
from ops_platform.domain.causes import Cause
from ops_platform.domain.diagnosis import Figure
from ops_platform.domain.events import Event, JobEvent
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Decision, Judged, Verdict, Why
from ops_platform.domain.waiting_jobs import WaitingJob
from ops_platform_tests.build_stale import a_diagnosis
from ops_platform_tests.operations.failing_runs import Run

SENTENCE = "The job asks for 999 vCPUs; the most that queue flows has is 4 vCPUs (r5.xlarge)."
ADVICE = "Ask for at most 4 vCPUs: @resources(cpu=4, memory=4096)."
DIAGNOSIS = a_diagnosis(
    Cause.TOO_MANY_VCPUS,
    sentence=SENTENCE,
    advice=ADVICE,
    evidence=(Figure("vCPUs", "999", "at most 4 (r5.xlarge)"),),
)
WAITED = timedelta(minutes=15)
WARNED = Policy(name="rule 1", warn_before=timedelta(minutes=5))


def waiting_job(run: Run, at: datetime, **changes: Any) -> JobEvent:
    """Return the event of the run's first job, which waits since ``WAITED`` before."""
    since = at - WAITED
    told: dict[str, Any] = {
        "id": f"{run.arn}-waits", "job_id": f"stale-{run.name}", "status": "RUNNABLE",
        "created_at": since, "time": since, "stopped_at": None, "exit_code": None,
        "vcpus": 999.0,
    }  # fmt: skip
    return run.failed_job(0, at, **(told | changes))


def judged(run: Run, at: datetime, *, job_id: str | None = None, **changes: Any) -> Judged:
    """Return the judgement of that job at a time: to be cancelled, unless it is changed."""
    since = at - WAITED
    waiting = waiting_job(run, at, job_id=job_id or f"stale-{run.name}")
    given = Judged(
        WaitingJob(Job(run.account, waiting, since)),
        DIAGNOSIS,
        Verdict(Decision.CANCEL, Why.UNFIT, since, at),
        WARNED,
    )
    return replace(given, **changes)


def warning(run: Run, at: datetime, *, why: Why = Why.SOON, due: datetime | None = None) -> Judged:
    """Return the judgement of that job at a time: its owner is to be warned."""
    return judged(run, at, verdict=Verdict(Decision.WARN, why, at - WAITED, due))


def cancelled(
    run: Run, at: datetime, reason: str | None = None, *, job_id: str | None = None
) -> list[Event]:
    """Return the events of a run of which one job was cancelled, and with it two others ended."""
    of_stale = waiting_job(
        run, at, id=f"{run.arn}-{at:%d%H%M%S}-stale", job_id=job_id or f"stale-{run.name}",
        status="FAILED", time=at, stopped_at=at, cancelled=True,
        status_reason=reason or cancel_reason(judged(run, at), at),
    )  # fmt: skip
    return [of_stale, *dragged(run, at), run.execution(at + timedelta(seconds=1), "FAILED")]


def dragged(run: Run, at: datetime) -> list[Event]:
    """Return the events of two jobs that Step Functions ended, one a little sooner than asked."""
    told: dict[str, Any] = {
        "terminated": True, "exit_code": 143, "status_reason": "Aborted by AWS Step Functions",
    }  # fmt: skip
    moments = (at - timedelta(milliseconds=5), at + timedelta(seconds=3))
    return [run.failed_job(n, at, stopped_at=stop, **told) for n, stop in enumerate(moments, 1)]
