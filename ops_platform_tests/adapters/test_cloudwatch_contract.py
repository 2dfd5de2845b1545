"""The contract of CloudWatch, over the fake and over the emulator."""

from datetime import UTC, datetime, timedelta

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.cloudwatch import CloudWatch, CloudWatchClient
from ops_platform.domain.hours import HOUR, hour_of
from ops_platform.domain.metric_data import Datum
from ops_platform_tests.adapters.cloudwatch_contract import (
    NAMESPACE,
    CloudWatchContract,
    CloudWatchWorld,
)
from ops_platform_tests.fake_cloudwatch import FakeCloudWatch


class _FakeWorld:
    def __init__(self) -> None:
        self.hour = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.cloudwatch = FakeCloudWatch(clock=lambda: self.hour + timedelta(hours=2))

    def statistics(self, datum: Datum) -> dict[str, float]:
        found = self.cloudwatch.samples[(NAMESPACE, datum.key, datum.hour)]
        return {
            "SampleCount": sum(found.values()),
            "Sum": sum(value * times for value, times in found.items()),
            "Minimum": min(found),
            "Maximum": max(found),
        }


class _EmulatedWorld:
    def __init__(self, client: CloudWatchClient) -> None:
        self.hour = hour_of(datetime.now(UTC)) - HOUR
        self.cloudwatch = CloudWatch(client)
        self._client = client

    def statistics(self, datum: Datum) -> dict[str, float]:
        series, wanted = datum.for_aws(), ["SampleCount", "Sum", "Minimum", "Maximum"]
        [found] = self._client.get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=series["MetricName"],
            Dimensions=series["Dimensions"],
            StartTime=datum.hour,
            EndTime=datum.hour + HOUR,
            Period=3600,
            Statistics=wanted,
        )["Datapoints"]
        return {name: found[name] for name in wanted}


class TestFake(CloudWatchContract):
    """The fake."""

    @pytest.fixture
    def world(self) -> CloudWatchWorld:
        """Return a CloudWatch of our own."""
        return _FakeWorld()


class TestEmulated(CloudWatchContract):
    """The adapter against the emulator."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> CloudWatchWorld:
        """Return the emulated account's."""
        return _EmulatedWorld(emulated.cloudwatch)
