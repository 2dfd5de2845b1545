"""Ends every process of every job once the emulated account is gone, however it went.

Runs as a script of its own, with nothing but the standard library, and waits for the end of its
standard input: the account holds the other end, which closes even if the account is SIGKILLed.
Job processes are known by a word in their environment, which their children inherit; where there
is no ``/proc``, by the process groups that the account told.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

MARK = "OPS_PLATFORM_JOB_MARK"


def marked_processes(mark: str) -> list[int]:
    """Return the processes that have the mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    return [pid for pid in _processes() if wanted in _environment(pid)]


def kill_marked(mark: str) -> None:
    """End the marked processes, and those they start meanwhile."""
    for _ in range(20):
        found = [pid for pid in marked_processes(mark) if pid != os.getpid()]
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return
        time.sleep(0.05)


def _processes() -> list[int]:
    proc = Path("/proc")
    return (
        [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()]
        if (proc.is_dir())
        else []
    )


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _watch(mark: str) -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        change, group = line[0], int(line[1:])
        (groups.add if change == "+" else groups.discard)(group)
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    kill_marked(mark)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _watch(sys.argv[1])
