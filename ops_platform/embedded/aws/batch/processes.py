"""The attempts of jobs as local processes, none of which outlives the account."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ops_platform.embedded.aws.batch import warden
from ops_platform.embedded.aws.batch.job_logs import LogPump, LogSink

if TYPE_CHECKING:
    import io

KILLED = 128 + signal.SIGKILL


class Warden:
    """Our end of the process that ends the job processes if we cannot."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        script = str(Path(warden.__file__).resolve())
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", script, self.mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        self._lock = threading.Lock()

    def tell(self, change: str, group: int) -> None:
        """Say that a process group came ("+") or went ("-")."""
        with self._lock, suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.write(f"{change}{group}\n")
                self._process.stdin.flush()

    def close(self) -> None:
        """End every job process that is left, and the warden."""
        with self._lock, suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        self._process.wait(timeout=5)


class AttemptProcess:
    """One running attempt: a process group, a folder, and the pump of its log."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path, warden: Warden) -> None:
        self._process = process
        self._folder = folder
        self._warden = warden
        self.asked_to_end = False

    def exit_code(self) -> int | None:
        """Return the exit code as a container reports it; None while it runs.

        As process 1 of a container a program without a handler does not end on SIGTERM but on
        the SIGKILL that follows, so an end by either signal is reported as 137.
        """
        code = self._process.poll()
        if code is None or code >= 0:
            return code
        return KILLED if -code == signal.SIGTERM and self.asked_to_end else 128 - code

    def ask_to_end(self) -> None:
        """Send SIGTERM to the job."""
        self.asked_to_end = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the job and all it started."""
        self._signal(signal.SIGKILL)

    def clean_up(self) -> None:
        """End what the job left running, as the end of a container does; remove its folder."""
        self._signal(signal.SIGKILL)
        self._warden.tell("-", self._process.pid)
        # A code package of Metaflow is hundreds of files: not in the scheduler's time.
        threading.Thread(target=shutil.rmtree, args=(self._folder, True), daemon=True).start()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


class ProcessStarter:
    """Starts attempts: own folder, own process group, an environment of their own."""

    def __init__(
        self, folder: Path, *, environment: Mapping[str, str], warden: Warden, logs: LogSink
    ) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._warden = warden
        self._logs = logs
        folder.mkdir(parents=True, exist_ok=True)

    def start(
        self, command: Sequence[str], *, environment: Mapping[str, str], stream: str
    ) -> AttemptProcess:
        """Start a command.

        Raises:
            OSError: There is no such program.
            ValueError: The command or its environment contains a NUL.
        """
        folder = Path(tempfile.mkdtemp(prefix="job-", dir=self._folder))
        try:
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=self._whole_environment(folder, environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError):
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._warden.tell("+", process.pid)
        LogPump(cast("io.BufferedReader", process.stdout), stream, self._logs).start()
        return AttemptProcess(process, folder, self._warden)

    def _whole_environment(self, folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
        python = str(Path(sys.executable).parent)
        return {
            "PATH": os.pathsep.join((python, os.environ.get("PATH", os.defpath))),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LANG": "C.UTF-8",
            **environment,
            **self._environment,
            warden.MARK: self._warden.mark,
        }
