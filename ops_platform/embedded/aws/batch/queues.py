"""A job queue: its jobs in the order in which they go, and since when each stands where it does."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from ops_platform.embedded.aws.batch.compute import ComputeEnvironment, State
from ops_platform.embedded.aws.batch.model import Job, now_ms

FRONT = 100
"""As many jobs as GetJobQueueSnapshot shows."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """One entry of jobStateTimeLimitActions."""

    reason: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Rank:
    """A compute environment of a queue, and its place in the order."""

    order: int
    environment: ComputeEnvironment


@dataclass(slots=True, kw_only=True, eq=False)
class Queue:
    """A job queue, first come first served; the scheduler's lock guards it."""

    name: str
    arn: str
    state: State
    priority: int
    ranks: Sequence[Rank]
    time_limits: Sequence[TimeLimit] = ()
    is_deleted: bool = False
    runnable: list[Job] = field(default_factory=list)
    _places: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def environments(self) -> list[ComputeEnvironment]:
        """Its compute environments, the one to be tried first in front."""
        return [rank.environment for rank in self.ranks]

    @property
    def head(self) -> Job | None:
        """The job that is next."""
        return self.runnable[0] if self.runnable else None

    def add(self, job: Job) -> None:
        """Take a job that became RUNNABLE; an older one goes in front of younger ones."""
        insort(self.runnable, job, key=_sequence)
        self._note_places()

    def remove(self, job: Job) -> None:
        """Forget a job, if it is there."""
        index = bisect_left(self.runnable, job.sequence, key=_sequence)
        if index < len(self.runnable) and self.runnable[index] is job:
            del self.runnable[index]
            self._note_places()

    def front(self) -> list[tuple[Job, int]]:
        """Return the first jobs, each with since when it stands at its present place, in ms."""
        return [(job, self._places[job.job_id][1]) for job in self.runnable[:FRONT]]

    def head_since(self) -> int:
        """Return since when the head of the queue has been that, in ms."""
        return self._places[self.runnable[0].job_id][1]

    def limit_for(self, reason: str) -> TimeLimit | None:
        """Return the time limit that a queue sets to a reason."""
        return next((limit for limit in self.time_limits if limit.reason == reason), None)

    def _note_places(self) -> None:
        now, before = now_ms(), self._places
        self._places = {}
        for place, job in enumerate(self.runnable[:FRONT]):
            known = before.get(job.job_id)
            self._places[job.job_id] = (
                known if known is not None and known[0] == place else (place, now)
            )


def _sequence(job: Job) -> int:
    return job.sequence
