"""Show a metric: by hour or day, and by whichever of its dimensions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.adapters.ledger.rollups import reading
from ops_platform.adapters.ledger.rollups.daily import DAILY
from ops_platform.adapters.ledger.rollups.hourly import HOURLY
from ops_platform.adapters.ledger.rollups.reading import Wanted
from ops_platform.domain.metric import Age, Count, Level, Metric, Part, Ratio, Spread
from ops_platform.domain.rollups import check_dimensions, metric_of

Row = dict[str, Any]
_Key = tuple[datetime | date, tuple[str, ...]]


def show_metric(
    ledger: Ledger,
    name: str,
    *,
    begin: datetime,
    end: datetime,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    daily: bool = False,
) -> list[Row]:
    """Return a row for each computed hour, or day, and each group that the period knows.

    A row has ``hour`` or ``day``, the dimensions of ``by`` ("" where one is unknown), and the
    metric's ``fields``. A group that an hour has nothing of is a row of zeros; an hour without any
    row was not computed.

    Args:
        ledger: Where the rows are kept.
        name: The metric's.
        begin: The first hour.
        end: The hour after the last.
        by: The dimensions that are told apart.
        where: Values that some dimensions must have.
        daily: Whether by days in place of hours.

    Raises:
        PlatformError: There is no such metric, or it has no such dimension.
    """
    metric = metric_of(name)
    check_dimensions(metric, (*by, *(where or {})))
    only = {key: (value,) for key, value in (where or {}).items()}
    wanted = Wanted(begin=begin, end=end, by=tuple(by), where=only, daily=daily)
    with ledger.transaction() as tx:
        return _shown(tx, metric, wanted)


def computed(ledger: Ledger, *, begin: datetime, end: datetime) -> list[Row]:
    """Return which hours were computed: noun, hour, computed_at, and whether they still run."""
    with ledger.transaction() as tx:
        found = reading.computed(tx, begin=begin, end=end, grain=HOURLY)
    return [{"noun": row["noun"], "hour": row["began"], **_rest(row)} for row in found]


def _rest(row: Row) -> Row:
    return {key: row[key] for key in ("computed_at", "partial")}


def _shown(tx: Transaction, metric: Metric, wanted: Wanted) -> list[Row]:
    if isinstance(metric.how, Ratio):
        return _divided(tx, metric.how, wanted)
    found = {_key(row, wanted): row for row in reading.read(tx, metric, wanted)}
    grain = DAILY if wanted.daily else HOURLY
    times = [
        row["began"].date() if wanted.daily else row["began"]
        for row in reading.computed(
            tx, begin=wanted.begin, end=wanted.end, grain=grain, noun=metric.noun
        )
    ]
    groups = sorted({group for _, group in found}) if wanted.by else [()]
    nothing = _nothing(metric)
    return [
        {
            wanted.column: at,
            **dict(zip(wanted.by, group, strict=True)),
            **_numbers(metric, found.get((at, group), nothing)),
        }
        for at in times
        for group in groups
    ]


def _key(row: Row, wanted: Wanted) -> _Key:
    return row["began"], tuple(row[name] for name in wanted.by)


def _numbers(metric: Metric, row: Row) -> Row:
    return {name: _plain(row[name]) for name in metric.fields}


def _plain(value: float | None) -> float | int | None:
    """Return a number without a fraction as the integer it is."""
    return int(value) if value is not None and value == int(value) else value


def _nothing(metric: Metric) -> Row:
    match metric.how:
        case Count() | Level() | Age():
            return dict.fromkeys(metric.fields, 0)
        case Spread():
            return dict.fromkeys(metric.fields) | {"count": 0, "sum": 0}
        case _:
            return {"sum": 0}


def _divided(tx: Transaction, ratio: Ratio, wanted: Wanted) -> list[Row]:
    part, whole = (_by_key(tx, each, wanted) for each in (ratio.part, ratio.whole))
    return [
        {
            wanted.column: at,
            **dict(zip(wanted.by, group, strict=True)),
            "share": part.get((at, group), 0) / number if number else None,
        }
        for (at, group), number in whole.items()
    ]


def _by_key(tx: Transaction, part: Part, wanted: Wanted) -> dict[_Key, float]:
    metric = metric_of(part.metric)
    number = "count" if isinstance(metric.how, Count) else "sum"
    narrower = replace(wanted, where={**(wanted.where or {}), **_only(part.where)})
    return {
        (row[wanted.column], tuple(row[name] for name in wanted.by)): row[number]
        for row in _shown(tx, metric, narrower)
    }


def _only(where: Iterable[tuple[str, Sequence[str]]]) -> dict[str, Sequence[str]]:
    return dict(where)
