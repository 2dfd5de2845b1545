"""The metrics, one entry each: those of jobs are ``job_rollups``, all others are here."""

from collections.abc import Iterable

from ops_platform.domain.errors import PlatformError
from ops_platform.domain.job_rollups import JOB_METRICS
from ops_platform.domain.metric import (
    Count,
    Facts,
    Level,
    Metric,
    Noun,
    Part,
    Ratio,
    Spread,
    Total,
    Unit,
)

EXECUTION_ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
EXECUTION_STATES = ("RUNNING", *EXECUTION_ENDS)
OF_RUN = ("account", "project", "branch", "flow", "owner")
OF_INSTANCE = ("account", "instance_type", "availability_zone", "compute_environment")
OF_STALE_JOB = ("account", "queue", "flow", "step", "owner", "verdict", "outcome")

_EXECUTIONS = (
    Metric(
        "executions",
        Noun.EXECUTIONS,
        Unit.COUNT,
        "Executions that came to a status; RUNNING is a start, or a redrive.",
        (*OF_RUN, "status"),
        Count(Facts.EXECUTION_MOVES),
        (("status", EXECUTION_STATES),),
        "Executions*",
    ),
    Metric(
        "executions_running",
        Noun.EXECUTIONS,
        Unit.COUNT,
        "Executions that were running.",
        OF_RUN,
        Level(Facts.EXECUTIONS_RUNNING),
    ),
    Metric(
        "execution_ms",
        Noun.EXECUTIONS,
        Unit.MILLISECONDS,
        "From the start, or the last redrive, of an execution to its end.",
        (*OF_RUN, "status"),
        Spread(Facts.EXECUTION_ENDS, "total_ms"),
        aws="ExecutionTime",
    ),
    Metric(
        "execution_success_rate",
        Noun.EXECUTIONS,
        Unit.SHARE,
        "How many of the executions that ended had succeeded.",
        OF_RUN,
        Ratio(
            Part("executions", (("status", ("SUCCEEDED",)),)),
            Part("executions", (("status", EXECUTION_ENDS),)),
        ),
    ),
    Metric(
        "execution_time_lost_ms",
        Noun.EXECUTIONS,
        Unit.MILLISECONDS,
        "The time of executions that ended without success.",
        (*OF_RUN, "status"),
        Total(Facts.EXECUTION_ENDS, "total_ms", where="failed"),
    ),
)

_INSTANCES = (
    Metric(
        "instances_registered",
        Noun.INSTANCES,
        Unit.COUNT,
        "Container instances that registered with a cluster.",
        OF_INSTANCE,
        Count(Facts.REGISTRATIONS),
    ),
    Metric(
        "instances_deregistered",
        Noun.INSTANCES,
        Unit.COUNT,
        "Container instances that left their cluster.",
        OF_INSTANCE,
        Count(Facts.DEREGISTRATIONS),
    ),
    Metric(
        "instance_lifetime_ms",
        Noun.INSTANCES,
        Unit.MILLISECONDS,
        "From registering to leaving.",
        OF_INSTANCE,
        Spread(Facts.DEREGISTRATIONS, "lifetime_ms"),
    ),
    Metric(
        "instances_up",
        Noun.INSTANCES,
        Unit.COUNT,
        "Container instances that were registered.",
        OF_INSTANCE,
        Level(Facts.INSTANCES_UP),
    ),
    Metric(
        "instance_vcpus",
        Noun.INSTANCES,
        Unit.VCPUS,
        "vCPUs of the container instances that were registered.",
        OF_INSTANCE,
        Level(Facts.INSTANCES_UP, "vcpus"),
    ),
)

_PLATFORM = (
    Metric(
        "events_ingested",
        Noun.PLATFORM,
        Unit.COUNT,
        "Events of this hour that the platform has stored.",
        ("account", "kind"),
        Count(Facts.EVENTS),
    ),
    Metric(
        "event_lag_ms",
        Noun.PLATFORM,
        Unit.MILLISECONDS,
        "From the time an event carries, which has whole seconds, to when it was stored.",
        ("account", "kind"),
        Spread(Facts.EVENTS, "lag_ms"),
    ),
    Metric(
        "messages_rejected",
        Noun.PLATFORM,
        Unit.COUNT,
        "Different messages, seen for the first time, that were no event.",
        (),
        Count(Facts.REJECTIONS),
    ),
    Metric(
        "alerts_sent",
        Noun.PLATFORM,
        Unit.COUNT,
        "Alerts that Slack took; later edits are not counted.",
        ("account", "flow", "owner", "kind", "channel"),
        Count(Facts.ALERTS, where="sent"),
    ),
    Metric(
        "alerts_dead",
        Noun.PLATFORM,
        Unit.COUNT,
        "Alerts that were given up, by the hour in which they were due.",
        ("account", "flow", "owner", "kind", "channel"),
        Count(Facts.ALERTS, where="dead"),
    ),
    Metric(
        "stale_jobs",
        Noun.PLATFORM,
        Unit.COUNT,
        "Jobs that the cleanup acted on, by its verdict and what came of it.",
        OF_STALE_JOB,
        Count(Facts.STALE_JOBS),
    ),
)

METRICS = {metric.name: metric for metric in (*JOB_METRICS, *_EXECUTIONS, *_INSTANCES, *_PLATFORM)}


def metric_of(name: str) -> Metric:
    """Return the metric of that name.

    Raises:
        PlatformError: There is none; the text names those that there are.
    """
    if name not in METRICS:
        raise PlatformError(f"There is no metric {name!r}. There are: {', '.join(METRICS)}.")
    return METRICS[name]


def stored(noun: Noun | None = None) -> list[Metric]:
    """Return the metrics, of a noun or all, that rows are kept of: a ratio is made when read."""
    return [
        metric
        for metric in METRICS.values()
        if noun in (None, metric.noun) and not isinstance(metric.how, Ratio)
    ]


def check_dimensions(metric: Metric, by: Iterable[str]) -> None:
    """Refuse dimensions that the metric does not have.

    Raises:
        PlatformError: The text names those that it has.
    """
    unknown = [name for name in by if name not in metric.dimensions]
    if unknown:
        has = ", ".join(metric.dimensions) or "none"
        raise PlatformError(f"{metric.name} has no dimension {unknown[0]!r}. It has: {has}.")
