"""The folder in which one embedded edition keeps all that it has: ``.ops-platform/``."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops_platform.domain.errors import PlatformError
from ops_platform.settings.edition import EMBEDDED_FILE, STATE_FOLDER, STATE_VARIABLE

# How long the programs of a killed `up` may take to end.
_REMAINS_SECONDS = 8.0


class StateFolderError(PlatformError):
    """The folder cannot be used, or is in use."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The places inside a state folder."""

    root: Path

    @property
    def logs(self) -> Path:
        """What each program wrote since the last start."""
        return self.root / "logs"

    @property
    def aws(self) -> Path:
        """The working folders of the emulated accounts; empty at each start."""
        return self.root / "aws"

    @property
    def slack(self) -> Path:
        """The messages of the Slack inbox."""
        return self.root / "slack"

    @property
    def dagster(self) -> Path:
        """The home of Dagster."""
        return self.root / "dagster"

    @property
    def demo(self) -> Path:
        """Where the demo flows are deployed from; empty at each start."""
        return self.root / "demo"

    @property
    def addresses(self) -> Path:
        """Where `up` can be reached while it runs."""
        return self.root / EMBEDDED_FILE

    @property
    def lock(self) -> Path:
        """Locked while `up`, or what a killed one left, is running; holds its pid."""
        return self.root / "up.lock"

    def make(self) -> None:
        """Make the folders, open to this user alone."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.logs, self.aws, self.slack, self.dagster, self.demo):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StateFolderError(
                f"The state folder {self.root} cannot be used: {error.strerror} "
                f"({error.filename}). Give another one with --state or {STATE_VARIABLE}."
            ) from error

    @contextlib.contextmanager
    def claim(self) -> Iterator[int]:
        """Be the one `up` of this folder; yields the descriptor of the lock.

        Raises:
            StateFolderError: another one is running.
        """
        with self.lock.open("a+") as lock:
            self._take(lock.fileno())
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            try:
                yield lock.fileno()
            finally:
                self.addresses.unlink(missing_ok=True)

    def _take(self, lock: int) -> None:
        """Take the lock, waiting only for what a killed `up` left behind."""
        deadline = time.monotonic() + _REMAINS_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = self.lock.read_text().strip()
                if _lives(owner) or time.monotonic() > deadline:
                    raise StateFolderError(
                        f"The embedded edition is already up in {self.root} (process {owner}). "
                        "End it first, or give this one a folder and ports of its own: "
                        "--state DIR --port-base PORT."
                    ) from None
                time.sleep(0.1)
            else:
                return

    def write_addresses(self, addresses: Mapping[str, object]) -> None:
        """Say where `up` can be reached: other commands read it, never half of it."""
        unfinished = self.addresses.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(addresses, indent=2) + "\n")
        unfinished.rename(self.addresses)


def state_folder(chosen: Path | None, environ: Mapping[str, str]) -> StateFolder:
    """Return the folder that was chosen, or else the environment's, or else the default one."""
    return StateFolder((chosen or Path(environ.get(STATE_VARIABLE) or STATE_FOLDER)).resolve())


def _lives(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
