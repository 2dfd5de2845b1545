"""The programs that `up` runs: started, watched, and ended with it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ops_platform.domain.errors import PlatformError
from ops_platform.embedded import guard
from ops_platform.embedded.lifeline import follow_parent

PACKAGE_ROOT = Path(__file__).parents[2]
_GUARD_SECONDS = 7.0
_KILLED_SECONDS = 1.0
_LOOK_SECONDS = 0.1


class ProgramError(PlatformError):
    """A program ended that should have run on, or did not get ready."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run: how it starts, where it logs, and how one sees that it is ready."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    is_ready: Callable[[], bool] = lambda: True
    ready_within: float = 90.0
    # Whether it comes to an end by itself: then it is ready when it has ended well.
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """A program that was started."""

    program: Program
    process: subprocess.Popen[bytes]
    since: float

    @property
    def seconds(self) -> float:
        """For how long it has run."""
        return time.monotonic() - self.since

    def is_ready(self) -> bool:
        """Tell whether it does, or has done, what it is there for."""
        self.require_well()
        return (not self.program.ends or self.process.poll() == 0) and self.program.is_ready()

    def require_well(self) -> None:
        """Raise an error with the end of its log if it ended and should not have."""
        code = self.process.poll()
        if code is not None and not (self.program.ends and code == 0):
            end = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise ProgramError(f"{self.program.name} {end}. {tail(self.program.log)}")


@dataclass(slots=True)
class Programs:
    """All that one `up` has started; `mark` is in the environment of each of them."""

    mark: str
    guard: subprocess.Popen[bytes]
    # The end of this pipe is what the guard waits for; nobody else has it.
    lifeline: IO[bytes]
    # Raises once nobody wants them to run any more.
    require_wanted: Callable[[], None]
    running: list[Running] = field(default_factory=list)

    def start(self, program: Program) -> Running:
        """Start a program that ends when this process ends, in whatever way."""
        with program.log.open("wb") as log:
            process = subprocess.Popen(
                program.command,
                env={**program.environment, guard.MARK: self.mark},
                cwd=program.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=follow_parent(signal.SIGTERM),  # noqa: PLW1509 - no threads here
            )
        started = Running(program, process, time.monotonic())
        self.running.append(started)
        # Should the guard be dead, `require_all_well` says so.
        with contextlib.suppress(BrokenPipeError):
            self.lifeline.write(b"%d\n" % process.pid)
        return started

    def await_ready(self, started: Sequence[Running], told: Callable[[Running], None]) -> None:
        """Wait until programs are ready, telling of each; raise if one of them cannot be."""
        waiting = list(started)
        while waiting:
            for each in [each for each in waiting if each.is_ready()]:
                # Somebody else may answer on its port, for whom it gave way.
                each.require_well()
                waiting.remove(each)
                told(each)
            self.require_all_well()
            for each in waiting:
                _require_in_time(each)
            time.sleep(_LOOK_SECONDS)

    def require_all_well(self) -> None:
        """Raise an error if any program has ended, or the guard over them, or all is to end."""
        self.require_wanted()
        for each in self.running:
            each.require_well()
        if self.guard.poll() is not None:
            raise ProgramError("The process that guards the others was ended from outside.")

    def stop(self) -> None:
        """Have the guard end everything, and return when all of it is gone."""
        self.lifeline.close()
        deadline = time.monotonic() + _GUARD_SECONDS
        # The guard sees those who have ended until their end is noticed here.
        while self._any_lives() and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS / 2)
        guard.end(signal.SIGKILL, os.kill, guard.marked(self.mark))
        for each in self.running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.process.wait(_KILLED_SECONDS)

    def _any_lives(self) -> bool:
        """Notice who has ended; true while the guard has something to do."""
        for each in self.running:
            each.process.poll()
        return self.guard.poll() is None


@contextlib.contextmanager
def guarded_programs(
    *, keep_open: Sequence[int] = (), require_wanted: Callable[[], None] = lambda: None
) -> Iterator[Programs]:
    """Yield a place to start programs in; at the end, and after a SIGKILL, all of them are ended.

    While programs are waited for, ``require_wanted`` is asked, and raises to break that off.

    The guard inherits the descriptors ``keep_open``, so that a lock outlives this process until
    what it started is gone.
    """
    mark = uuid.uuid4().hex
    waits_for, lifeline = os.pipe()
    with os.fdopen(waits_for) as standard_input:
        watcher = subprocess.Popen(
            [sys.executable, "-m", "ops_platform.embedded.guard", mark],
            stdin=standard_input,
            cwd=PACKAGE_ROOT,
            start_new_session=True,
            pass_fds=keep_open,
        )
    programs = Programs(mark, watcher, os.fdopen(lifeline, "wb", buffering=0), require_wanted)
    try:
        yield programs
    finally:
        programs.stop()


def tail(log: Path, lines: int = 20) -> str:
    """Return the end of a log as a sentence about it."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return f"The end of {log}:\n" + "\n".join(text.splitlines()[-lines:])


def _require_in_time(each: Running) -> None:
    limit = each.program.ready_within
    if each.seconds > limit:
        raise ProgramError(
            f"{each.program.name} was not ready within {limit:.0f} s. {tail(each.program.log)}"
        )
