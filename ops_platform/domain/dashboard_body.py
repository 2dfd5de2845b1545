"""A dashboard as CloudWatch takes it: the JSON of its widgets, and where they stand.

Our series are searched for by their dimensions, so that a flow that is new shows by itself. What
searches find is at most 500 series, of metrics that had values within the last two weeks.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ops_platform.domain.published_metrics import left_empty
from ops_platform.domain.widgets import WORDS, Dashboard, Fold, Live, Ours, Plot, Series, View

HOUR: Final = 3600
PREFIX: Final = "ops-platform"
_COLUMNS, _WIDTH, _HEIGHT, _HEADER = 3, 8, 6, 4
_BOUNDED = {"share": {"min": 0, "max": 1}, "percent": {"min": 0, "max": 100}}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published where: the widgets of ours find nothing else."""

    region: str
    namespace: str
    dimensions: tuple[str, ...]
    publish: bool

    def name_of(self, dashboard: Dashboard) -> str:
        """Return what the dashboard is called; dashboards are global, so the region is told."""
        return f"{PREFIX}-{self.region}-{dashboard.name}"


def body(dashboard: Dashboard, of: Publication) -> str:
    """Return the dashboard as JSON, the same text for the same declarations."""
    widgets = [_text(_header(dashboard, of), y=0, height=_HEADER)]
    widgets += _below(dashboard, of, top=_HEADER)
    whole = {"start": "-P3D", "periodOverride": "inherit", "widgets": widgets}
    return json.dumps(whole, indent=1, sort_keys=True)


def _below(dashboard: Dashboard, of: Publication, *, top: int) -> Iterator[Json]:
    for section in dashboard.sections:
        yield _text(f"## {section.heading}", y=top, height=1)
        top += 1
        for number, plot in enumerate(section.plots):
            row, column = divmod(number, _COLUMNS)
            yield _metric(plot, of, x=column * _WIDTH, y=top + row * _HEIGHT)
        top += -(-len(section.plots) // _COLUMNS) * _HEIGHT


def _text(markdown: str, *, y: int, height: int) -> Json:
    place = {"x": 0, "y": y, "width": _COLUMNS * _WIDTH, "height": height}
    return {"type": "text", **place, "properties": {"markdown": markdown}}


def _metric(plot: Plot, of: Publication, *, x: int, y: int) -> Json:
    metrics = [
        [
            {
                "id": f"e{number}",
                "expression": search(each, of),
                "label": _label(each),
                **_period(each),
            }
        ]
        for number, each in enumerate(plot.series)
    ]
    properties: Json = {
        "title": plot.title,
        "region": of.region,
        "view": plot.view.value,
        "stacked": plot.stacked,
        "metrics": metrics,
        "period": max(_period(each)["period"] for each in plot.series),
        "yAxis": {"left": {"label": plot.unit, "showUnits": False, **_BOUNDED.get(plot.unit, {})}},
    }
    if plot.view is not View.LINES:
        properties["setPeriodToTimeRange"] = False
    place = {"x": x, "y": y, "width": _WIDTH, "height": _HEIGHT}
    return {"type": "metric", **place, "properties": properties}


def search(series: Series, of: Publication) -> str:
    """Return the expression that finds the series."""
    found = _search_ours(series, of) if isinstance(series, Ours) else _search_live(series)
    folded = found if series.fold is None else f"{series.fold.value}({found})"
    return f"{folded}/{series.period}" if isinstance(series, Live) and series.a_second else folded


def _search_ours(series: Ours, of: Publication) -> str:
    schema = ",".join(_quoted([of.namespace, *series.dimensions]))
    terms = [f'MetricName="{series.metric}"', *(f'{name}="{is_}"' for name, is_ in series.where)]
    return f"SEARCH('{{{schema}}} {' '.join(terms)}', '{series.stat.value}', {HOUR})"


def _search_live(series: Live) -> str:
    term = f'MetricName="{series.metric}"'
    schema = f"{series.namespace},{series.dimension}"
    return f"SEARCH('{{{schema}}} {term}', '{series.stat.value}', {series.period})"


def _quoted(names: Sequence[str]) -> list[str]:
    """Return names as a search takes them: in quotes, unless they are words and slashes."""
    plain = [name.replace("/", "").replace("_", "").isalnum() for name in names]
    return [name if is_ else f'"{name}"' for name, is_ in zip(names, plain, strict=True)]


def _period(series: Series) -> dict[str, int]:
    return {"period": HOUR if isinstance(series, Ours) else series.period}


def _label(series: Series) -> str:
    if isinstance(series, Live):
        return series.label or f"${{PROP('Dim.{series.dimension}')}}"
    if series.fold is Fold.SUM or series.fold is Fold.AVERAGE:
        return series.label
    told = [name for name in series.dimensions if name not in dict(series.where)]
    if not series.by:
        told = [name for name in told if name == "account"]
    return " ".join([series.label, *(f"${{PROP('Dim.{name}')}}" for name in told)]).strip()


def _header(dashboard: Dashboard, of: Publication) -> str:
    return "\n\n".join([f"# {dashboard.purpose}", _origin(of), *_gaps(dashboard, of)])


def _origin(of: Publication) -> str:
    return (
        "Made by ops-platform; what is changed here is overwritten. What is marked (live) comes"
        f" from AWS within minutes, all else from {of.namespace}, once an hour."
    )


def _gaps(dashboard: Dashboard, of: Publication) -> Iterator[str]:
    if all(plot.is_live for plot in dashboard.plots):
        return
    if not of.publish:
        yield (
            "**Only what is marked (live) shows anything**: set `publish` in"
            " `[metrics.cloudwatch]` to see the rest."
        )
    empty = left_empty(dashboard, of.dimensions)
    if empty:
        yield _unpublished(empty)


def _unpublished(empty: Collection[str]) -> str:
    told = ", ".join(f"{WORDS.get(name, name)} (`{name}`)" for name in sorted(empty))
    return (
        f"Empty, since it is not published: what is shown by {told}."
        " Add it to `dimensions` in `[metrics.cloudwatch]`; it has a price."
    )
