"""A queue that starts nothing although jobs wait in it: one trouble, however many wait."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class BlockedQueue:
    """A queue that does not move, by the cleanup's judgement.

    ``since`` is since when it has not moved, as far as is known. ``sentence`` says why in plain
    words, ``advice`` what to do; ``blocker`` is the id of the job at its head, if that is why.
    ``waiting`` counts the RUNNABLE jobs. ``held_back`` says how many jobs the breaker has kept
    from being cancelled.
    """

    queue: str
    since: datetime | None
    sentence: str
    advice: str
    waiting: int
    blocker: str | None = None
    held_back: int = 0
