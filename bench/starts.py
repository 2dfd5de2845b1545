"""How long commands and the code location take to start, in fresh interpreters."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.results import Result

_PAIRS = 7


def help_of_the_command() -> Iterator[Result]:
    """Compare ``ops-platform --help`` with the start of Python itself."""
    command = [str(Path(sys.executable).with_name("ops-platform")), "--help"]
    yield _compared(
        "(d) ops-platform --help", command, _python("pass"), "the start of Python", most=4
    )


def code_location() -> Iterator[Result]:
    """Compare loading the code location with importing Dagster alone."""
    load = _python("import ops_platform.definitions")
    yield _compared(
        "(e) load the code location", load, _python("import dagster"), "import dagster", most=2
    )


def _compared(
    name: str, command: Sequence[str], floor: Sequence[str], unit: str, *, most: float
) -> Result:
    """Run both in turn, so that a slow moment of the machine slows both; take the medians."""
    pairs = [(_seconds(command), _seconds(floor)) for _ in range(_PAIRS)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(mine / other for mine, other in pairs)
    return Result(
        name=name,
        measured=f"{ours * 1000:.0f} ms, {ratio:.2f} times {theirs * 1000:.0f} ms",
        target=f"≤ {most:g} times {unit}",
        met=ratio <= most,
    )


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _seconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
