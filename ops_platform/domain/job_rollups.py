"""The metrics of jobs, one entry each.

Names and meanings follow what AWS publishes itself, by queue alone, where it does (``AWS/Batch`` in
Batch's user guide, ``AWS/States`` in that of Step Functions): the parent of an array is not
counted, its children are. A job enters a state once per attempt, however often an event tells it.
What has a moment to the millisecond (RUNNING, the end) happened then; else EventBridge's ``time``
says, in whole seconds.
"""

from ops_platform.domain.metric import (
    Age,
    Count,
    Facts,
    How,
    Level,
    Metric,
    Noun,
    Part,
    Ratio,
    Spread,
    Total,
    Unit,
    Usage,
)

JOB_STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
OPEN_STATES = JOB_STATES[:5]

OF_JOB = ("account", "queue", "definition", "flow", "step", "owner")
OF_ATTEMPT = (*OF_JOB, "instance_type", "availability_zone", "compute_environment")

_COUNT, _MS = Unit.COUNT, Unit.MILLISECONDS


def _jobs(
    name: str,
    how: How,
    description: str,
    *,
    by: tuple[str, ...] = OF_JOB,
    unit: Unit = _COUNT,
    closed: tuple[tuple[str, tuple[str, ...]], ...] = (),
    aws: str | None = None,
) -> Metric:
    return Metric(name, Noun.JOBS, unit, description, by, how, closed, aws)


_TRANSITIONS = (
    _jobs(
        "job_transitions",
        Count(Facts.TRANSITIONS),
        "Jobs that came to a state. AWS tells no submission: see jobs_submitted.",
        by=(*OF_ATTEMPT, "state"),
        closed=(("state", JOB_STATES),),
        aws="JobsMovedTo*",
    ),
    _jobs(
        "jobs_submitted",
        Count(Facts.SUBMISSIONS),
        "Jobs that were submitted, as their later events tell.",
        aws="JobsSubmitted",
    ),
    _jobs(
        "job_retries",
        Count(Facts.RETRIES),
        "Attempts after the first that became RUNNABLE.",
        aws="JobsRetried",
    ),
    _jobs(
        "jobs_failed",
        Count(Facts.FAILURES),
        "Jobs that failed, by why.",
        by=(*OF_ATTEMPT, "reason"),
    ),
    _jobs(
        "jobs_cancelled",
        Count(Facts.FAILURES, where="cancelled"),
        "Failed jobs whose cancellation somebody had asked for.",
        aws="JobsCancelled",
    ),
    _jobs(
        "jobs_terminated",
        Count(Facts.FAILURES, where="terminated"),
        "Failed jobs whose termination somebody had asked for.",
        aws="JobsTerminated",
    ),
    _jobs(
        "jobs_cancelled_as_stale",
        Count(Facts.FAILURES, where="stale"),
        "Jobs that this platform cancelled, because they could not start.",
    ),
    _jobs(
        "queue_blocks",
        Count(Facts.QUEUE_BLOCKS),
        "Batch's notices that a job at the head of its queue blocks it.",
    ),
)

