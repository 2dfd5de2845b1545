"""What a cleanup found of the jobs that wait in one queue, in memory that does not grow with them.

Only what is acted on or shown is kept of them; the others are counted.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from ops_platform.domain.capacity import Queue, Situation
from ops_platform.domain.causes import Fault
from ops_platform.domain.queue_past import QueuePast
from ops_platform.domain.staleness import Breaker, Decision, Judged, Trip, Why, hold_back
from ops_platform.domain.waiting_jobs import runnable_since

Counts = Counter[tuple[Decision, Why]]
# So many runs are told apart when those with stale jobs are counted.
_MOST_RUNS = 10_000
# While nobody knows which job is next, one that fits nothing may be what holds up the others.
_BEHIND_UNFIT = Trip("An unfit job may be in front.", frozenset({Why.STUCK}), Why.BEHIND_ANOTHER)
_NOT_WAITING = frozenset({Why.NOT_RUNNABLE, Why.DEPENDENCY_PENDING, Why.ALREADY_CANCELLED})


@dataclass(slots=True)
class ShownLimit:
    """How many jobs may be kept to be shown, of whatever queue: so many of each decision.

    Those of whose policy somebody is told have a number of their own.
    """

    most: int = 500
    taken: Counter[tuple[Decision, bool]] = field(default_factory=Counter)

    def takes(self, judged: Judged) -> bool:
        """Count a job; tell whether it may be kept."""
        kind = (judged.verdict.decision, judged.policy.warn_before is not None)
        self.taken[kind] += 1
        return self.taken[kind] <= self.most


@dataclass(slots=True)
class Findings:
    """One queue, and what was found of the jobs that wait in it.

    ``situation`` is that of ``found_at``; there is none if only young jobs were seen.
    ``candidates`` are the most pressing of the jobs to be cancelled, by the reason for it, since
    some of that may yet be the fault of the queue. ``blocked_job`` is the one that shows best why
    the queue is blocked, if it is. ``past`` is what befell the queue, which is ``out_of_order`` if
    a job waits for that reason, however young. ``fault`` says why it is the queue that is at fault.
    ``concerns`` are the ids of the jobs that wait and of whose policy somebody is told.
    ``finished`` says that all its jobs were seen.
    """

    queue: Queue
    most: int
    shown_limit: ShownLimit
    situation: Situation | None = None
    found_at: datetime | None = None
    waiting: int = 0
    oldest: datetime | None = None
    counts: Counts = field(default_factory=Counter)
    candidates: dict[Why, list[Judged]] = field(default_factory=dict)
    shown: dict[str, Judged] = field(default_factory=dict)
    blocked_job: Judged | None = None
    past: QueuePast = field(default_factory=QueuePast)
    out_of_order: bool = False
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
        if verdict.why is not Why.YOUNG and self.shown_limit.takes(judged):
            self.shown[judged.waiting.id] = judged
        if judged.policy.warn_before is not None:
            self.concerns.add(judged.waiting.id)
        self.out_of_order |= _fault(judged) is Fault.QUEUE
        if self._shows_block(judged, now):
            both = [judged] if self.blocked_job is None else [self.blocked_job, judged]
            self.blocked_job = min(both, key=self._clarity)

    def recheck_blocked_job(self, blocked_job: Judged, now: datetime) -> None:
        """Take this job alone to show why the queue is blocked, if it does."""
        self.blocked_job = _compact(blocked_job) if self._shows_block(blocked_job, now) else None

    def changed(self, before: Judged, after: Judged | None) -> None:
        """Note what a second look made of a job; None if there is nothing left to judge."""
        self.counts[before.verdict.decision, before.verdict.why] -= 1
        self.shown.pop(before.waiting.id, None)
        if after is not None:
            self.counts[after.verdict.decision, after.verdict.why] += 1
            self.shown[after.waiting.id] = _compact(after)

    def judge_queue(self, breaker: Breaker, *, despite_fault: bool, now: datetime) -> None:
        """Hold all cancellations back if it is the queue that is at fault."""
        stale = [*self._runs.values()]
        trip = breaker.trips(stale) or self.past.excuses(stale, now)
        self.fault = trip.sentence if trip else None
        if trip is not None and not despite_fault:
            self.held_back = self._spare(trip)
        unfit = self.candidates.get(Why.UNFIT)
        if unfit and self.situation is not None and self.situation.front is None:
            self._spare(_BEHIND_UNFIT)
            if self.blocked_job is not None and _fault(self.blocked_job) is Fault.STUCK:
                self.blocked_job = self._first(unfit)[0]

    def _spare(self, trip: Trip) -> int:
        """Hold the cancellations back that are spared; return how many."""
        spared = 0
        for why in trip.spared:
            spared += self.counts.pop((Decision.CANCEL, why), 0)
            self.candidates.pop(why, None)
        self.counts[Decision.WARN, trip.why] += spared
        self.shown = {each.waiting.id: each for each in hold_back([*self.shown.values()], trip)}
        return spared

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

    def _shows_block(self, judged: Judged, now: datetime) -> bool:
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

    def _clarity(self, judged: Judged) -> tuple[bool, bool]:
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
