"""The data of CloudWatch: what each kind of metric is sent as, and how they fit into requests."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.cloudwatch_ports import Took
from ops_platform.domain.metric_data import (
    Datum,
    dimension_value,
    of_row,
    of_values,
    requests,
)
from ops_platform.domain.published_metrics import Cut
from ops_platform.domain.rollups import METRICS
from ops_platform_tests.build import NOON
from ops_platform_tests.fake_cloudwatch import FakeCloudWatch


def _row(**numbers: Any) -> dict[str, Any]:
    return {"hour": NOON, "account": "production", "flow": "TrainFlow", **numbers}


def _cut(metric: str, *dimensions: str) -> Cut:
    return Cut(METRICS[metric], ("account", *dimensions))


@pytest.mark.parametrize(
    ("cut", "numbers", "values"),
    [
        (_cut("job_retries", "flow"), {"count": 3}, {3: 1}),
        (_cut("cost_usd", "flow"), {"sum": 0.25}, {0.25: 1}),
        (_cut("vcpus_reserved", "flow"), {"last": 2, "max": 8}, {2: 1, 8: 1}),
        (_cut("vcpus_reserved", "flow"), {"last": 8, "max": 8}, {8: 1}),
        (_cut("oldest_runnable_ms", "flow"), {"last": 0, "max": 9}, {0: 1, 9: 1}),
        (_cut("execution_success_rate", "flow"), {"share": 0.5}, {0.5: 1}),
    ],
    ids=lambda each: each.metric.name if isinstance(each, Cut) else None,
)
def test_a_row_is_one_datum(cut: Cut, numbers: dict[str, Any], values: dict[float, int]) -> None:
    """With the numbers that its statistics are made of."""
    [datum] = of_row(cut, _row(**numbers))

    assert dict(zip(datum.values, datum.counts, strict=True)) == values
    assert datum.key == (
        cut.metric.name,
        (("account", "production"), ("flow", "TrainFlow")),
    )
    assert datum.hour == NOON


def test_zeros_are_data_of_an_account_and_none_of_a_flow() -> None:
    """A series has a price for every hour in which it is sent."""
    assert of_row(_cut("jobs_cancelled"), _row(count=0))[0].values == (0,)
    assert of_row(_cut("job_retries", "flow"), _row(count=0)) == []
    assert of_row(_cut("vcpus_reserved", "flow"), _row(last=0, max=0)) == []


def test_a_share_of_nothing_is_no_datum() -> None:
    """Not even of an account."""
    assert of_row(_cut("execution_success_rate"), _row(share=None)) == []


@given(st.lists(st.integers(0, 400), min_size=1, max_size=1000))
def test_a_spread_is_all_of_its_values(found: list[int]) -> None:
    """150 different ones a datum, so that CloudWatch tells percentiles from them."""
    rows = [_row(value=value, times=found.count(value)) for value in sorted(set(found))]

    data = of_values(_cut("job_running_ms", "flow"), rows)

    assert all(len(datum.values) <= 150 for datum in data)
    assert len({datum.key for datum in data}) == 1
    pairs = [pair for each in data for pair in zip(each.values, each.counts, strict=True)]
    assert dict(pairs) == {value: found.count(value) for value in set(found)}
    assert len(pairs) == len(set(found))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", "unknown"),
        ("  ", "unknown"),
        ("TrainFlow", "TrainFlow"),
        (":x", "x"),
        ("Größe", "Gr\\xf6\\xdfe"),
        ("a\nb", "a?b"),
        ("x" * 2000, "x" * 1024),
    ],
)
def test_a_dimension_has_a_value_that_cloudwatch_takes(text: str, value: str) -> None:
    """Whatever a flow is called."""
    assert dimension_value(text) == value


@given(st.text())
def test_no_text_is_refused_as_a_dimension(text: str) -> None:
    """By the limits that CloudWatch documents."""
    cloudwatch = FakeCloudWatch(clock=lambda: NOON)
    datum = Datum("m", (("flow", dimension_value(text)),), NOON, "Count", (1.0,), (1.0,))

    assert cloudwatch.send("N", [datum]).took is Took.TAKEN


def _series(number: int, *, data: int, values: int) -> list[Datum]:
    told = (("flow", f"{number:05}" + "x" * 900),)
    numbers = tuple(1e9 + value for value in range(values))
    return [Datum("m", told, NOON, "Count", numbers, (1.0,) * values)] * data


@pytest.mark.parametrize(("series", "data", "values"), [(2500, 1, 1), (300, 7, 1), (120, 5, 150)])
def test_requests_are_within_the_limits_and_never_split_a_series(
    series: int, data: int, values: int
) -> None:
    """All data are in them, in their order."""
    told = [each for n in range(series) for each in _series(n, data=data, values=values)]
    cloudwatch = FakeCloudWatch(clock=lambda: NOON + timedelta(hours=2))

    found = list(requests(told))

    assert [datum for request in found for datum in request] == told
    assert len(found) > 1
    seen: set[object] = set()
    for request in found:
        keys = {datum.key for datum in request}
        assert not seen & keys
        seen |= keys
        assert cloudwatch.send("N", request).took is Took.TAKEN


def test_no_data_are_no_request() -> None:
    """An hour in which nothing happened, of a noun without zeros."""
    assert list(requests([])) == []
