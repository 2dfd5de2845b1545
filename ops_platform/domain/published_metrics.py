"""Which series of the metrics are published: those that a dashboard shows, and no others.

CloudWatch asks a price for each combination of dimensions; so a metric is published in cuts, each a
small set of its dimensions: as a whole, and by each of the chosen ones.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ops_platform.domain.dashboards import DASHBOARDS
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.metric import Metric
from ops_platform.domain.widgets import Dashboard, Ours, Plot

WHAT = frozenset({"account", "state", "status", "reason", "kind", "verdict"})
"""Dimensions of few values that say what happened, and where; nobody has to choose them."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A metric, summed up to some of its dimensions."""

    metric: Metric
    dimensions: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it is of an account as a whole: then its zeros are published, too."""
        closed = {name for name, _ in self.metric.closed}
        return set(self.dimensions) <= {"account", *closed}


def shown(dashboards: Iterable[Dashboard] = DASHBOARDS) -> list[Ours]:
    """Return the series of ours that dashboards show."""
    plots = (plot for each in dashboards for plot in each.plots)
    return [series for plot in plots for series in plot.series if isinstance(series, Ours)]


CHOICES = tuple(sorted({name for each in shown() for name in each.dimensions} - WHAT))
"""The dimensions by which a dashboard shows anything: what the settings may choose from."""


def cuts(dimensions: Collection[str]) -> list[Cut]:
    """Return what is published if these dimensions are chosen, each once.

    Raises:
        PlatformError: A dimension is none that a dashboard shows.
    """
    unknown = sorted(set(dimensions) - WHAT - set(CHOICES))
    if unknown:
        raise PlatformError(
            f"No dashboard shows anything by {unknown[0]!r}, so it is not published."
            f" Choose from: {', '.join(CHOICES)}."
        )
    wanted = [each for each in shown() if is_published(each, dimensions)]
    return list(dict.fromkeys(Cut(each.declared, each.dimensions) for each in wanted))


def is_published(series: Ours, dimensions: Collection[str]) -> bool:
    """Tell whether a series is published if these dimensions are chosen."""
    return set(series.dimensions) <= WHAT | set(dimensions)


def left_empty(dashboard: Dashboard, dimensions: Collection[str]) -> dict[str, list[str]]:
    """Return the titles of plots that stay empty, by the dimension that is not published."""
    found: dict[str, list[str]] = {}
    for plot in dashboard.plots:
        for name in _missing(plot, dimensions):
            found.setdefault(name, []).append(plot.title)
    return found


def _missing(plot: Plot, dimensions: Collection[str]) -> list[str]:
    ours = [each for each in plot.series if isinstance(each, Ours)]
    names = {name for each in ours for name in each.dimensions}
    return sorted(names - WHAT - set(dimensions))
