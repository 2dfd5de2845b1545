"""The log of calls: what was asked of the inbox, and whether anyone asked too soon."""

import threading
from collections.abc import Callable
from typing import Final

import msgspec

_MOST: Final = 100_000


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a method."""

    method: str
    channel: str | None
    at: float
    outcome: str
    """``ok``, Slack's error code, an HTTP status, ``cut``, or ``ratelimited``."""
    too_soon: bool
    """Whether it came inside the Retry-After of an earlier answer to the same question."""


class Calls:
    """Every call in order, the oldest forgotten when there are too many."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._not_before: dict[tuple[str, str | None], float] = {}

    def arrived(self) -> float:
        """Return the time by the clock of the log."""
        return self._clock()

    def add(
        self, method: str, channel: str | None, at: float, outcome: str, *, limited: str | None
    ) -> None:
        """Note a call that arrived at that time; ``limited`` is the channel it is limited by."""
        with self._lock:
            too_soon = at < self._not_before.get((method, limited), 0.0)
            self._calls.append(
                Call(method=method, channel=channel, at=at, outcome=outcome, too_soon=too_soon)
            )
            del self._calls[:-_MOST]

    def hold_off(self, method: str, limited: str | None, seconds: float) -> None:
        """Note that the caller was told to wait."""
        with self._lock:
            self._not_before[method, limited] = self._clock() + seconds

    def all(self) -> list[Call]:
        """Return the calls in order."""
        with self._lock:
            return list(self._calls)
