"""The data of CloudWatch that an hour's rows are sent as, and how they are put into requests.

All are samples: values, and how often each occurred; so CloudWatch can tell percentiles. A count, a
sum or a share is one sample. A level or an age is two, its last value and its greatest. A spread is
all of its values, of which one datum takes 150 different ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import msgspec

from ops_platform.domain.metric import Age, Count, Level, Ratio, Unit
from ops_platform.domain.published_metrics import Cut

VALUES_OF_A_DATUM: Final = 150
DATA_OF_A_REQUEST: Final = 1000
# CloudWatch takes 1 MB before compression. Its own encoding is shorter than the JSON we measure.
BYTES_OF_A_REQUEST: Final = 900_000
_LONGEST_VALUE: Final = 1024
_UNKNOWN: Final = "unknown"
_UNITS: Final = {Unit.COUNT: "Count", Unit.MILLISECONDS: "Milliseconds"}

Dimensions = tuple[tuple[str, str], ...]
Key = tuple[str, Dimensions]
Row = Mapping[str, Any]
_encode = msgspec.json.encode


class Datum(msgspec.Struct, frozen=True):
    """Samples of one series within one hour."""

    metric: str
    dimensions: Dimensions
    hour: datetime
    unit: str
    values: tuple[float, ...]
    counts: tuple[float, ...]

    @property
    def key(self) -> Key:
        """Which series it is of."""
        return self.metric, self.dimensions

    def for_aws(self) -> dict[str, Any]:
        """Return it as PutMetricData takes it."""
        return {
            "MetricName": self.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions],
            "Timestamp": self.hour,
            "Unit": self.unit,
            "Values": list(self.values),
            "Counts": list(self.counts),
        }


def of_row(cut: Cut, row: Row) -> list[Datum]:
    """Return the datum of a row that is not of a spread; none where there is nothing to tell.

    Zeros are told of an account as a whole, not of each flow that did not run: a series has a price
    for every hour in which it is sent.
    """
    samples = _samples(cut, row)
    if not samples or not (cut.is_whole or any(samples)):
        return []
    return [_datum(cut, row, dict.fromkeys(samples, 1))]


def of_values(cut: Cut, rows: Iterable[Row]) -> list[Datum]:
    """Return the data of a spread's values: rows with ``hour``, dimensions, ``value``, ``times``.

    The rows of an hour and a group follow one another.
    """
    found: list[Datum] = []
    for _, group in groupby(rows, key=lambda row: (row["hour"], _told(cut, row))):
        same = list(group)
        for begin in range(0, len(same), VALUES_OF_A_DATUM):
            some = same[begin : begin + VALUES_OF_A_DATUM]
            found.append(_datum(cut, some[0], {row["value"]: row["times"] for row in some}))
    return found


def _samples(cut: Cut, row: Row) -> list[float]:
    match cut.metric.how:
        case Count():
            return [row["count"]]
        case Level() | Age():
            return [row["last"], row["max"]]
        case Ratio():
            return [] if row["share"] is None else [row["share"]]
        case _:
            return [row["sum"]]


def _datum(cut: Cut, row: Row, times: Mapping[float, int]) -> Datum:
    return Datum(
        metric=cut.metric.name,
        dimensions=_told(cut, row),
        hour=row["hour"],
        unit=_UNITS.get(cut.metric.unit, "None"),
        values=tuple(map(float, times)),
        counts=tuple(map(float, times.values())),
    )


def _told(cut: Cut, row: Row) -> Dimensions:
    return tuple((name, dimension_value(row[name])) for name in cut.dimensions)


def dimension_value(text: str) -> str:
    """Return a value as CloudWatch takes it: visible ASCII, no colon first, not empty, not long."""
    visible = "".join(each if each.isprintable() else "?" for each in text).strip().lstrip(":")
    plain = visible.encode("ascii", "backslashreplace").decode()
    return plain[:_LONGEST_VALUE] or _UNKNOWN


def requests(data: Sequence[Datum]) -> Iterator[list[Datum]]:
    """Yield the data in requests that CloudWatch takes, each of whole series.

    So whether a request arrived can be told by any of its series.
    """
    request: list[Datum] = []
    size = 0
    for _, group in groupby(data, key=lambda datum: (datum.hour, datum.key)):
        series = list(group)
        more = len(_encode(series))
        too_many = len(request) + len(series) > DATA_OF_A_REQUEST
        if request and (too_many or size + more > BYTES_OF_A_REQUEST):
            yield request
            request, size = [], 0
        request += series
        size += more
    if request:
        yield request
