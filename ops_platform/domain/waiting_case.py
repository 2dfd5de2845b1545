"""A job in its situation: what the steps of a diagnosis look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_platform.domain import evidence
from ops_platform.domain.capacity import Environment, InstanceType, Queue, Situation, Size
from ops_platform.domain.fitting import Offer, may_fit, nearest_offer, surely_fits
from ops_platform.domain.native_reasons import NativeReason, read_native
from ops_platform.domain.occupancy import moves, room_for
from ops_platform.domain.size_words import Place
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
    def place(self) -> Place:
        """Where the flow says what it asks for."""
        latest = self.waiting.job.latest
        return Place(latest.flow, latest.step)

    @property
    def native(self) -> NativeReason | None:
        """What Batch itself finds."""
        return read_native(self.status_reason)

    @property
    def fitting(self) -> list[Environment]:
        """The environments that it might fit, in order or not."""
        return [each for each in self.queue.environments if may_fit(self.asked, each)]

    @property
    def room(self) -> list[Environment]:
        """The environments in which it might start now."""
        return room_for(self.asked, self.situation)

    @property
    def fits_surely(self) -> bool:
        """Whether it fits an environment that is in order, without any doubt."""
        return any(surely_fits(self.asked, each) for each in self.room)

    @property
    def nearest(self) -> Offer | None:
        """What comes nearest to it where it might start now."""
        return nearest_offer(self.asked, self.room)

    @property
    def snug(self) -> Offer | None:
        """What it fits by EC2's figures alone, which the agent of ECS does not leave to jobs."""
        offer = self.nearest
        if offer is None or self.fits_surely or not offer.type.size.holds(self.asked):
            return None
        return offer

    @property
    def queue_moves(self) -> bool:
        """Whether its queue moves."""
        return moves(self.situation, self.within, self.now)

    @property
    def index(self) -> int | None:
        """How many jobs are in front of it, None if it is not in front or nobody knows."""
        ids = [place.job_id for place in self.situation.front or ()]
        return ids.index(self.waiting.id) if self.waiting.id in ids else None

    def compared(self) -> list[evidence.Compared]:
        """Return the figures that speak for whatever is found."""
        return [
            *evidence.sizes(self.asked, self.situation),
            *evidence.environments(self.situation),
            *evidence.course(self.situation, self.now),
            *evidence.said(self.status_reason),
        ]
