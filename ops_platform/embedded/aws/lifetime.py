"""When the account ends: on a signal, or with the process that started it."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType


class Lifetime:
    """Waits for the end; take it in the main thread.

    The signals are handled even where they are ignored at the start, as in a script's background.
    """

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self._over = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)

    def wait(self, is_working: Callable[[], bool]) -> None:
        """Return when it is time to end, or what is to work has failed.

        The parent is looked at rather than followed by PR_SET_PDEATHSIG, which would tell the end
        of the parent's thread, and Linux only.
        """
        while not self._over.wait(0.3):
            if os.getppid() != self._parent or not is_working():
                return

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._over.set()
