"""What is shown of each noun's rollups: its charts, and a table of what there was most of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ops_platform.domain.metric import Noun


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers of a metric over time as lines, or those of the newest hour or day as bars.

    There is one line, or bar, for each value of ``by``, or else for each of ``fields``.
    """

    title: str
    metric: str
    fields: tuple[str, ...]
    by: str | None = None
    shape: Literal["lines", "bars"] = "lines"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: a number of a metric, of those rows that have certain values."""

    name: str
    metric: str
    number: str
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Top:
    """A table: one row for each group, the greatest by its first column that differs first."""

    by: tuple[str, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown of a noun."""

    charts: tuple[Chart, ...]
    top: Top


_QUANTILES = ("p50", "p90", "p99")
PAGES: Final[Mapping[Noun, Page]] = {
    Noun.JOBS: Page(
        (
            Chart("Jobs in each state, at most at once", "jobs_in_state", ("max",), by="state"),
            Chart("RUNNABLE to STARTING", "attempt_runnable_to_starting_ms", _QUANTILES),
            Chart("RUNNING to the end", "job_running_ms", _QUANTILES),
            Chart("Failures by reason", "jobs_failed", ("count",), by="reason", shape="bars"),
        ),
        Top(
            ("account", "flow"),
            (
                Column("failed", "jobs_failed", "count"),
                Column("ended", "job_ms", "count"),
                Column("running p50", "job_running_ms", "p50"),
                Column("running p90", "job_running_ms", "p90"),
                Column("waiting p90", "attempt_runnable_to_starting_ms", "p90"),
                Column("cost", "cost_usd", "sum"),
                Column("wasted", "wasted_cost_usd", "sum"),
            ),
        ),
    ),
    Noun.EXECUTIONS: Page(
        (
            Chart("Executions that came to a status", "executions", ("count",), by="status"),
            Chart("Start to end", "execution_ms", _QUANTILES),
            Chart("Executions running, at most at once", "executions_running", ("max",), "account"),
        ),
        Top(
            ("account", "flow"),
            (
                Column("failed", "executions", "count", {"status": "FAILED"}),
                Column("timed out", "executions", "count", {"status": "TIMED_OUT"}),
                Column("aborted", "executions", "count", {"status": "ABORTED"}),
                Column("succeeded", "executions", "count", {"status": "SUCCEEDED"}),
                Column("p50", "execution_ms", "p50"),
                Column("p90", "execution_ms", "p90"),
                Column("lost", "execution_time_lost_ms", "sum"),
            ),
        ),
    ),
    Noun.INSTANCES: Page(
        (
            Chart("Instances up, at most at once", "instances_up", ("max",), by="instance_type"),
            Chart("vCPUs of these", "instance_vcpus", ("max",), by="instance_type"),
            Chart("Lifetimes", "instance_lifetime_ms", _QUANTILES),
        ),
        Top(
            ("account", "instance_type", "availability_zone"),
            (
                Column("up", "instances_up", "max"),
                Column("registered", "instances_registered", "count"),
                Column("deregistered", "instances_deregistered", "count"),
                Column("lifetime p50", "instance_lifetime_ms", "p50"),
            ),
        ),
    ),
    Noun.PLATFORM: Page(
        (
            Chart("Events ingested", "events_ingested", ("count",), by="kind"),
            Chart("How late events are stored", "event_lag_ms", _QUANTILES),
            Chart("Jobs the cleanup acted on", "stale_jobs", ("count",), "outcome", "bars"),
        ),
        Top(
            ("account", "kind"),
            (
                Column("events", "events_ingested", "count"),
                Column("lag p50", "event_lag_ms", "p50"),
                Column("lag p99", "event_lag_ms", "p99"),
            ),
        ),
    ),
}
