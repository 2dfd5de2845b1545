"""A stand-in for CloudWatch that adds up what it is sent, with the real limits and errors.

The contract suite in `ops_platform_tests.adapters.cloudwatch_contract` holds it to the adapter.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.domain.cloudwatch_ports import Receipt, Took
from ops_platform.domain.metric_data import Datum

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_VISIBLE = re.compile(r"(?!:)(?=.*[!-~])[ -~]{1,1024}")
_MEGABYTE = 1_048_576
_DATA, _DIMENSIONS, _VALUES = 1000, 30, 150
_WIDGETS, _SERIES_OF_WIDGET, _SERIES, _EXPRESSION = 500, 500, 2500, 1024
Samples = dict[float, float]
Sending = Callable[[], Took]


class FakeCloudWatch:
    """One account's CloudWatch; fulfils `DashboardStore` and `MetricSink`.

    Args:
        clock: The time by which data are too old or too new.
        outcomes: What becomes of the requests, one after the other; then each is taken. Of one that
            is ``UNCLEAR``, ``lost`` says whether it arrived.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        outcomes: Iterable[Took] = (),
        lost: bool = False,
    ) -> None:
        self.samples: dict[tuple[str, Any, datetime], Samples] = defaultdict(dict)
        self.requests: list[list[Datum]] = []
        self.dashboards: dict[str, str] = {}
        self.puts: list[str] = []
        self._clock = clock
        self._outcomes = iter(outcomes)
        self._lost = lost

    def dashboard(self, name: str) -> str | None:
        """Return a dashboard's JSON."""
        return self.dashboards.get(name)

    def put_dashboard(self, name: str, body: str) -> list[str]:
        """Take a dashboard; refuse what CloudWatch refuses."""
        wrong = list(_wrong_dashboard(name, body))
        if wrong:
            raise AwsError(
                f"Could not put the dashboard {name}: {' '.join(wrong)}",
                code="InvalidParameterInput",
            )
        self.dashboards[name] = body
        self.puts.append(name)
        return []

    def send(self, namespace: str, data: Sequence[Datum]) -> Receipt:
        """Add data up, all or nothing."""
        outcome = next(self._outcomes, Took.TAKEN)
        wrong = [told for told in _wrong_request(data, self._clock()) if told]
        if wrong or outcome is Took.REFUSED:
            return Receipt(Took.REFUSED, f"Could not send metrics to {namespace}: {wrong}")
        if outcome is Took.TAKEN or not self._lost:
            self.requests.append(list(data))
            for datum in data:
                self._add(namespace, datum)
        return Receipt(outcome, "" if outcome is Took.TAKEN else "no answer")

    def has(self, namespace: str, datum: Datum) -> bool:
        """Tell whether there is any sample of the datum's series in its hour."""
        return (namespace, datum.key, datum.hour) in self.samples

    def count(self, metric: str, **dimensions: str) -> dict[datetime, Samples]:
        """Return the samples of a series, by the hour."""
        wanted = (metric, frozenset(dimensions.items()))
        return {
            hour: samples
            for (_, (name, told), hour), samples in self.samples.items()
            if (name, frozenset(told)) == wanted
        }

    def _add(self, namespace: str, datum: Datum) -> None:
        samples = self.samples[(namespace, datum.key, datum.hour)]
        for value, times in zip(datum.values, datum.counts, strict=True):
            samples[value] = samples.get(value, 0) + times


def _wrong_request(data: Sequence[Datum], now: datetime) -> Iterable[str]:
    if not 0 < len(data) <= _DATA:
        yield f"{len(data)} data"
    if len(json.dumps([_plain(datum) for datum in data])) > _MEGABYTE:
        yield "more than 1 MB"
    for datum in data:
        yield from _wrong_datum(datum, now)


def _wrong_datum(datum: Datum, now: datetime) -> Iterable[str]:
    if not 0 < len(datum.values) <= _VALUES or len(set(datum.values)) != len(datum.values):
        yield f"{datum.metric}: 1 to {_VALUES} different values"
    if len(datum.counts) != len(datum.values) or min(datum.counts) <= 0:
        yield f"{datum.metric}: a count for each value"
    if len(datum.dimensions) > _DIMENSIONS:
        yield f"{datum.metric}: too many dimensions"
    for name, value in datum.dimensions:
        if not (_VISIBLE.fullmatch(name) and _VISIBLE.fullmatch(value)):
            yield f"{datum.metric}: {name}={value!r}"
    if not now - timedelta(days=14) <= datum.hour <= now + timedelta(hours=2):
        yield f"{datum.metric}: {datum.hour} is not within two weeks"


def _wrong_dashboard(name: str, body: str) -> Iterable[str]:
    if not _NAME.fullmatch(name):
        yield f"the name {name}"
    if len(body.encode()) > _MEGABYTE:
        yield "more than 1 MB"
    try:
        widgets = json.loads(body)["widgets"]
    except ValueError:
        yield "Body is invalid JSON"
        return
    series = [each["properties"].get("metrics", []) for each in widgets]
    if len(widgets) > _WIDGETS or sum(map(len, series)) > _SERIES:
        yield "too many widgets or metrics"
    if any(len(each) > _SERIES_OF_WIDGET for each in series):
        yield "too many metrics in a widget"
    found = [metric[0]["expression"] for each in series for metric in each]
    if any(len(expression) > _EXPRESSION for expression in found):
        yield "an expression is too long"


def _plain(datum: Datum) -> dict[str, Any]:
    return datum.for_aws() | {"Timestamp": datum.hour.isoformat()}
