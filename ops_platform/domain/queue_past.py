"""What befell a queue lately, which may speak for the jobs that seem to be stuck in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ops_platform.domain.staleness import Judged, Trip, Why, run_of
from ops_platform.domain.words import duration

_STUCK = frozenset({Why.STUCK})


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that was cancelled since its queue did not move, of which run, and when."""

    job_id: str
    run: str
    at: datetime


@dataclass(frozen=True, slots=True)
class QueuePast:
    """What befell a queue.

    ``out_of_order_at`` is when jobs were last seen to wait since it was out of order. ``ended`` is
    the job that was cancelled as stuck last, if the queue has started nothing after that.
    ``changing`` names what somebody is changing of it right now.
    """

    out_of_order_at: datetime | None = None
    ended: Ended | None = None
    changing: str | None = None

    def excuses(self, stale: Iterable[Judged], now: datetime) -> Trip | None:
        """Return why jobs are not to be cancelled as stuck; None if nothing speaks for them.

        After a repair jobs get their time anew. And where the next one is stuck although another
        was cancelled, it was not the other that blocked the queue.
        """
        stuck = [each for each in stale if each.verdict.why is Why.STUCK]
        grace = max((each.policy.stuck_after for each in stuck), default=None)
        if grace is None:
            return None
        if self.changing:
            return Trip(f"{self.changing} is being changed, and nothing starts meanwhile.", _STUCK)
        if self.out_of_order_at is not None and now - self.out_of_order_at < grace:
            ago = duration(now - self.out_of_order_at)
            repaired = (
                f"It was out of order until {ago} ago at most, and has started nothing since."
            )
            return Trip(repaired, _STUCK)
        if self.ended and any(run_of(each) != self.ended.run for each in stuck):
            ago = duration(now - self.ended.at)
            vain = (
                f"Nothing has started in it since job {self.ended.job_id} was cancelled {ago} ago"
            )
            return Trip(f"{vain} as stuck, so it is no job that blocks it.", _STUCK)
        return None
