"""Schedules that run a job each interval, one run at a time."""

from datetime import timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from ops_platform.clock import now

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_HOUR = 60


def each_interval(
    job: dg.JobDefinition | UnresolvedAssetJobDefinition, *, minutes: int
) -> dg.ScheduleDefinition:
    """Return the schedule that runs a job each interval, unless its last run is still at work."""

    @dg.schedule(
        job=job,
        name=f"{job.name}_schedule",
        cron_schedule=f"*/{minutes} * * * *" if minutes < _HOUR else "0 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def unless_at_work(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        # A run that was killed stays unfinished for ever; none works longer than an interval.
        since = now() - 2 * timedelta(minutes=minutes)
        at_work = dg.RunsFilter(job_name=job.name, statuses=_UNFINISHED, created_after=since)
        if context.instance.get_runs(at_work, limit=1):
            return dg.SkipReason("The last run is still at work.")
        return dg.RunRequest()

    return unless_at_work
