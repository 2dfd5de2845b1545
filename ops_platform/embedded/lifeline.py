"""What a child process does to itself before it becomes another program. Linux and plain Unix."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL = 1
_NEW_USER_NAMESPACE = 0x10000000
# Any id but 0 does: it is only how the process sees itself.
_ORDINARY_ID = 1000


def follow_parent(on_death: signal.Signals) -> Callable[[], None]:
    """Return a ``preexec_fn`` that ties a child to the life of the process which calls this.

    The kernel sends ``on_death`` to the child when its parent dies, however it dies. A change of
    credentials clears that, so it has to be the last thing before the other program starts.
    Elsewhere than on Linux the child is not tied.
    """
    parent = os.getpid()

    def tie() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, int(on_death), 0, 0, 0)
        # The parent may have died before the kernel was told to watch it.
        if os.getppid() != parent:
            os._exit(1)

    return tie


def become_ordinary() -> None:
    """Stop being root in the eyes of the next program, and keep owning the same files.

    Postgres refuses to run as root. In a user namespace of its own root has another number, while
    folders keep their owner and their mode.

    Raises:
        OSError: this machine lets no user namespace be made.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USER_NAMESPACE):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "user namespace")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_ORDINARY_ID} 0 1")
    Path("/proc/self/gid_map").write_text(f"{_ORDINARY_ID} 0 1")
