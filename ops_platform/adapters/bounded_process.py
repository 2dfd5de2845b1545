"""A command that is ended, with all it started, when it takes too long."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended, and what it printed on each stream."""

    exit_code: int
    stdout: str
    stderr: str


def run_bounded(
    command: Sequence[str], *, folder: str | Path, environment: Mapping[str, str], seconds: float
) -> Ran | None:
    """Run a command with this environment alone; None if it had to be ended."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        printed, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)
    return Ran(process.returncode, printed, said)


def _end(process: "subprocess.Popen[str]") -> None:
    """End it and whatever it started: a child may outlive it, and keep what it knows."""
    had_ended = process.poll() is not None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if not had_ended:
        process.communicate()
