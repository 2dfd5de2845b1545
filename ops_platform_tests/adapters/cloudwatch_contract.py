"""What every CloudWatch promises, whether fake, emulator or AWS."""

import json
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Protocol
from uuid import uuid4

import pytest

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.domain.cloudwatch_ports import DashboardStore, MetricSink, Took
from ops_platform.domain.metric_data import Datum

NAMESPACE = "Contract"


class AnyCloudWatch(DashboardStore, MetricSink, Protocol):
    """Both at once."""


class CloudWatchWorld(Protocol):
    """A CloudWatch, and a look at what it was sent."""

    @property
    def cloudwatch(self) -> AnyCloudWatch:
        """It as the platform sees it."""
        ...

    @property
    def hour(self) -> datetime:
        """An hour that is over."""
        ...

    def statistics(self, datum: Datum) -> dict[str, float]:
        """Return SampleCount, Sum, Minimum and Maximum of a series in its hour."""
        ...


class CloudWatchContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> CloudWatchWorld:
        """Return the world of one test."""

    def test_a_dashboard_comes_back_as_it_was_put(self, world: CloudWatchWorld) -> None:
        """And what is put in its place replaces it."""
        name = f"ops-platform-contract-{uuid4().hex[:12]}"
        assert world.cloudwatch.dashboard(name) is None

        for title in ("one", "two"):
            body = json.dumps({"widgets": [_text(title)]})
            assert world.cloudwatch.put_dashboard(name, body) == []
            assert json.loads(world.cloudwatch.dashboard(name) or "") == json.loads(body)

    def test_what_is_no_dashboard_is_refused_with_what_is_wrong(
        self, world: CloudWatchWorld
    ) -> None:
        """Whose sentence names the dashboard."""
        with pytest.raises(AwsError, match=r"Could not put the dashboard broken: .*JSON"):
            world.cloudwatch.put_dashboard("broken", "{")

    def test_values_are_added_up_as_often_as_they_are_told(self, world: CloudWatchWorld) -> None:
        """In the hour they are of."""
        datum = _datum(world.hour, values=(1.0, 2.5), counts=(1.0, 3.0))
        assert not world.cloudwatch.has(NAMESPACE, datum)

        assert world.cloudwatch.send(NAMESPACE, [datum]).took is Took.TAKEN

        assert world.cloudwatch.has(NAMESPACE, datum)
        assert world.statistics(datum) == {
            "SampleCount": 4,
            "Sum": 8.5,
            "Minimum": 1,
            "Maximum": 2.5,
        }

    def test_what_is_sent_twice_counts_twice(self, world: CloudWatchWorld) -> None:
        """Which is why the platform must not."""
        datum = _datum(world.hour, values=(3.0,), counts=(1.0,))

        for _ in range(2):
            world.cloudwatch.send(NAMESPACE, [datum])

        assert world.statistics(datum)["Sum"] == 6

    def test_many_data_of_one_series_are_one_spread(self, world: CloudWatchWorld) -> None:
        """Of which a datum takes 150 values; a request of this size is compressed."""
        name = f"series-{uuid4().hex[:12]}"
        data = [
            _datum(world.hour, values=tuple(map(float, some)), counts=(1.0,) * 150, name=name)
            for some in (range(150), range(150, 300))
        ]

        assert world.cloudwatch.send(NAMESPACE, data).took is Took.TAKEN

        found = world.statistics(data[0])
        assert (found["SampleCount"], found["Sum"], found["Maximum"]) == (300, sum(range(300)), 299)


def _datum(
    hour: datetime, *, values: tuple[float, ...], counts: tuple[float, ...], name: str | None = None
) -> Datum:
    series = name or f"series-{uuid4().hex[:12]}"
    return Datum(series, (("account", "staging"),), hour, "Milliseconds", values, counts)


def _text(markdown: str) -> dict[str, object]:
    place = {"x": 0, "y": 0, "width": 6, "height": 1}
    return {"type": "text", **place, "properties": {"markdown": markdown}}
