"""What rollups cost: an hour of a million events, a month in one run, and how both grow.

The floor is the same aggregation by DuckDB alone, in the same run and over the same rows, which it
already has in tables of its own, by queries written apart; ours also takes the rows out of Postgres
and puts the results back, with every value that a percentile of other groups may need.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bench.database import Bench
from bench.results import Result
from bench.rollup_floor import loaded
from bench.rollup_load import Load, fill
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.hours import HOUR, Hours, of_day
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.operations.roll_up_metrics import roll_up_days, roll_up_hours

_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_SIZES = (10_000, 100_000, 1_000_000)
_SECONDS, _TIMES, _GROWTH = 5.0, 3.0, 1.5
_DAYS, _EVENTS_A_DAY = 30, 100_000
_FLAT = 1.2


def rollups(bench: Bench) -> Iterator[Result]:
    """Measure an hour of several sizes, then a month."""
    yield from _hours(bench)
    yield from _month(bench)


def _hours(bench: Bench) -> Iterator[Result]:
    found = {size: _an_hour(bench, size) for size in _SIZES}
    ours, floor = found[_SIZES[-1]]
    yield Result(
        name="(a) roll up an hour of 1,000,000 events, all metrics",
        measured=f"{ours:.1f} s",
        target=f"≤ {_SECONDS:g} s",
        met=ours <= _SECONDS,
    )
    yield Result(
        name="(a) the floor: the same by DuckDB, which has the rows in its tables",
        measured=f"{floor:.1f} s; ours takes {ours / floor:.1f} times",
        target=f"≤ {_TIMES:g} times",
        met=ours <= _TIMES * floor,
    )
    for size, (seconds, _) in found.items():
        yield Result(f"(c) an hour of {size:,} events", f"{seconds:.2f} s")
    # What an hour costs that has next to nothing is no part of what an event costs.
    small, large = found[_SIZES[1]][0] / _SIZES[1], ours / _SIZES[-1]
    yield Result(
        name="(c) cost of an event, 1,000,000 against 100,000",
        measured=f"{large / small:.2f} times",
        target=f"≤ {_GROWTH:g} times (linear)",
        met=large <= _GROWTH * small,
    )


def _an_hour(bench: Bench, size: int) -> tuple[float, float]:
    """Return the seconds of an hour of so many events: ours, and those of DuckDB alone."""
    with bench.ledger() as ledger:
        fill(ledger, Load(events=size, begin=_AT))
        _settle(ledger)
        started = time.perf_counter()
        roll_up_hours(ledger, [_AT], prices=DEFAULT_PRICES, now=_AT + HOUR)
        ours = time.perf_counter() - started
        return ours, _floor(ledger)


def _floor(ledger: Ledger) -> float:
    """Return the seconds of DuckDB alone, over the same rows; it must find the same."""
    with loaded(ledger, Hours(_AT, _AT + HOUR), DEFAULT_PRICES[0]) as floor:
        seconds = floor.seconds()
        if differing := floor.differing(ledger):
            raise RuntimeError(f"DuckDB alone finds other numbers of {', '.join(differing)}.")
        return seconds


def _month(bench: Bench) -> Iterator[Result]:
    with bench.ledger() as ledger:
        begin = _AT.replace(hour=0)
        for day in range(_DAYS):
            at = begin + timedelta(days=day)
            fill(ledger, Load(_EVENTS_A_DAY, at, seconds=85_000, seed=day))
        _settle(ledger)
        days = [begin.date() + timedelta(days=day) for day in range(_DAYS)]
        peaks: list[int] = []
        now = begin + timedelta(days=_DAYS + 1)
        _peak()
        started = time.perf_counter()
        roll_up_hours(
            ledger,
            [hour for day in days for hour in of_day(day)],
            prices=DEFAULT_PRICES,
            now=now,
            show=lambda _: peaks.append(_peak()),
        )
        hours = time.perf_counter() - started
        roll_up_days(ledger, days, now=now)
        seconds = time.perf_counter() - started
    yield Result(
        name="(b) roll up 30 days of 100,000 events each in one run",
        measured=f"{seconds:.0f} s: {hours:.0f} s for 720 hours, {seconds - hours:.0f} s for days",
    )
    first, last = max(peaks[: _DAYS // 3]), max(peaks[-_DAYS // 3 :])
    yield Result(
        name="(b) its memory at most, in the first and the last ten days",
        measured=f"{first / 1e6:.0f} and {last / 1e6:.0f} MB",
        target=f"≤ {_FLAT:g} times (flat)",
        met=last <= _FLAT * first,
    )


def _settle(ledger: Ledger) -> None:
    """Leave a table as a ledger has it that was not filled in a minute."""
    with ledger.transaction() as tx:
        tx.execute(sa.text("ANALYZE"))


def _peak() -> int:
    """Return the most memory that this process had since the last look."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    Path("/proc/self/clear_refs").write_text("5")
    return int(line.split()[1]) * 1024
