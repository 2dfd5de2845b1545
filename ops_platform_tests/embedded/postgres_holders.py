"""Holders of an embedded Postgres as real processes, and a look at what runs for a state folder."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

_HOLD = """
import sys
from pathlib import Path
from ops_platform.embedded.postgres import running_postgres

with running_postgres(Path(sys.argv[1])) as server:
    with server.connect("ledger") as connection:
        (started,) = connection.execute("SELECT pg_postmaster_start_time()").fetchone()
    print(started, flush=True)
    sys.stdin.read()
"""


class Holder:
    """A process that holds the Postgres of a folder until it is told to leave."""

    def __init__(self, folder: Path, *, prefix: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", _HOLD, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def server(self) -> str:
        """Return when the server it holds was started, once it holds one."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def leave(self) -> None:
        """Let it leave in order and wait until it has."""
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=30)


@contextlib.contextmanager
def holders(folder: Path, count: int, *, prefix: Sequence[str] = ()) -> Iterator[list[Holder]]:
    """Start holders at once; whichever are left at the end are killed."""
    started = [Holder(folder, prefix=prefix) for _ in range(count)]
    try:
        yield started
    finally:
        for holder in started:
            holder.kill()


def keepers(folder: Path) -> list[int]:
    """Return the keepers that run for a state folder."""
    marks = (b"ops_platform.embedded.postgres_keeper", bytes(folder.resolve()))
    return [pid for pid in _pids() if all(mark in _command(pid).split(b"\0") for mark in marks)]


def servers(folder: Path) -> list[int]:
    """Return the processes of the server; the first one is the postmaster."""
    data = folder.resolve() / "postgres" / "data"
    return [pid for pid in _pids() if _workplace(pid) == data]


def eventually(happens: Callable[[], bool], *, seconds: float = 10, every: float = 0.01) -> bool:
    """Wait until something is so, a few seconds at most."""
    deadline = time.monotonic() + seconds
    while not happens() and time.monotonic() < deadline:
        time.sleep(every)
    return happens()


def _pids() -> list[int]:
    return sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _workplace(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None
