"""What a CloudWatch dashboard is made of: sections of plots, each of series that AWS or we publish.

Where AWS publishes a metric, a plot takes it from there, since that is there within minutes. Ours
come once an hour, and tell what AWS cannot: flow, step, owner, instance type, state, cost.
"""

from dataclasses import dataclass
from enum import StrEnum

from ops_platform.domain.job_rollups import JOB_STATES
from ops_platform.domain.metric import Metric
from ops_platform.domain.rollups import metric_of

Where = tuple[tuple[str, str], ...]


class Stat(StrEnum):
    """What CloudWatch makes of the samples of a period.

    Of a level or an age we send two samples an hour, its last value and its greatest; so ``END``
    is how it was at the end of the hour, and ``MOST`` how much there was at most.
    """

    SUM = "Sum"
    AVERAGE = "Average"
    SAMPLES = "SampleCount"
    END = "Minimum"
    MOST = "Maximum"
    P50 = "p50"
    P90 = "p90"
    P99 = "p99"


class Fold(StrEnum):
    """How many series are made one."""

    SUM = "SUM"
    AVERAGE = "AVG"


class View(StrEnum):
    """How CloudWatch draws a plot."""

    LINES = "timeSeries"
    PIE = "pie"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Ours:
    """Series of a metric that we publish, one for each value of the dimensions in ``by``."""

    metric: str
    stat: Stat = Stat.SUM
    by: tuple[str, ...] = ()
    where: Where = ()
    label: str = ""
    fold: Fold | None = None

    @property
    def declared(self) -> Metric:
        """The metric's declaration."""
        return metric_of(self.metric)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that the series carry.

        An account is always told apart, as is what a metric closes: an hour of its zeros is shown.
        """
        closed = [name for name, _ in self.declared.closed]
        wanted = {"account", *closed, *self.by, *dict(self.where)}
        return tuple(name for name in self.declared.dimensions if name in wanted)


@dataclass(frozen=True, slots=True)
class Live:
    """Series of a metric that AWS publishes, one for each value of its one dimension."""

    namespace: str
    metric: str
    dimension: str
    stat: Stat = Stat.SUM
    period: int = 60
    label: str = ""
    fold: Fold | None = None
    a_second: bool = False


Series = Ours | Live


@dataclass(frozen=True, slots=True)
class Plot:
    """A widget; ``unit`` names its axis."""

    title: str
    series: tuple[Series, ...]
    unit: str = "count"
    stacked: bool = False
    view: View = View.LINES

    @property
    def is_live(self) -> bool:
        """Whether all of it comes from AWS."""
        return all(isinstance(each, Live) for each in self.series)


@dataclass(frozen=True, slots=True)
class Section:
    """Plots under a heading."""

    heading: str
    plots: tuple[Plot, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard; ``name`` is the last part of what it is called in CloudWatch."""

    name: str
    purpose: str
    sections: tuple[Section, ...]

    @property
    def plots(self) -> tuple[Plot, ...]:
        """All plots, in order."""
        return tuple(plot for section in self.sections for plot in section.plots)


WORDS = {
    "queue": "job queue",
    "definition": "job definition",
    "instance_type": "instance type",
    "availability_zone": "availability zone",
    "compute_environment": "compute environment",
}


def by_each(
    title: str,
    metric: str,
    *dimensions: str,
    stat: Stat = Stat.SUM,
    where: Where = (),
    unit: str = "count",
) -> tuple[Plot, ...]:
    """Return a plot of a metric of ours by each of the dimensions."""
    return tuple(
        Plot(
            f"{title} by {WORDS.get(each, each)}",
            (Ours(metric, stat, (each,), where),),
            unit=unit,
            stacked=stat is Stat.SUM,
        )
        for each in dimensions
    )


def moved_to(state: str, **more: object) -> Live:
    """Return what AWS publishes of the jobs that come to a state, by queue."""
    name = "JobsSubmitted" if state == JOB_STATES[0] else f"JobsMovedTo{state.capitalize()}"
    return Live("AWS/Batch", name, "JobQueueName", **more)  # type: ignore[arg-type]
