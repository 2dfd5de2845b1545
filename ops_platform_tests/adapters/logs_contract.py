"""What every reader of job logs promises, whether fake, emulator or CloudWatch Logs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import pytest

from ops_platform.domain.job_log import LogAbsence, LogTail
from ops_platform.domain.ports import JobLogs

_KILOBYTE = 1024


class LogsWorld(Protocol):
    """A log group of its own for one test."""

    @property
    def logs(self) -> JobLogs:
        """The logs as the platform sees them."""
        ...

    @property
    def log_group(self) -> str:
        """The group the streams are in."""
        ...

    def write(self, stream: str, lines: Sequence[str]) -> None:
        """Create a stream with these lines."""
        ...


class LogsContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> LogsWorld:
        """Return the world of one test."""

    def test_a_short_log_comes_whole(self, world: LogsWorld) -> None:
        """In the order it was written."""
        world.write("job/default/1", ["one", "two", "three"])

        assert _tail(world, "job/default/1") == LogTail(("one", "two", "three"), truncated=False)

    def test_a_log_of_exactly_the_limit_is_not_truncated(self, world: LogsWorld) -> None:
        """Nothing is left out, so nothing is said to be."""
        world.write("s", ["one", "two"])

        assert _tail(world, "s", lines=2) == LogTail(("one", "two"), truncated=False)

    def test_of_a_long_log_the_newest_lines_come(self, world: LogsWorld) -> None:
        """The error is at the end."""
        world.write("s", [f"line {number}" for number in range(50)])

        assert _tail(world, "s", lines=2) == LogTail(("line 48", "line 49"), truncated=True)

    def test_whole_lines_are_left_out_to_keep_to_the_bytes(self, world: LogsWorld) -> None:
        """A character may be more than one byte."""
        world.write("s", ["first", "zweite Größe", "end"])

        assert _tail(world, "s", size=17) == LogTail(("zweite Größe", "end"), truncated=True)
        assert _tail(world, "s", size=16) == LogTail(("end",), truncated=True)

    def test_of_one_line_too_long_its_end_comes(self, world: LogsWorld) -> None:
        """Half a line is better than none; half a character is not."""
        world.write("s", ["ä" * 50 + "!"])

        assert _tail(world, "s", size=4) == LogTail(("ä!",), truncated=True)

    def test_an_empty_stream_is_named_empty(self, world: LogsWorld) -> None:
        """The job started and wrote nothing."""
        world.write("s", [])

        assert _tail(world, "s") is LogAbsence.EMPTY

    def test_a_missing_stream_is_named_missing(self, world: LogsWorld) -> None:
        """A job that never started has no stream."""
        world.write("other", ["line"])

        assert _tail(world, "s") is LogAbsence.MISSING

    def test_a_missing_group_is_named_missing(self, world: LogsWorld) -> None:
        """An account whose jobs log elsewhere has no such group."""
        tail = world.logs.tail(
            stream="s", limit_lines=1, limit_bytes=1, log_group=f"{world.log_group}-elsewhere"
        )

        assert tail is LogAbsence.MISSING


def _tail(
    world: LogsWorld, stream: str, *, lines: int = 10, size: int = _KILOBYTE
) -> LogTail | LogAbsence:
    return world.logs.tail(
        stream=stream, limit_lines=lines, limit_bytes=size, log_group=world.log_group
    )
