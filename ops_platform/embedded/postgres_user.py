"""As whom the server's programs run: Postgres refuses to be root.

An ordinary user runs it as itself. Root runs it in a user namespace, in which root has another
number and every file keeps its owner. Where root may make no namespace (in many containers), it
runs as nobody, who then owns the cluster and may pass the closed folders above it.
"""

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ops_platform.embedded.lifeline import ON_PARENT_DEATH, follow_parent

_NEW_USER_NAMESPACE = 0x10000000
# Any id but 0 does: it is only how the process sees itself.
_SEEN_AS = 1000
_NOBODY = 65534
_TO_NOBODY = (
    "setpriv",
    f"--reuid={_NOBODY}",
    f"--regid={_NOBODY}",
    "--clear-groups",
    "--inh-caps=-all,+dac_override",
    "--ambient-caps=-all,+dac_override",
    # Changing the user cleared what `follow_parent` had asked for.
    f"--pdeathsig={ON_PARENT_DEATH.name.removeprefix('SIG')}",
)


@dataclass(frozen=True, slots=True)
class ServerUser:
    """How to start a program of Postgres, and who has to own the cluster."""

    owner: int
    prefix: tuple[str, ...]
    in_namespace: bool

    def start(self, command: list[str | Path], *, lock: int) -> subprocess.Popen[bytes]:
        """Start a program that ends when we do. Only for a process with a single thread.

        It and all it starts inherit the lock, which is free again when the last of them is gone.
        """
        return subprocess.Popen(
            [*self.prefix, *command],
            preexec_fn=self._before_exec(),  # noqa: PLW1509 - one thread, see above
            pass_fds=[lock],
        )

    def give(self, folder: Path) -> None:
        """Make this user the owner of a folder and of all that is in it."""
        if folder.stat().st_uid != self.owner:
            # The folder last: that it is theirs says that all of it is.
            for path in (*_everything_below(folder), folder):
                os.chown(path, self.owner, -1, follow_symlinks=False)

    def _before_exec(self) -> Callable[[], None]:
        follow = follow_parent()

        def prepare() -> None:
            if self.in_namespace:
                _enter_namespace()
            follow()

        return prepare


def server_user() -> ServerUser:
    """Find out as whom Postgres can run here."""
    if os.geteuid() != 0:
        return ServerUser(owner=os.geteuid(), prefix=(), in_namespace=False)
    try:
        # A program must follow: a namespace can be made where it may not be filled in.
        subprocess.run(["true"], preexec_fn=_enter_namespace, check=True)
    except (OSError, subprocess.SubprocessError):
        return ServerUser(owner=_NOBODY, prefix=_TO_NOBODY, in_namespace=False)
    return ServerUser(owner=0, prefix=(), in_namespace=True)


def _enter_namespace() -> None:
    """Stop being root in the eyes of the next program, and go on owning the same files."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USER_NAMESPACE):
        raise OSError(ctypes.get_errno(), "no user namespace")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_SEEN_AS} 0 1")
    Path("/proc/self/gid_map").write_text(f"{_SEEN_AS} 0 1")


def _everything_below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))
