"""Misbehaviour on demand: the next calls of a method go wrong in a chosen way."""

import threading

import msgspec


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How the next calls of a method go wrong.

    ``commit`` says whether the call is carried out all the same: an answer that lies about a
    message that is there. With none of ``status``, ``error``, ``body`` and ``cut`` the call is
    carried out and answered as ever, only slower.
    """

    method: str
    times: int = 1
    skip: int = 0
    """So many calls pass unharmed first."""
    channel: str | None = None
    """Only calls that name this channel, in the words of the caller."""
    status: int | None = None
    """An HTTP status, with a page for a body unless it is 429."""
    error: str | None = None
    """``ok: false`` with this code, inside a 200."""
    body: str | None = None
    """These very bytes, inside a 200."""
    cut: bool = False
    """The connection ends without an answer."""
    commit: bool = False
    retry_after: int = 1
    """Seconds in the header of a 429."""
    hold: float = 0.0
    """Seconds before the call is carried out."""
    delay: float = 0.0
    """Seconds between carrying out and answering."""

    @property
    def answers(self) -> bool:
        """Whether it takes the place of the answer."""
        return self.cut or not (self.status is None and self.error is None and self.body is None)


class Faults:
    """What is still to go wrong, in the order in which it was asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        """Let calls go wrong from now on."""
        with self._lock:
            self._planned.append(msgspec.structs.replace(fault))

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._planned.clear()

    def next_for(self, method: str, channel: str | None) -> Fault | None:
        """Return how this call goes wrong, counting it, or None if it does not."""
        with self._lock:
            for fault in self._planned:
                if fault.method == method and fault.channel in (None, channel):
                    if fault.skip > 0:
                        fault.skip -= 1
                        return None
                    fault.times -= 1
                    if fault.times <= 0:
                        self._planned.remove(fault)
                    return fault
        return None
