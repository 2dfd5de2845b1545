"""A world in which cleaners are processes, to be killed at any step of their work."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Client, Listener
from pathlib import Path
from threading import Thread
from typing import Any, cast

from ops_platform_tests.operations.cleaning_process import Order
from ops_platform_tests.operations.delivery_process import END
from ops_platform_tests.operations.sender_room import Nursery
from ops_platform_tests.operations.stale_world import World


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Run the process that forks cleaners; it ends with the block, and they with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ops_platform_tests.operations.cleaning_process"],
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


@dataclass(frozen=True, slots=True)
class Room:
    """A world, and how processes reach its ledger and its AWS."""

    world: World
    database_url: str
    aws: str
    forks: Nursery

    def dies_at(self, step: int) -> str | None:
        """Run a cleaner and kill it at a step; return which it was, None if it had none left."""
        world = self.world
        order = Order(self.database_url, self.aws, world.clock(), world.policies, step)
        pid = self.forks.start(cast("Any", order))
        reached = self.forks.line()
        if reached == END:
            return None
        os.kill(pid, signal.SIGKILL)
        return reached


@contextmanager
def room(world: World, database_url: str, forks: Nursery) -> Iterator[Room]:
    """Answer the processes' calls of AWS for as long as the block lasts."""
    with Listener(family="AF_UNIX") as listener:
        answering = Thread(target=_answer, args=(listener, world))
        answering.start()
        try:
            yield Room(world, database_url, str(listener.address), forks)
        finally:
            with Client(listener.address) as connection:
                connection.send(None)
            answering.join()


def _answer(listener: Listener, world: World) -> None:
    """Answer one process after the other, until one asks for nothing."""
    while True:
        with listener.accept() as connection, suppress(EOFError, ConnectionError):
            while asked := connection.recv():
                whom, action, values, named = asked
                asked_of = world.batch.api if whom == "batch" else world.stopper
                connection.send(getattr(asked_of, action)(*values, **named))
            return
