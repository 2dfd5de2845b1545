"""Ingest goes on while history is dropped: neither makes the other fail, or wait for long."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event as Signal

import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.operations.keep_history import Kept, keep_history
from ops_platform_tests.build import a_job_event
from ops_platform_tests.operations.history_world import (
    NOW,
    a_run_of,
    day,
    dropped,
    partitions,
    resolve_all,
    some_days,
    tell,
)

# On a busy machine; the lock itself is asked for no longer than half a second.
_NOT_LONG = 5


@contextmanager
def _reading(ledger: Ledger) -> Iterator[None]:
    """Read the events in a transaction that lasts as long as the block."""
    reads, ends = Signal(), Signal()

    def read() -> None:
        with ledger.transaction() as tx:
            tx.execute(sa.text("SELECT count(*) FROM events"))
            reads.set()
            ends.wait(60)

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            assert reads.wait(60)
            yield
        finally:
            ends.set()
            reader.result()


def _keep(ledger: Ledger, number: int = 3, pause: Callable[[float], None] = time.sleep) -> Kept:
    return keep_history(ledger, kept_from=day(number), now=NOW, pause=pause)


def test_ingest_does_not_wait_for_what_cannot_be_dropped(ledger: Ledger) -> None:
    """Though whoever wants to drop waits for somebody who reads, and would be next."""
    tell(ledger, [*some_days(1), a_job_event(id="today", time=NOW)])
    waits: list[float] = []

    with _reading(ledger), ThreadPoolExecutor(1) as pool:
        dropping = pool.submit(_keep, ledger, pause=lambda _: None)
        while not dropping.done():
            began = time.monotonic()
            tell(ledger, [a_job_event(id=f"{len(waits)}", time=NOW)])
            waits.append(time.monotonic() - began)
        done = dropping.result()

    assert done.busy == (day(0),)
    assert len(waits) > 5
    assert max(waits) < _NOT_LONG


@pytest.mark.timeout(300)
def test_days_begin_while_others_are_dropped(ledger: Ledger) -> None:
    """Both lock the events and those of far days, and neither is ever the victim of the other."""
    tell(ledger, some_days(3))
    resolve_all(ledger)

    def ingest() -> None:
        for number in range(3, 11):
            tell(ledger, a_run_of(number))

    with ThreadPoolExecutor(2) as pool:
        ingesting = pool.submit(ingest)
        number = 1
        while not ingesting.done() or number < 4:
            pool.submit(_keep, ledger, min(number, 3)).result()
            number += 1
        ingesting.result()

    assert partitions(ledger) == [day(number) for number in range(3, 11)]
    assert dropped(ledger) == [day(0), day(1), day(2)]
