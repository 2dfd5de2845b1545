"""What is shown of hours or days that were computed: totals, a table, and pictures.

Each has the picture that says most of the 24 hours, or 30 days, up to it; the newest has all
pictures, of all that were computed with it. So what is shown of a month stays small.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.charts import Line, bar_chart, line_chart, picture, sparks
from ops_platform.domain.hours import DAY, HOUR, day_begins
from ops_platform.domain.metric import Noun, Unit
from ops_platform.domain.noun_pages import PAGES, Chart, Column, Top
from ops_platform.domain.rollups import METRICS, metric_of
from ops_platform.operations.show_metrics import Row, show_metric

MOST_ROWS = 10
Groups = dict[datetime, list[Row]]


@dataclass(frozen=True, slots=True)
class Report:
    """What is shown of one hour or day: the numbers of each metric, a table, and Markdown.

    Dagster shows short Markdown at once and pictures at a click, so ``glance`` is lines of text.
    """

    began: datetime
    totals: dict[str, Row]
    top: tuple[Row, ...]
    pictures: tuple[str, ...]
    glance: str


def report_metrics(
    ledger: Ledger, noun: Noun, begun: Iterable[datetime], *, daily: bool = False
) -> Iterator[Report]:
    """Yield what is shown of each hour or day, those that are near each other read together."""
    step, before = (DAY, timedelta(days=29)) if daily else (HOUR, timedelta(hours=23))
    for near in _clusters(sorted(set(begun)), before):
        begin, end = near[0] - before, near[-1] + step
        yield from _Reader(ledger, noun, begin, end, before, daily=daily).reports(near)


def _clusters(begun: Sequence[datetime], apart: timedelta) -> Iterator[list[datetime]]:
    near: list[datetime] = []
    for at in begun:
        if near and at - near[-1] > apart:
            yield near
            near = []
        near.append(at)
    if near:
        yield near


class _Reader:
    """Reads once what the reports of neighbours are made of."""

    def __init__(
        self,
        ledger: Ledger,
        noun: Noun,
        begin: datetime,
        end: datetime,
        before: timedelta,
        *,
        daily: bool,
    ) -> None:
        self._show: Callable[..., list[Row]] = lambda name, **how: show_metric(
            ledger, name, begin=begin, end=end, daily=daily, **how
        )
        self._before = before
        self._page = PAGES[noun]
        self._totals = {name: self._rows(name) for name in _names(noun)}
        self._charts = {
            chart: self._rows(chart.metric, by=(chart.by,)) if chart.by else {}
            for chart in self._page.charts
        }
        top = self._page.top
        self._columns = {
            column.name: self._rows(column.metric, by=top.by, where=column.where)
            for column in top.columns
        }

    def reports(self, near: Sequence[datetime]) -> Iterator[Report]:
        """Yield the report of each."""
        for at in near:
            is_newest = at == near[-1]
            since = min(near[0], at - self._before) if is_newest else at - self._before
            charts = self._page.charts if is_newest else self._page.charts[:1]
            yield Report(
                began=at,
                totals={name: rows[at][0] for name, rows in self._totals.items() if rows.get(at)},
                top=tuple(self._top(at)),
                pictures=tuple(self._drawn(chart, since, at) for chart in charts),
                glance=self._glance(charts[0], at),
            )

    def _rows(self, name: str, **how: object) -> Groups:
        found: Groups = defaultdict(list)
        for row in self._show(name, **how):
            found[_moment(row)].append(row)
        return found

    def _top(self, at: datetime) -> list[Row]:
        top = self._page.top
        rows: dict[tuple[str, ...], Row] = {}
        for column in top.columns:
            for found in self._columns[column.name].get(at, []):
                group = tuple(found[name] for name in top.by)
                row = rows.setdefault(group, dict(zip(top.by, group, strict=True)))
                row[column.name] = found[column.number]
        some = [row for row in rows.values() if any(row.get(each.name) for each in top.columns)]
        return sorted(some, key=lambda row: _rank(row, top))[:MOST_ROWS]

    def _glance(self, chart: Chart, at: datetime) -> str:
        groups = self._charts[chart] if chart.by else self._totals[chart.metric]
        moments = sorted(moment for moment in groups if at - self._before <= moment <= at)
        drawn = sparks(_lines(chart, groups, moments), metric_of(chart.metric).unit)
        return f"{chart.title}, until here:\n\n{drawn}"

    def _drawn(self, chart: Chart, since: datetime, at: datetime) -> str:
        groups = self._charts[chart] if chart.by else self._totals[chart.metric]
        unit = metric_of(chart.metric).unit
        if chart.shape == "bars":
            bars = [
                (str(row[chart.by or ""]), float(row[chart.fields[0]] or 0))
                for row in groups.get(at, [])
            ]
            drawn = bar_chart(chart.title, [bar for bar in bars if bar[1]], unit)
        else:
            moments = sorted(moment for moment in groups if since <= moment <= at)
            drawn = line_chart(chart.title, moments, _lines(chart, groups, moments), unit)
        return picture(drawn, chart.title)


def column_unit(column: Column) -> Unit:
    """Return the unit of a column's numbers."""
    return Unit.COUNT if column.number == "count" else metric_of(column.metric).unit


def _names(noun: Noun) -> list[str]:
    return [name for name, metric in METRICS.items() if metric.noun is noun]


def _lines(chart: Chart, groups: Groups, moments: Sequence[datetime]) -> list[Line]:
    if chart.by is None:
        one = {at: groups[at][0] for at in moments}
        return [Line(field, tuple(one[at][field] for at in moments)) for field in chart.fields]
    numbers: dict[str, dict[datetime, float]] = defaultdict(dict)
    for at in moments:
        for row in groups[at]:
            numbers[str(row[chart.by])][at] = row[chart.fields[0]]
    return [Line(name, tuple(map(told.get, moments))) for name, told in numbers.items()]


def _rank(row: Row, top: Top) -> tuple[object, ...]:
    sizes = (-(row.get(column.name) or 0) for column in top.columns)
    return (*sizes, *(row[name] for name in top.by))


def _moment(row: Row) -> datetime:
    at: datetime | date = row["day"] if "day" in row else row["hour"]
    return at.astimezone(UTC) if isinstance(at, datetime) else day_begins(at)
