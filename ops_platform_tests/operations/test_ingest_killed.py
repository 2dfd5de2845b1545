"""Ingest is killed with SIGKILL at every point, and nothing is lost and nothing counts twice.

Real processes, a real Postgres, and a queue over HTTP that lives in another process than the one
that dies.
"""

import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from bench.load import Load, run_events
from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.sqs import SqsEventQueue
from ops_platform.clock import now
from ops_platform.domain.ports import Backlog
from ops_platform.operations.ingest_events import record
from ops_platform.settings.accounts import Account
from ops_platform_tests.build import ACCOUNTS, bodies
from ops_platform_tests.build_runs import a_failing_run
from ops_platform_tests.ledger_world import POLICY, alerts, contents, empty
from ops_platform_tests.operations.ingester import POINTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
VISIBILITY_SECONDS = 2
ONCE_PER_RUN = {"incident opened"}


class World:
    """A queue with messages, a ledger, and the processes that carry one into the other."""

    def __init__(self, endpoint: str, ledger_url: str, ledger: Ledger) -> None:
        account = Account(
            name="production",
            aws_account_id="222222222222",
            region="eu-west-1",
            endpoint_url=endpoint,
        )
        self._client = AccountClients(account).sqs
        self._url = self._client.create_queue(
            QueueName=f"events-{uuid4().hex[:12]}",
            Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)},
        )["QueueUrl"]
        self._arguments = (endpoint, self._url, ledger_url)
        self.ledger = ledger

    def send(self, messages: list[bytes]) -> None:
        """Put messages in, in an order of their own."""
        random.Random(len(messages)).shuffle(messages)
        for at in range(0, len(messages), 10):
            self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "MessageBody": message.decode()}
                    for number, message in enumerate(messages[at : at + 10])
                ],
            )

    @contextlib.contextmanager
    def ingester(self, *point: str) -> Iterator[subprocess.Popen[str]]:
        """Run a process that ingests; kill it if it is still there in the end."""
        command = [sys.executable, "-m", "ops_platform_tests.operations.ingester"]
        process = subprocess.Popen(
            [*command, *self._arguments, *point],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate(timeout=30)

    def kill_at(self, point: str, number: int) -> None:
        """Let a process come to a point for the given time, and kill it there."""
        with self.ingester(point, str(number)) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            assert process.stdout.readline() == f"{point}\n"

    def finish(self) -> None:
        """Let undisturbed processes take what is left, as soon as it is visible again."""
        queue = SqsEventQueue(self._client, self._url)
        deadline = time.monotonic() + 60
        while (left := queue.backlog()) != Backlog(visible=0, in_flight=0):
            assert time.monotonic() < deadline, f"The queue still has {left}."
            if left.visible:
                self._ingest()
            time.sleep(0.1)

    def _ingest(self) -> None:
        with self.ingester() as process:
            process.communicate(timeout=60)
            assert process.returncode == 0


@pytest.fixture
def world(ledger_url: str, ledger: Ledger) -> Iterator[World]:
    """Give an emulated queue and an empty ledger."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield World(f"http://{host}:{port}", ledger_url, ledger)
    finally:
        server.stop()


def _expected(ledger: Ledger, messages: list[bytes]) -> object:
    """Return what the ledger holds if nothing disturbs the ingest of the messages."""
    record(ledger, messages, accounts=ACCOUNTS, policy=POLICY, now=now())
    held = contents(ledger), len(alerts(ledger))
    empty(ledger)
    return held


def _cases() -> list[tuple[str, int]]:
    twice = [(point, 2) for point in POINTS if point not in ONCE_PER_RUN]
    return [(point, 1) for point in POINTS] + twice


@pytest.mark.parametrize(("point", "number"), _cases())
def test_a_process_killed_at_a_point_loses_nothing_and_repeats_nothing(
    world: World, point: str, number: int
) -> None:
    """What the next one finds and what it adds is what an undisturbed one would have written."""
    messages = [b"not JSON", *bodies(a_failing_run())]
    expected = _expected(world.ledger, messages)
    world.send(messages)

    world.kill_at(point, number)
    world.finish()

    assert (contents(world.ledger), len(alerts(world.ledger))) == expected


def test_processes_killed_at_random_moments_lose_nothing_and_repeat_nothing(world: World) -> None:
    """A wide foreach, taken in by processes that live for a moment each."""
    messages = list(run_events(Load(width=20, failing=5, started=now())))
    expected = _expected(world.ledger, messages)
    world.send(messages)
    rng = random.Random(7)

    for _ in range(6):
        with world.ingester() as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(rng.uniform(0.02, 0.8))
    world.finish()

    assert (contents(world.ledger), len(alerts(world.ledger))) == expected
