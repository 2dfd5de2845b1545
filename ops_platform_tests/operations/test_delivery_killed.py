"""Senders that are killed at their work: each alert is in the channel exactly once in the end."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform_tests.operations.delivery_process import NOWHERE, POINTS
from ops_platform_tests.operations.delivery_world import LEASE, World, world_around

pytestmark = pytest.mark.slow

_PATIENCE_SECONDS = 60


class Room:
    """A world in which senders are processes."""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self._url = url

    def dies(self, point: str = NOWHERE, *, skip: int = 0) -> None:
        """Run a sender, and kill it when it has come to a point."""
        with self._sender(point, skip) as process:
            assert _line(process) == point
            process.kill()

    def dies_during_its_post(self) -> None:
        """Run a sender, and kill it while Slack is at work on its post."""
        before = len(self.world.inbox.messages())
        with self._sender(NOWHERE) as process:
            while len(self.world.inbox.messages()) == before:
                assert process.poll() is None
                time.sleep(0.02)
            process.kill()

    def delivers(self) -> list[str] | None:
        """Run a sender that lives; return what its round came to."""
        with self._sender(NOWHERE) as process:
            told: list[str] | None = json.loads(_line(process))
            assert process.wait(timeout=_PATIENCE_SECONDS) == 0
        return told

    @contextmanager
    def _sender(self, point: str, skip: int = 0) -> Iterator[subprocess.Popen[bytes]]:
        now = self.world.clock().isoformat()
        given = (self._url, self.world.inbox.api_url, now, point, str(skip))
        process = subprocess.Popen(
            [sys.executable, "-m", "ops_platform_tests.operations.delivery_process", *given],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
            stdout=subprocess.PIPE,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()


def _line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], _PATIENCE_SECONDS)[0], "it says nothing"
    return process.stdout.readline().decode().strip()


@pytest.fixture
def room(ledger: Ledger, ledger_url: str) -> Iterator[Room]:
    """Give a world with three alerts that are due, two of them for the same channel."""
    with world_around(ledger) as world:
        world.failed_run("run-1")
        world.wait(seconds=1)
        world.failed_run("run-2", account="production")
        world.wait(seconds=1)
        world.failed_run("run-3")
        world.settle()
        yield Room(world, ledger_url)


@pytest.mark.parametrize("skip", [0, 1, 2], ids=["first", "second", "third"])
@pytest.mark.parametrize("point", POINTS[:3])
def test_a_sender_killed_at_any_point_loses_no_alert_and_repeats_none(
    room: Room, point: str, skip: int
) -> None:
    """Its successor waits for the end of the lease, then finds or sends what is missing."""
    room.dies(point, skip=skip)
    assert room.delivers() is None
    room.world.wait(seconds=LEASE.total_seconds())
    left = room.delivers()
    assert left == ["sent"] * (2 - skip if point == "recorded" else 3 - skip)
    _assert_each_told_once(room.world)


def test_a_successor_killed_after_its_look_up_is_succeeded_in_turn(room: Room) -> None:
    """Each one that dies leaves the alert in doubt, and each that follows looks first."""
    for point in ("posted", "found", "found"):
        room.dies(point)
        room.world.wait(seconds=LEASE.total_seconds())
    # The others did not have to wait for it.
    assert room.delivers() == ["sent"]
    _assert_each_told_once(room.world)


def test_a_sender_killed_while_slack_is_at_work_leaves_one_message(room: Room) -> None:
    """The answer reaches nobody; the message is found all the same."""
    room.world.inbox.fail(Fault(method="chat.postMessage", delay=30))
    room.dies_during_its_post()
    room.world.wait(seconds=LEASE.total_seconds())
    assert room.delivers() == ["sent"] * 3
    _assert_each_told_once(room.world)


def _assert_each_told_once(world: World) -> None:
    assert [len(world.messages(account)) for account in ("staging", "production")] == [2, 1]
    keys = [_key(message.metadata) for message in world.inbox.messages()]
    assert len(set(keys)) == 3
    assert world.alerts_sent() == 3
    assert world.deliver() == []


def _key(metadata: object) -> str:
    assert isinstance(metadata, dict)
    return str(metadata["event_payload"]["key"])
