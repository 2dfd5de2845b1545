"""Work out which data CloudWatch is given of some hours."""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.published import Print
from ops_platform.adapters.ledger.rollups import spread_values
from ops_platform.domain.hours import Hours
from ops_platform.domain.metric import Spread
from ops_platform.domain.metric_data import Datum, of_row, of_values
from ops_platform.domain.published_metrics import Cut
from ops_platform.operations.show_metrics import show_metric

ByHour = dict[datetime, list[Datum]]


def planned(ledger: Ledger, cuts: Iterable[Cut], hours: Hours) -> ByHour:
    """Return the data of each hour, by the cuts given; the same rows make the same data."""
    found: ByHour = defaultdict(list)
    for cut in cuts:
        for datum in _of_cut(ledger, cut, hours):
            found[datum.hour].append(datum)
    return found


def _of_cut(ledger: Ledger, cut: Cut, hours: Hours) -> list[Datum]:
    name, by = cut.metric.name, cut.dimensions
    if isinstance(cut.metric.how, Spread):
        with ledger.transaction() as tx:
            rows = spread_values.values(tx, name, by, begin=hours.begin, end=hours.end)
        return of_values(cut, rows)
    shown = show_metric(ledger, name, begin=hours.begin, end=hours.end, by=by)
    return [datum for row in shown for datum in of_row(cut, row)]


def packed(data: Sequence[Datum]) -> bytes:
    """Return data as the ledger keeps them until they are sent."""
    return zlib.compress(msgspec.json.encode(data))


def unpacked(body: bytes) -> list[Datum]:
    """Return the data that ``packed`` was given."""
    return msgspec.json.decode(zlib.decompress(body), type=list[Datum])


def print_of(cuts: Sequence[Cut], data: Sequence[Datum]) -> Print:
    """Return what tells later whether an hour's data are other ones, or only its cuts."""
    names = [(cut.metric.name, cut.dimensions) for cut in cuts]
    return Print(*(hashlib.sha256(msgspec.json.encode(each)).digest() for each in (names, data)))
