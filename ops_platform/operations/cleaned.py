"""What one cleaning of an account came to, for whoever shows it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from ops_platform.domain.blocked_queues import BlockedQueue
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.staleness import Judged
from ops_platform.operations.stale_findings import Counts


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What one cleaning of an account came to.

    ``judged`` are the jobs worth showing, by no means all; ``counts`` are of all that ``waiting``
    counts, and ``oldest`` is for how long one of them has waited at most. ``calls`` are the
    requests to Batch by action. ``cancelled`` are the records of what was asked for now,
    ``settled`` of what was left open before. ``queues`` are the names of those that were looked at
    to their end; were those all of the account's, it is ``whole``. ``concerns`` are the ids of all
    jobs that wait and of whose policy somebody is told. ``delays`` say why it is unfinished where
    the next cleaning just goes on; ``trouble`` is what somebody has to put right.
    """

    account: str
    enforce: bool
    judged: tuple[Judged, ...] = ()
    counts: Counts = field(default_factory=Counter)
    waiting: int = 0
    oldest: timedelta | None = None
    calls: Counter[str] = field(default_factory=Counter)
    cancelled: tuple[Cancellation, ...] = ()
    settled: tuple[Cancellation, ...] = ()
    blocked: tuple[BlockedQueue, ...] = ()
    queues: tuple[str, ...] = ()
    concerns: frozenset[str] = frozenset()
    whole: bool = False
    unfinished: bool = False
    delays: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()
