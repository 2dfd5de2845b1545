"""Holders come, go and are killed at random, and so are keeper and server."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest

from ops_platform.embedded.postgres import running_postgres
from ops_platform_tests.embedded.postgres_holders import (
    Holder,
    eventually,
    keepers,
    servers,
)

_SECONDS = 20


@pytest.mark.slow
def test_whoever_holds_it_gets_a_server_that_answers(tmp_path: Path) -> None:
    """Through all of it what was committed is there, and at the end nothing runs."""
    over = time.monotonic() + _SECONDS
    trouble = threading.Thread(target=_make_trouble, args=(tmp_path, over))
    written = 0
    with running_postgres(tmp_path) as server, server.connect("ledger") as connection:
        connection.execute("CREATE TABLE kept (number integer)")
    trouble.start()
    while time.monotonic() < over:
        with running_postgres(tmp_path) as server:
            try:
                written += _write(server.connect("ledger"), written)
            except psycopg.OperationalError:
                continue  # killed under our hands, after it was handed out
    trouble.join()
    with running_postgres(tmp_path) as server, server.connect("ledger") as connection:
        found = [n for (n,) in connection.execute("SELECT DISTINCT number FROM kept ORDER BY 1")]
    assert written > 5
    assert found[:written] == list(range(written))
    assert eventually(lambda: not keepers(tmp_path) and not servers(tmp_path))


def _write(connection: psycopg.Connection, number: int) -> int:
    with connection:
        connection.execute("INSERT INTO kept VALUES (%s)", (number,))
    return 1


def _make_trouble(folder: Path, over: float) -> None:
    """Kill holders, the keeper and the postmaster, a few times a second, in no order."""
    chance = random.Random(7)
    while time.monotonic() < over:
        holder = Holder(folder)
        time.sleep(chance.uniform(0, 0.6))
        victims = chance.choice([[], keepers(folder)[:1], servers(folder)[:1]])
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        holder.kill()
