"""Runs until told to stop: by a signal, or by a program that ends."""

import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

from ops_platform.embedded.processes import Programs

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_SECONDS = 0.2


class StopRequested(BaseException):
    """A signal asked us to stop."""


@dataclass(slots=True)
class Stop:
    """Whether a signal asked us to stop."""

    requested: bool = False

    def require_none(self) -> None:
        """Raise `StopRequested` if one did.

        The signal's handler raised it already; but Python drops what is raised while a callback
        runs, as those around a fork do.
        """
        if self.requested:
            raise StopRequested


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Leave the block at the first signal to stop, also where it was ignored at our start.

    Whoever waits in the block for long asks what it yields from time to time.
    """
    asked = Stop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def stop(_number: int, _frame: FrameType | None) -> None:
        ignore_signals()
        asked.requested = True
        raise StopRequested

    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        yield asked
    except StopRequested:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Stop listening: stopping has begun, and a second ^C must not break it off."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def watch(programs: Programs) -> None:
    """Run until a program ends, which is an error, or a signal comes."""
    while True:
        programs.require_all_well()
        time.sleep(_LOOK_SECONDS)
