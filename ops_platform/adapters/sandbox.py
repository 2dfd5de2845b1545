"""Tasks run as processes of this machine, kept apart by the kernel as well as it lets us."""

import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from ops_platform.adapters.process_memory import memory_below
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.sandboxes import Ended, Isolation, Limits, Outcome, Task

_LAUNCHER = Path(__file__).parent.parent / "sandboxed" / "launch.py"
_CHUNK = 1 << 16
_LOOK_SECONDS = 0.2
_END_SECONDS = 10.0
# So many times what is kept may be printed: noise is cut, a flood is ended.
_FLOOD = 64
_PATH = "/usr/local/bin:/usr/bin:/bin"


class LocalSandbox:
    """Runs tasks here; fulfils `Sandbox`.

    Args:
        isolated: False to give tasks the caller's own user and network although we might do
            better, as for whoever checks a flow of their own.
    """

    def __init__(self, *, isolated: bool = True) -> None:
        self._isolated = isolated

    @cached_property
    def isolation(self) -> Isolation:
        """How well tasks are kept apart here: it is tried, since containers often forbid it."""
        if not self._isolated or os.geteuid() != 0:
            return Isolation.OWN_CODE
        with tempfile.TemporaryDirectory() as folder:
            task = Task(command=("/bin/true",), folder=folder)
            try:
                self._run(task, Isolation.FULL)
            except PlatformError:
                return Isolation.OWN_USER
        return Isolation.FULL

    def run(self, task: Task) -> Outcome:
        """Run a task to its end; whatever it started has ended too by then."""
        return self._run(task, self.isolation)

    def _run(self, task: Task, isolation: Isolation) -> Outcome:
        home = tempfile.mkdtemp(prefix="sandbox-")
        reading, writing = os.pipe()
        try:
            with os.fdopen(reading, "rb") as report:
                plan = _plan(task, home, isolation, writing)
                launched = _launch(plan, writing)
                watched = _Watched(launched, task.limits)
                ended = watched.ended()
                lines = [json.loads(line) for line in report.read().splitlines()]
        finally:
            shutil.rmtree(home, ignore_errors=True)
        if not lines:
            said = watched.stderr.text.decode(errors="replace").strip()[-500:]
            raise PlatformError(f"A sandbox could not be made: {said or 'it ended at once'}")
        code = lines[-1].get("exit_code") if ended is None else None
        return Outcome(
            ended=ended or (Ended.EXITED if code is not None else Ended.KILLED),
            exit_code=code,
            stdout=watched.stdout.text,
            stderr=watched.stderr.text,
            seconds=watched.seconds,
            peak_memory=watched.peak_memory,
        )


def _plan(task: Task, home: str, isolation: Isolation, report: int) -> dict[str, Any]:
    ours = {"HOME": home, "TMPDIR": home, "PATH": _PATH, "AWS_EC2_METADATA_DISABLED": "true"}
    return {
        **asdict(task.limits),
        "command": task.command,
        "environment": {**task.environment, **ours},
        "folder": task.folder,
        "home": home,
        "isolated": isolation is Isolation.FULL,
        "own_user": isolation is not Isolation.OWN_CODE,
        "readable": task.readable,
        "report": report,
    }


def _launch(plan: Mapping[str, Any], report: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-I", str(_LAUNCHER), json.dumps(plan)],
            env={},
            cwd="/",
            pass_fds=[report],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    finally:
        os.close(report)


class _Kept:
    """The beginning and the end of a stream."""

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._first, self._last = b"", b""
        self.total = 0

    def add(self, chunk: bytes) -> None:
        """Take in what was printed next."""
        room = self._half - len(self._first)
        self._first += chunk[:room]
        self._last = (self._last + chunk[room:])[-self._half :]
        self.total += len(chunk)

    @property
    def text(self) -> bytes:
        """What is kept, with a mark where something is missing."""
        is_cut = self.total > len(self._first) + len(self._last)
        return self._first + (b"\n[...]\n" if is_cut else b"") + self._last


class _Watched:
    """A process that is listened to and ended when it takes more than it may."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits) -> None:
        self._process, self._limits = process, limits
        self._began = time.monotonic()
        self.stdout, self.stderr = _Kept(limits.output), _Kept(limits.output)
        self.seconds = 0.0
        self.peak_memory = 0

    def ended(self) -> Ended | None:
        """Listen until it has ended; return why it was ended, None if it did so by itself."""
        with selectors.DefaultSelector() as selector:
            pairs = (self._process.stdout, self.stdout), (self._process.stderr, self.stderr)
            for stream, kept in pairs:
                selector.register(_pipe(stream), selectors.EVENT_READ, kept)
            try:
                why = self._listen(selector)
            finally:
                self._end()
        self.seconds = time.monotonic() - self._began
        return why

    def _listen(self, selector: selectors.BaseSelector) -> Ended | None:
        looked = 0.0
        while selector.get_map():
            for key, _ in selector.select(_LOOK_SECONDS):
                if chunk := os.read(key.fd, _CHUNK):
                    key.data.add(chunk)
                else:
                    selector.unregister(key.fileobj)
            if time.monotonic() - looked >= _LOOK_SECONDS:
                self.peak_memory = max(self.peak_memory, memory_below(self._process.pid))
                looked = time.monotonic()
            if why := self._too_much():
                return why
        return None

    def _too_much(self) -> Ended | None:
        limits = self._limits
        if time.monotonic() - self._began > limits.seconds:
            return Ended.TIMED_OUT
        if self.peak_memory > limits.total_memory:
            return Ended.TOOK_TOO_MUCH_MEMORY
        if max(self.stdout.total, self.stderr.total) > _FLOOD * limits.output:
            return Ended.TALKED_TOO_MUCH
        return None

    def _end(self) -> None:
        """End the launcher, which ends all it started, or whose end does."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            _pipe(stream).close()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101, Popen was told to make it
    return stream
