"""The guard: ends all that `up` started once `up` is gone, whether it left or was killed.

It waits for the end of its standard input, whose other end only `up` has. What `up` started is
known by a mark in the environment, which children of children inherit, or, where there is no
``/proc``, by the process groups that `up` told it. Everything is asked to end first, then made to.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

MARK = "OPS_PLATFORM_EMBEDDED_UP"
# `up` promises to be gone within 8 seconds; Postgres goes after the guard.
GRACE_SECONDS = 3.5
_KILL_SECONDS = 2.0
_LOOK_SECONDS = 0.05


def main(mark: str) -> None:
    """Wait for the end of `up`, then end what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = [int(line) for line in sys.stdin]
    end(signal.SIGTERM, os.killpg, groups)
    _until_gone(mark, groups, seconds=GRACE_SECONDS)
    deadline = time.monotonic() + _KILL_SECONDS
    while not _until_gone(mark, groups, seconds=0) and time.monotonic() < deadline:
        end(signal.SIGKILL, os.killpg, groups)
        end(signal.SIGKILL, os.kill, marked(mark))
        time.sleep(_LOOK_SECONDS)


def end(number: signal.Signals, how: Callable[[int, int], None], ids: Iterable[int]) -> None:
    """Send a signal to processes or groups, some of which may have ended."""
    for each in ids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            how(each, number)


def marked(mark: str) -> list[int]:
    """Return the living processes, except this one, that have the mark in their environment."""
    entry = f"{MARK}={mark}".encode()
    proc = Path("/proc")
    pids = (
        [int(path.name) for path in proc.iterdir() if path.name.isdigit()] if proc.is_dir() else []
    )
    return [pid for pid in pids if pid != os.getpid() and entry in _environment(pid)]


def _environment(pid: int) -> list[bytes]:
    # Empty for a process that has ended and only waits for its parent to notice.
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _until_gone(mark: str, groups: list[int], *, seconds: float) -> bool:
    """Wait until nothing is left; false if something still is when the time is up."""
    deadline = time.monotonic() + seconds
    while marked(mark) or any(_lives(group) for group in groups):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    main(sys.argv[1])
