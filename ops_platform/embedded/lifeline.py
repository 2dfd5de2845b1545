"""Ties a child process to the life of its parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_SET_PARENT_DEATH_SIGNAL = 1
ON_PARENT_DEATH = signal.SIGINT


def follow_parent(on_death: signal.Signals = ON_PARENT_DEATH) -> Callable[[], None]:
    """Return a ``preexec_fn`` that ties a child to the life of the process which calls this.

    The kernel sends ``on_death`` to the child when its parent dies, however it dies. A change of
    credentials clears that, so it has to be the last thing before the other program starts.
    Elsewhere than on Linux the child is not tied.
    """
    parent = os.getpid()
    return lambda: end_with(parent, on_death)


def end_with(parent: int, on_death: signal.Signals) -> None:
    """Tie this process to the life of its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, int(on_death), 0, 0, 0)
    # The parent may have died before the kernel was told to watch it.
    if os.getppid() != parent:
        os._exit(1)
