"""What Dagster shows of rollups: numbers it plots over time, a table, and pictures."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.amounts import amount
from ops_platform.domain.metric import Count, Level, Metric, Noun, Ratio, Spread, Unit
from ops_platform.domain.metric_columns import DIMENSIONS, NUMBERS, dimensions_of, numbers_of
from ops_platform.domain.noun_pages import PAGES, Top
from ops_platform.domain.rollups import METRICS
from ops_platform.operations.report_metrics import Report, column_unit, report_metrics
from ops_platform.operations.roll_up_metrics import Rolled
from ops_platform.operations.show_metrics import Row

Metadata = dict[str, dg.MetadataValue]


def reported(
    ledger: Ledger, noun: Noun, rolled: Sequence[Rolled], *, daily: bool = False
) -> Iterator[tuple[datetime, Metadata]]:
    """Yield what Dagster shows of each hour, or day, of a noun that was computed."""
    by_moment = {each.began: each for each in rolled}
    for report in report_metrics(ledger, noun, by_moment, daily=daily):
        yield report.began, _metadata(noun, by_moment[report.began], report)


def column_schema(noun: Noun, *, daily: bool = False) -> dg.TableSchema:
    """Return the columns of a noun's rollup, from the declarations of its metrics."""
    metrics = _metrics(noun)
    time, told = ("day", "The day, of UTC.") if daily else ("hour", "The hour, as it begins, UTC.")
    columns = [
        dg.TableColumn("metric", "string", f"One of: {', '.join(each.name for each in metrics)}."),
        dg.TableColumn(time, "date" if daily else "timestamp", told),
        *(dg.TableColumn(name, "string", DIMENSIONS[name]) for name in dimensions_of(metrics)),
        *(dg.TableColumn(name, "number", _of(metrics, name)) for name in numbers_of(metrics)),
    ]
    return dg.TableSchema(columns)


def description(noun: Noun, *, daily: bool = False) -> str:
    """Return what a noun's rollup is, with each of its metrics."""
    how = "put together from their hours" if daily else "computed from the ledger"
    head = f"The metrics of {noun} by {'day' if daily else 'hour'}, each replaced whole, {how}."
    lines = [f"| `{each.name}` | {each.unit} | {each.description} |" for each in _metrics(noun)]
    return "\n".join([head, "", "| metric | unit | what |", "| --- | --- | --- |", *lines])


def _metadata(noun: Noun, rolled: Rolled, report: Report) -> Metadata:
    metadata: Metadata = {
        "at_a_glance": dg.MetadataValue.md(report.glance),
        "pictures": dg.MetadataValue.md("\n\n".join(report.pictures)),
        "top": _table(report.top, PAGES[noun].top),
        "partial": dg.MetadataValue.bool(rolled.partial),
        "rows": dg.MetadataValue.int(rolled.rows),
    }
    for name, numbers in report.totals.items():
        metadata |= {
            label: dg.MetadataValue.float(float(value))
            for label, value in _numbers(METRICS[name], numbers)
            if value is not None
        }
    return metadata


def _numbers(metric: Metric, row: Row) -> Iterable[tuple[str, float | None]]:
    """Return the numbers of a metric that are worth a curve over time."""
    match metric.how:
        case Count():
            return [(metric.name, row["count"])]
        case Spread():
            return [(f"{metric.name} {field}", row[field]) for field in ("count", "p50", "p90")]
        case Ratio():
            return [(metric.name, row["share"])]
        case Level():
            return [(f"{metric.name} {field}", row[field]) for field in ("last", "max")]
        case _:
            field = "sum" if "sum" in row else "max"
            return [(metric.name, row[field])]


def _table(rows: Sequence[Row], top: Top) -> dg.TableMetadataValue:
    columns = [*top.by, *(column.name for column in top.columns)]
    records = [
        dg.TableRecord(
            {
                **{name: row[name] or "unknown" for name in top.by},
                **{
                    each.name: amount(row.get(each.name), column_unit(each)) for each in top.columns
                },
            }
        )
        for row in rows
    ]
    return dg.MetadataValue.table(
        records, schema=dg.TableSchema([dg.TableColumn(name) for name in columns])
    )


def _metrics(noun: Noun) -> list[Metric]:
    return [metric for metric in METRICS.values() if metric.noun is noun]


def _of(metrics: Sequence[Metric], number: str) -> str:
    units = sorted(
        {
            (Unit.COUNT if number == "count" else each.unit).value
            for each in metrics
            if number in each.fields
        }
    )
    return f"{NUMBERS[number]} Units: {', '.join(units)}."
