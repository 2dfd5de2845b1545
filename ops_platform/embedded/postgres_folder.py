"""Where the Postgres of a state folder keeps its data, its log, its lock and its sockets."""

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from ops_platform.domain.errors import PlatformError

SOCKET_NAME = ".s.PGSQL.5432"
# A Unix socket's path may have 107 bytes, its closing zero not counted.
_LONGEST_SOCKET_PATH = 107
# Nothing that a URL or a configuration file would have to escape.
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


class PostgresError(PlatformError):
    """The embedded Postgres cannot run here; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class PostgresFolder:
    """The files of one embedded Postgres, all of them below ``root``."""

    root: Path

    @classmethod
    def of_state(cls, state: Path) -> "PostgresFolder":
        """Return the place of Postgres in a state folder, the same for every way to name it."""
        return cls(state.resolve() / "postgres")

    @property
    def data(self) -> Path:
        """The cluster itself."""
        return self.root / "data"

    @property
    def unfinished(self) -> Path:
        """A cluster that is still being made; it gets its real name when it is whole."""
        return self.root / "data.unfinished"

    @property
    def lock(self) -> Path:
        """Locked by the keeper, the server and each of the server's processes while they live."""
        return self.root / "alive.lock"

    @property
    def log(self) -> Path:
        """What the keeper and the server wrote since they were last started."""
        return self.root / "postgres.log"

    @property
    def sockets(self) -> Path:
        """The folder of the sockets: ``root``, or one in /tmp if that is too long to bind to."""
        longest = self.root / SOCKET_NAME
        if _PLAIN.fullmatch(str(longest)) and len(os.fsencode(longest)) <= _LONGEST_SOCKET_PATH:
            return self.root
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        # Not the folder of TMPDIR: every holder must find the same one. `prepare` checks its owner.
        return Path("/tmp") / f"ops-platform-{os.getuid()}-{digest}"  # noqa: S108

    @property
    def door(self) -> Path:
        """The socket at which the keeper takes holders."""
        return self.sockets / "keeper.sock"

    def prepare(self) -> None:
        """Make the folders, open to this user alone.

        Raises:
            PostgresError: they cannot be made, or are not ours.
        """
        try:
            self.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in {self.root, self.sockets}:
                folder.mkdir(mode=0o700, exist_ok=True)
                _check_private(folder)
            self.lock.touch(mode=0o600)
        except OSError as error:
            raise PostgresError(
                f"The state folder {self.root.parent} cannot be used: {error.strerror} "
                f"({error.filename}). Give another one with OPS_STATE_DIR."
            ) from error

    def tail_of_log(self, lines: int = 15) -> str:
        """Return the end of the log, or a few words where there is none."""
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return "(no log was written)"
        return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"


def _check_private(folder: Path) -> None:
    """Refuse a folder that somebody else could have put there or could look into."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PostgresError(
            f"{folder} must be a folder of this user with mode 0700; remove it and try again."
        )
