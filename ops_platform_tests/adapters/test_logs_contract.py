"""The promises of a reader of job logs, kept by the fake and by the adapter."""

from collections.abc import Iterator, Sequence

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.domain.job_log import BATCH_LOG_GROUP
from ops_platform_tests.adapters.aws_worlds import CloudWatchLogsWorld, logs_world
from ops_platform_tests.adapters.logs_contract import LogsContract
from ops_platform_tests.fakes import FakeLogs


class FakeLogsWorld:
    """The fake, rebuilt with each change."""

    log_group = BATCH_LOG_GROUP

    def __init__(self) -> None:
        self._streams: dict[str, Sequence[str]] = {}

    @property
    def logs(self) -> FakeLogs:
        """The logs as the platform sees them."""
        return FakeLogs(self._streams)

    def write(self, stream: str, lines: Sequence[str]) -> None:
        """Create a stream with these lines."""
        self._streams[stream] = lines


class TestFakeLogs(LogsContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeLogsWorld:
        """Return a fresh fake."""
        return FakeLogsWorld()


class TestEmulatedLogs(LogsContract):
    """The real adapter, over HTTP, against an emulator."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> Iterator[CloudWatchLogsWorld]:
        """Return a fresh log group of the emulator."""
        with logs_world(emulated) as world:
            yield world
