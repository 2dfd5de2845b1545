"""What a cleanup found of the jobs that wait in one queue, in memory that does not grow with them.

Only what is acted on or shown is kept of them; the others are counted.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from ops_platform.domain.capacity import Queue, Situation
from ops_platform.domain.causes import Fault
from ops_platform.domain.staleness import Breaker, Decision, Judged, Why, hold_back
from ops_platform.domain.waiting_jobs import runnable_since

Counts = Counter[tuple[Decision, Why]]
# So many runs are told apart when those with stale jobs are counted.
_MOST_RUNS = 10_000
_NOT_WAITING = frozenset({Why.NOT_RUNNABLE, Why.DEPENDENCY_PENDING, Why.ALREADY_CANCELLED})


@dataclass(slots=True)
class Room:
    """How many jobs may be kept to be shown, of whatever queue: so many of each decision.

    Those of whose policy somebody is told have places of their own.
    """

    most: int = 500
    taken: Counter[tuple[Decision, bool]] = field(default_factory=Counter)

    def takes(self, judged: Judged) -> bool:
        """Take up one place, if there is one left."""
        kind = (judged.verdict.decision, judged.policy.warn_before is not None)
        self.taken[kind] += 1
        return self.taken[kind] <= self.most


@dataclass(slots=True)
class Findings:
    """One queue, and what was found of the jobs that wait in it.

    ``situation`` is that of ``found_at``; there is none if only young jobs were seen.
    ``candidates`` are the most pressing of the jobs to be cancelled, by what is held against them,
    since some of that may yet be the fault of the queue. ``culprit`` is the job that shows best why
    the queue is blocked, if it is. ``fault`` says why it is the queue that is at fault.
    ``concerns`` are the ids of the jobs that wait and of whose policy somebody is told.
    ``finished`` says that all its jobs were seen.
    """

    queue: Queue
    most: int
    room: Room
    situation: Situation | None = None
    found_at: datetime | None = None
    waiting: int = 0
    oldest: datetime | None = None
    counts: Counts = field(default_factory=Counter)
    candidates: dict[Why, list[Judged]] = field(default_factory=dict)
    shown: dict[str, Judged] = field(default_factory=dict)
    culprit: Judged | None = None
    fault: str | None = None
    held_back: int = 0
    concerns: set[str] = field(default_factory=set)
    finished: bool = False
    _runs: dict[str, Judged] = field(default_factory=dict)

    def add_young(self, created_at: datetime | None) -> None:
        """Count a job that is too young to be looked at."""
        self.counts[Decision.KEEP, Why.YOUNG] += 1
        self._age(created_at)

    def add(self, judged: Judged, now: datetime) -> None:
        """Count a job, and keep it if something may come of it."""
        judged, verdict = _compact(judged), judged.verdict
        self.counts[verdict.decision, verdict.why] += 1
        self._age(verdict.since or runnable_since(judged.waiting))
        if judged.is_stale:
            self._add_stale(judged)
        if verdict.why is not Why.YOUNG and self.room.takes(judged):
            self.shown[judged.waiting.id] = judged
        if judged.policy.warn_before is not None:
            self.concerns.add(judged.waiting.id)
        if self._blames_queue(judged, now):
            suspects = [judged] if self.culprit is None else [self.culprit, judged]
            self.culprit = min(suspects, key=self._blame)

    def blame_anew(self, culprit: Judged, now: datetime) -> None:
        """Blame the queue by this job alone, if it shows that the queue is blocked."""
        self.culprit = _compact(culprit) if self._blames_queue(culprit, now) else None

    def changed(self, before: Judged, after: Judged | None) -> None:
        """Note what a second look made of a job; None if there is nothing left to judge."""
        self.counts[before.verdict.decision, before.verdict.why] -= 1
        self.shown.pop(before.waiting.id, None)
        if after is not None:
            self.counts[after.verdict.decision, after.verdict.why] += 1
            self.shown[after.waiting.id] = _compact(after)

    def judge_queue(self, breaker: Breaker, *, despite_fault: bool) -> None:
        """Hold all cancellations back if it is the queue that is at fault."""
        trip = breaker.trips(self._runs.values())
        self.fault = trip.sentence if trip else None
        if trip is None or despite_fault:
            return
        for why in trip.spared:
            self.held_back += self.counts.pop((Decision.CANCEL, why), 0)
            self.candidates.pop(why, None)
        self.counts[Decision.WARN, Why.QUEUE_AT_FAULT] += self.held_back
        self.shown = {each.waiting.id: each for each in hold_back([*self.shown.values()], trip)}

    def most_pressing(self) -> list[Judged]:
        """Return what is to be cancelled: what is at the head, then what waits longest."""
        return self._first(each for jobs in self.candidates.values() for each in jobs)

    def urgency(self, judged: Judged) -> tuple[bool, float, str]:
        """Return by what stale jobs are sorted, those of several queues as well."""
        since = judged.verdict.since
        waited_since = since.timestamp() if since else 0.0
        return (not self.is_head(judged), waited_since, judged.waiting.id)

    def is_head(self, judged: Judged) -> bool:
        """Tell whether a job is next in the queue."""
        head = self.situation.head if self.situation else None
        return head is not None and head.job_id == judged.waiting.id

    def _first(self, judged: Iterable[Judged]) -> list[Judged]:
        return sorted(judged, key=self.urgency)[: self.most]

    def _age(self, since: datetime | None) -> None:
        if since is not None:
            self.oldest = min(since, self.oldest or since)

    def _add_stale(self, judged: Judged) -> None:
        alike = self.candidates.setdefault(judged.verdict.why, [])
        alike.append(judged)
        if len(alike) > 4 * self.most:
            alike[:] = self._first(alike)
        run = judged.waiting.job.latest.run_id or judged.waiting.id
        is_new = run not in self._runs and len(self._runs) < _MOST_RUNS
        if is_new or _fault(judged) is Fault.QUEUE:
            self._runs[run] = judged

    def _blames_queue(self, judged: Judged, now: datetime) -> bool:
        """Tell whether a job shows that the queue is blocked, be it ours to cancel or not."""
        fault, since = _fault(judged), runnable_since(judged.waiting)
        if self.situation is None or since is None or judged.verdict.why in _NOT_WAITING:
            return False
        if fault is Fault.QUEUE:
            return now - since >= judged.policy.stuck_after
        if fault is Fault.JOB and self.is_head(judged):
            limit = judged.policy.unfit_after
        elif fault is Fault.STUCK:
            limit = judged.policy.stuck_after
        else:
            return False
        return now - max(since, self.situation.moved_at or since) >= limit

    def _blame(self, judged: Judged) -> tuple[bool, bool]:
        return (_fault(judged) is not Fault.QUEUE, not self.is_head(judged))


def most_pressing(findings: Iterable[Findings], most: int) -> list[tuple[Findings, list[Judged]]]:
    """Return the most pressing stale jobs of all queues, at most so many, by queue."""
    found = [(each.urgency(job), each, job) for each in findings for job in each.most_pressing()]
    pressing = sorted(found, key=lambda each: each[0])[:most]
    by_queue: dict[str, tuple[Findings, list[Judged]]] = {}
    for _, each, job in pressing:
        by_queue.setdefault(each.queue.arn, (each, []))[1].append(job)
    return list(by_queue.values())


def in_all(findings: Iterable[Findings]) -> Counts:
    """Return the counts of all queues together."""
    return sum((each.counts for each in findings), Counts())


def _fault(judged: Judged) -> Fault | None:
    return judged.diagnosis.fault if judged.diagnosis else None


def _compact(judged: Judged) -> Judged:
    """Return it without what is only compared, and may be a token."""
    if judged.waiting.tags is None and judged.waiting.parameters is None:
        return judged
    waiting = replace(judged.waiting, tags=None, parameters=None)
    return Judged(waiting, judged.diagnosis, judged.verdict, judged.policy)
