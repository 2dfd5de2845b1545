"""Whoever is killed while he drops or imports leaves nothing that the next one cannot finish.

And in between nothing is taken for whole that is not.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.operations.export_events import days_between, export_events
from ops_platform_tests.ledger_world import empty
from ops_platform_tests.operations.delivery_process import END
from ops_platform_tests.operations.history_process import Order
from ops_platform_tests.operations.history_world import (
    NOW,
    Rows,
    all_rows,
    day,
    dropped,
    resolve_all,
    some_days,
    tell,
)
from ops_platform_tests.operations.sender_room import Nursery

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
OLD = days_between(day(0), day(1))
KEPT_FROM = day(2)


@pytest.fixture(scope="module")
def forks() -> Iterator[Nursery]:
    """Give the process that forks others; it ends with the tests, and they with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ops_platform_tests.operations.history_process"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    with process:
        try:
            yield Nursery(process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _dies(forks: Nursery, order: Order) -> str | None:
    """Carry out an order and kill whoever does at its step; return which that was, if any."""
    pid = forks.start(cast("Any", order))
    reached = forks.line()
    if reached == END:
        return None
    os.kill(pid, signal.SIGKILL)
    return reached


def _lived(ledger: Ledger) -> Rows:
    """Let three days pass anew, and return all that is known then."""
    empty(ledger)
    tell(ledger, some_days(3))
    resolve_all(ledger)
    return all_rows(ledger)


def test_one_who_drops_can_be_killed_at_any_step(
    ledger: Ledger, ledger_url: str, forks: Nursery
) -> None:
    """A day of which anything is gone is known as dropped, and the next one drops the rest."""
    before = _lived(ledger)
    assert _dies(forks, Order(ledger_url, NOW, KEPT_FROM)) is None
    expected = all_rows(ledger), dropped(ledger)
    for step in count(1):
        assert _lived(ledger) == before
        died = _dies(forks, Order(ledger_url, NOW, KEPT_FROM, stop_at=step))
        if all_rows(ledger) != before:
            assert dropped(ledger) == OLD, died
        assert _dies(forks, Order(ledger_url, NOW, KEPT_FROM)) is None
        assert (all_rows(ledger), dropped(ledger)) == expected, died
        if died is None:
            break
    assert step > 20


def test_one_who_imports_can_be_killed_at_any_step(
    ledger: Ledger, ledger_url: str, forks: Nursery, tmp_path: Path
) -> None:
    """A day is whole only when all of it is there, and the next one brings the rest."""
    before = _lived(ledger)
    files = tuple(each.file for each in export_events(ledger, OLD, tmp_path, now=NOW))
    for step in count(1):
        assert _lived(ledger) == before
        assert _dies(forks, Order(ledger_url, NOW, KEPT_FROM)) is None
        died = _dies(forks, Order(ledger_url, NOW, files=files, stop_at=step))
        for each in set(OLD) - set(dropped(ledger)):
            assert _of(each, all_rows(ledger)) == _of(each, before), died
        assert _dies(forks, Order(ledger_url, NOW, files=files)) is None
        assert (all_rows(ledger), dropped(ledger)) == (before, []), died
        if died is None:
            break
    assert step > 20


def _of(when: object, rows: Rows) -> Rows:
    """Return the rows of events, jobs and executions that are of a day alone, as all here are."""
    times = {"events": "time", "jobs": "changed_at", "executions": "changed_at"}
    return {
        table: [row for row in rows[table] if row[at].startswith(str(when))]
        for table, at in times.items()
    }