_DURATIONS = (
    _jobs(
        "job_submitted_to_runnable_ms",
        Spread(Facts.READIES, "waited_ms"),
        "From submission to RUNNABLE for the first time; of the jobs that came to be RUNNABLE.",
        unit=_MS,
        aws="JobSubmittedToRunnableDuration",
    ),
    _jobs(
        "job_submitted_to_starting_ms",
        Spread(Facts.PLACEMENTS, "since_submitted_ms", where="first"),
        "From submission to STARTING for the first time.",
        by=OF_ATTEMPT,
        unit=_MS,
        aws="JobSubmittedToFirstStartingDuration",
    ),
    _jobs(
        "attempt_runnable_to_starting_ms",
        Spread(Facts.PLACEMENTS, "waited_ms"),
        "From RUNNABLE to STARTING, of each attempt.",
        by=OF_ATTEMPT,
        unit=_MS,
        aws="JobAttemptRunnableToStartingDuration",
    ),
    _jobs(
        "attempt_starting_to_running_ms",
        Spread(Facts.STARTS, "waited_ms"),
        "From STARTING to RUNNING, of each attempt: the host's part and the pull of the image.",
        by=OF_ATTEMPT,
        unit=_MS,
        aws="JobAttemptStartingToRunningDuration",
    ),
    _jobs(
        "attempt_running_ms",
        Spread(Facts.ATTEMPT_ENDS, "running_ms"),
        "From RUNNING to its end, of each attempt that ran.",
        by=(*OF_ATTEMPT, "outcome"),
        unit=_MS,
        aws="JobAttemptExecutionDuration",
    ),
    _jobs(
        "attempt_ms",
        Spread(Facts.ATTEMPT_ENDS, "total_ms"),
        "From STARTING to its end, of each attempt.",
        by=(*OF_ATTEMPT, "outcome"),
        unit=_MS,
        aws="JobAttemptDuration",
    ),
    _jobs(
        "job_running_ms",
        Spread(Facts.JOB_ENDS, "running_ms"),
        "From RUNNING to the end, of the last attempt of each job that ran.",
        by=(*OF_ATTEMPT, "status"),
        unit=_MS,
    ),
    _jobs(
        "job_ms",
        Spread(Facts.JOB_ENDS, "total_ms"),
        "From submission to the end, of each job.",
        by=(*OF_ATTEMPT, "status"),
        unit=_MS,
    ),
    _jobs(
        "job_waiting_ms",
        Spread(Facts.JOB_ENDS, "waiting_ms"),
        "Of that, the time in which no attempt ran.",
        by=(*OF_ATTEMPT, "status"),
        unit=_MS,
    ),
    _jobs(
        "job_wait_share",
        Ratio(Part("job_waiting_ms"), Part("job_ms")),
        "How much of their time the jobs that ended had waited.",
        by=(*OF_ATTEMPT, "status"),
        unit=Unit.SHARE,
    ),
)

_LEVELS = (
    _jobs(
        "jobs_in_state",
        Level(Facts.STATES),
        "Jobs that were in a state.",
        by=(*OF_JOB, "state"),
        closed=(("state", OPEN_STATES),),
    ),
    _jobs(
        "oldest_runnable_ms",
        Age(Facts.RUNNABLE),
        "How long the job that waited longest had been RUNNABLE in its attempt.",
        unit=_MS,
    ),
    _jobs(
        "vcpus_reserved",
        Level(Facts.RESERVATIONS, "vcpus"),
        "vCPUs of the attempts that were STARTING or RUNNING.",
        by=OF_ATTEMPT,
        unit=Unit.VCPUS,
    ),
    _jobs(
        "memory_reserved_mib",
        Level(Facts.RESERVATIONS, "memory_mib"),
        "Memory of the attempts that were STARTING or RUNNING.",
        by=OF_ATTEMPT,
        unit=Unit.MIB,
    ),
)

_COSTS = (
    _jobs(
        "vcpu_hours",
        Usage(Facts.RESERVATIONS, "vcpus"),
        "vCPUs that were reserved, times the hours.",
        by=OF_ATTEMPT,
        unit=Unit.VCPU_HOURS,
    ),
    _jobs(
        "gib_hours",
        Usage(Facts.RESERVATIONS, "memory_gib"),
        "Memory that was reserved, times the hours.",
        by=OF_ATTEMPT,
        unit=Unit.GIB_HOURS,
    ),
    _jobs(
        "cost_usd",
        Usage(Facts.RESERVATIONS, "usd_an_hour"),
        "What that is worth by the price table of the settings: an estimate.",
        by=OF_ATTEMPT,
        unit=Unit.USD,
    ),
    _jobs(
        "wasted_cost_usd",
        Total(Facts.ATTEMPT_ENDS, "cost_usd", where="failed"),
        "The whole estimated cost of attempts that failed or were ended, in the hour they ended.",
        by=OF_ATTEMPT,
        unit=Unit.USD,
    ),
)

JOB_METRICS = (*_TRANSITIONS, *_DURATIONS, *_LEVELS, *_COSTS)
