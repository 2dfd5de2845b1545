"""The dashboards of jobs: where they are placed, the states they come to, how long they take."""

from ops_platform.domain.job_rollups import JOB_STATES
from ops_platform.domain.widgets import (
    Dashboard,
    Fold,
    Live,
    Ours,
    Plot,
    Section,
    Stat,
    View,
    by_each,
    moved_to,
)

_HOST = ("instance_type", "availability_zone", "compute_environment")
_TIMED = ("definition", "queue", "instance_type", "availability_zone")
_COMMON = ("RUNNING", "SUCCEEDED", "FAILED", "RUNNABLE", "STARTING", "PENDING")
_MS = "milliseconds"


def _of_queue(title: str, metric: str, stat: Stat = Stat.SUM, unit: str = "count") -> Plot:
    series = Live("AWS/Batch", metric, "JobQueueName", stat)
    return Plot(f"{title} by job queue (live)", (series,), unit, stacked=stat is Stat.SUM)


def _came(state: str, *dimensions: str) -> tuple[Plot, ...]:
    return by_each(state, "job_transitions", *dimensions, where=(("state", state),))


def _came_in_queue(state: str) -> Plot:
    return Plot(f"{state} by job queue (live)", (moved_to(state),), stacked=True)


_CALLS = "JobAttemptRunnableToStartingDuration"
_STARTING = (("state", "STARTING"),)

PLACEMENT = Dashboard(
    "jobs-placement",
    "How attempts get a place to run; Batch calls RunTask once for each attempt it places.",
    (
        Section(
            "All jobs, as they are placed",
            (
                Plot(
                    "RunTask calls a second (live)",
                    (
                        Live(
                            "AWS/Batch",
                            _CALLS,
                            "JobQueueName",
                            Stat.SAMPLES,
                            fold=Fold.SUM,
                            a_second=True,
                            label="attempts placed",
                        ),
                    ),
                ),
                Plot(
                    "Jobs placed a second (live)",
                    (moved_to("STARTING", fold=Fold.SUM, a_second=True, label="jobs placed"),),
                ),
                _of_queue("RunTask calls", _CALLS, Stat.SAMPLES),
            ),
        ),
        Section(
            "Where they are placed",
            (
                *by_each(
                    "RunTask calls",
                    "attempt_runnable_to_starting_ms",
                    "compute_environment",
                    stat=Stat.SAMPLES,
                ),
                *by_each("Jobs placed", "job_transitions", *_HOST, where=_STARTING),
                Plot("Jobs placed by job queue (live)", (moved_to("STARTING"),), stacked=True),
                *by_each("Jobs placed", "job_transitions", "flow", "owner", where=_STARTING),
            ),
        ),
        Section(
            "How long they wait for a place",
            (
                _of_queue("RUNNABLE to STARTING, p90,", _CALLS, Stat.P90, _MS),
                *by_each(
                    "RUNNABLE to STARTING, p90,",
                    "attempt_runnable_to_starting_ms",
                    "flow",
                    "instance_type",
                    stat=Stat.P90,
                    unit=_MS,
                ),
                *by_each(
                    "Oldest RUNNABLE job", "oldest_runnable_ms", "queue", stat=Stat.END, unit=_MS
                ),
                *by_each(
                    "Jobs RUNNABLE at the end of the hour",
                    "jobs_in_state",
                    "queue",
                    stat=Stat.END,
                    where=(("state", "RUNNABLE"),),
                ),
                *by_each("Blocked-queue notices", "queue_blocks", "queue"),
            ),
        ),
    ),
)

STATES = Dashboard(
    "jobs-states",
    "The states that jobs come to, and which jobs they are.",
    (
        Section(
            "All jobs",
            (
                Plot(
                    "Job state transitions (live)",
                    tuple(moved_to(each, fold=Fold.SUM, label=each) for each in JOB_STATES),
                ),
                Plot("Job state transitions", (Ours("job_transitions", by=("state",)),)),
                Plot(
                    "Jobs in each state at the end of the hour",
                    (Ours("jobs_in_state", Stat.END, by=("state",)),),
                    stacked=True,
                ),
            ),
        ),
        Section("By job queue", tuple(map(_came_in_queue, _COMMON))),
        Section(
            "By where they run",
            tuple(
                plot
                for state in ("RUNNING", "SUCCEEDED", "FAILED")
                for plot in _came(state, *_HOST)
            ),
        ),
        Section(
            "By job definition",
            tuple(plot for each in _COMMON for plot in _came(each, "definition")),
        ),
        Section(
            "By flow and owner",
            tuple(
                plot
                for state in ("RUNNING", "SUCCEEDED", "FAILED")
                for plot in _came(state, "flow", "owner")
            ),
        ),
        Section(
            "Why jobs fail",
            (
                *by_each("Failed jobs", "jobs_failed", "reason"),
                *by_each("Retries", "job_retries", "queue", "flow"),
                Plot(
                    "Cancelled, terminated, cancelled as stale",
                    (
                        Ours("jobs_cancelled", label="cancelled"),
                        Ours("jobs_terminated", label="terminated"),
                        Ours("jobs_cancelled_as_stale", label="as stale"),
                    ),
                ),
            ),
        ),
    ),
)

_WAITED, _RAN = "job_waiting_ms", "job_running_ms"


def _timed(title: str, metric: str, unit: str = _MS) -> tuple[Plot, ...]:
    return by_each(title, metric, *_TIMED, "flow", stat=Stat.AVERAGE, unit=unit)


TIMINGS = (
    Section(
        "How long jobs wait and run",
        (
            Plot(
                "Wait and run time, all jobs",
                (
                    Ours(_WAITED, Stat.AVERAGE, label="wait"),
                    Ours(_RAN, Stat.AVERAGE, label="run"),
                ),
                _MS,
                stacked=True,
            ),
            Plot(
                "Wait against run time",
                (
                    Ours(_WAITED, label="wait", fold=Fold.SUM),
                    Ours(_RAN, label="run", fold=Fold.SUM),
                ),
                _MS,
                view=View.PIE,
            ),
            Plot(
                "Wait share now",
                (Ours("job_wait_share", Stat.AVERAGE, fold=Fold.AVERAGE, label="wait share"),),
                "share",
                view=View.GAUGE,
            ),
            Plot("Wait share", (Ours("job_wait_share", Stat.AVERAGE),), "share"),
            _of_queue("Run time, p90,", "JobAttemptExecutionDuration", Stat.P90, _MS),
            *by_each("Run time, p90,", _RAN, "flow", stat=Stat.P90, unit=_MS),
            *_timed("Wait time", _WAITED),
            *_timed("Run time", _RAN),
            *_timed("Wait share", "job_wait_share", "share"),
        ),
    ),
)
