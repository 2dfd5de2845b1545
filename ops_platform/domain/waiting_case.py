"""A job in its situation: what the steps of a diagnosis look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_platform.domain import evidence
from ops_platform.domain.capacity import Environment, InstanceType, Queue, Situation, Size
from ops_platform.domain.fitting import Offer, likely_offer, may_fit, surely_fits
from ops_platform.domain.native_reasons import NativeReason, read_native
from ops_platform.domain.occupancy import moves
from ops_platform.domain.size_words import FlowStep
from ops_platform.domain.waiting_jobs import WaitingJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A job in its situation; ``within`` is how lately a queue has moved that does move."""

    waiting: WaitingJob
    situation: Situation
    within: timedelta
    offered: Sequence[InstanceType]
    status_reason: str | None
    now: datetime

    @property
    def asked(self) -> Size:
        """What the job asks for."""
        return self.waiting.asks_for

    @property
    def queue(self) -> Queue:
        """The queue it waits in."""
        return self.situation.queue

    @property
    def flow_step(self) -> FlowStep:
        """Where the flow says what it asks for."""
        latest = self.waiting.job.latest
        return FlowStep(latest.flow, latest.step)

    @property
    def native(self) -> NativeReason | None:
        """What Batch itself finds."""
        return read_native(self.status_reason)

    @property
    def fitting(self) -> list[Environment]:
        """The environments that it might fit, in order or not."""
        every = self.queue.environments
        return [each for each in every if may_fit(self.asked, each, self.offered)]

    @property
    def usable(self) -> list[Environment]:
        """The environments in which it might start now."""
        return [each for each in self.fitting if each.is_usable]

    @property
    def fits_surely(self) -> bool:
        """Whether it fits an environment that is in order, without any doubt."""
        return any(surely_fits(self.asked, each) for each in self.usable)

    @property
    def likely(self) -> Offer | None:
        """What it may well fit where it might start now."""
        return likely_offer(self.asked, self.usable, self.offered)

    @property
    def queue_moves(self) -> bool:
        """Whether its queue moves."""
        return moves(self.situation, self.within, self.now)

    @property
    def index(self) -> int | None:
        """How many jobs are in front of it, None if it is not in front or nobody knows."""
        ids = [position.job_id for position in self.situation.front or ()]
        return ids.index(self.waiting.id) if self.waiting.id in ids else None

    def compared(self) -> list[evidence.Compared]:
        """Return the figures that speak for whatever is found."""
        return [
            *evidence.sizes(self.asked, self.situation),
            *evidence.environments(self.situation),
            *evidence.course(self.situation, self.now),
            *evidence.said(self.status_reason),
        ]
