"""`ops-platform embedded up` as a real process, and a look at what it leaves behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ops_platform_tests.embedded.postgres_holders import eventually

_COMMAND = (sys.executable, "-c", "from ops_platform.cli.main import main; main()")
# As a script's background job does it, and `nohup`.
DEAF = ("sh", "-c", "trap '' INT TERM HUP; exec \"$@\"", "sh")


class Up:
    """One edition; its output goes to a file in its state folder's parent."""

    def __init__(self, state: Path, *options: str, prefix: Sequence[str] = ()) -> None:
        self.state = state
        self.output = state.with_suffix(".output")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*prefix, *_COMMAND, "embedded", "up", "--state", state, *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=Path(__file__).parents[2],
                start_new_session=True,
            )

    def said(self) -> str:
        """Return what it has printed so far."""
        return self.output.read_text()

    def await_words(self, words: str, *, seconds: float = 90) -> None:
        """Wait until it has printed something."""
        eventually(lambda: words in self.said() or self.process.poll() is not None, seconds=seconds)
        assert words in self.said(), self.said()

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Send a signal; return the exit code and how long it took until nothing was left."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        eventually(lambda: not left_over(self.state), seconds=20)
        return code, time.monotonic() - began

    def addresses(self) -> dict[str, Any]:
        """Return the addresses it wrote down."""
        written: dict[str, Any] = json.loads((self.state / "embedded.json").read_text())
        return written

    def address(self, name: str) -> str:
        """Return one of them."""
        return str(self.addresses()[name])

    def listed(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a command that lists things, as in another terminal."""
        rows: list[dict[str, Any]] = self._asked(*arguments)
        return rows

    def shown(self, *arguments: str) -> dict[str, Any]:
        """Run a command that shows one thing, as in another terminal."""
        record: dict[str, Any] = self._asked(*arguments)
        return record

    def _asked(self, *arguments: str) -> Any:
        done = subprocess.run(
            [*_COMMAND, *arguments, "--json"],
            env={**os.environ, "OPS_STATE_DIR": str(self.state)},
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )
        return json.loads(done.stdout)


@contextlib.contextmanager
def up(state: Path, *options: str, prefix: Sequence[str] = ()) -> Iterator[Up]:
    """Start an edition on free ports; it does not outlive the block."""
    started = Up(state, "--port-base", "0", *options, prefix=prefix)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()
        eventually(lambda: not left_over(state), seconds=20)


def left_over(state: Path) -> list[str]:
    """Return the living processes that have to do with a state folder."""
    return [name for pid in _pids() if (name := _belongs(pid, state.resolve()))]


def pid_of(state: Path, *words: str) -> int:
    """Return the process of a state folder whose command has all the words."""
    found = [
        pid
        for pid in _pids()
        if (name := _belongs(pid, state.resolve())) and all(word in name for word in words)
    ]
    return found[0]


def _belongs(pid: int, state: Path) -> str:
    """Return the command of a process if it was started for, by, or in the folder."""
    place = Path(f"/proc/{pid}")
    try:
        command = place.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
        environment = place.joinpath("environ").read_bytes()
        inside = place.joinpath("cwd").readlink().is_relative_to(state)
    except OSError:
        return ""
    theirs = inside or str(state) in command or f"OPS_STATE_DIR={state}\0".encode() in environment
    return f"{pid} {command}" if theirs and pid != os.getpid() else ""


def _pids() -> list[int]:
    return sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
