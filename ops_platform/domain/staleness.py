"""Whether a job that waits is stale: kept, warned about, or cancelled, each for a named reason.

Age alone does not kill: what counts is why a job does not start, and for how long it has been
RUNNABLE in its present attempt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ops_platform.domain.causes import Fault
from ops_platform.domain.diagnosis import Diagnosis
from ops_platform.domain.exemptions import Exemption
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.waiting_jobs import WaitingJob, runnable_since


class Decision(StrEnum):
    """What becomes of a job."""

    KEEP = "keep"
    WARN = "warn"
    CANCEL = "cancel"


class Why(StrEnum):
    """Why a job is kept, warned about or cancelled."""

    NOT_OURS = "not Metaflow's"
    NOT_RUNNABLE = "not RUNNABLE"
    DEPENDENCY_PENDING = "dependency pending"
    ALREADY_CANCELLED = "already cancelled"
    EXEMPT = "exempt"
    AGE_UNKNOWN = "age unknown"
    YOUNG = "young"
    SOON = "cancelled soon"
    WAITS_ITS_TURN = "waits its turn"
    BEHIND_ANOTHER = "behind a blocked job"
    QUEUE_AT_FAULT = "the queue is at fault"
    UNFIT = "fits nothing"
    STUCK = "stuck"
    BY_AGE = "too old"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a job, and why; ``due_at`` is when it is, or was, to be cancelled.

    ``exemption`` is the one that keeps it.
    """

    decision: Decision
    why: Why
    since: datetime | None = None
    due_at: datetime | None = None
    exemption: Exemption | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A job with its diagnosis and verdict, and the name of the policy that it was judged by."""

    waiting: WaitingJob
    diagnosis: Diagnosis | None
    verdict: Verdict
    policy: Policy

    @property
    def is_stale(self) -> bool:
        """Whether it is to be cancelled."""
        return self.verdict.decision is Decision.CANCEL


def judge(waiting: WaitingJob, diagnosis: Diagnosis, policy: Policy, now: datetime) -> Verdict:
    """Return what becomes of a job that was listed as RUNNABLE."""
    kept = _reason_to_keep(waiting, policy, now)
    if kept is not None:
        return kept
    since = runnable_since(waiting)
    if since is None:
        return Verdict(Decision.KEEP, Why.AGE_UNKNOWN)
    why, limit = _why_and_limit(diagnosis.fault, policy)
    due_at = since + limit
    if now >= due_at:
        decision = Decision.CANCEL if why in _STALE else Decision.WARN
        return Verdict(decision, why, since, due_at if decision is Decision.CANCEL else None)
    if why in _STALE and policy.warn_before is not None and now >= due_at - policy.warn_before:
        return Verdict(Decision.WARN, Why.SOON, since, due_at)
    return Verdict(Decision.KEEP, Why.YOUNG, since)


_STALE = frozenset({Why.UNFIT, Why.STUCK, Why.BY_AGE})


def _reason_to_keep(waiting: WaitingJob, policy: Policy, now: datetime) -> Verdict | None:
    latest = waiting.job.latest
    if not (waiting.is_metaflow or policy.foreign):
        return Verdict(Decision.KEEP, Why.NOT_OURS)
    if latest.status in {"SUBMITTED", "PENDING"}:
        return Verdict(Decision.KEEP, Why.DEPENDENCY_PENDING)
    if latest.status != "RUNNABLE":
        return Verdict(Decision.KEEP, Why.NOT_RUNNABLE)
    if latest.cancelled or latest.terminated:
        return Verdict(Decision.KEEP, Why.ALREADY_CANCELLED)
    exempting = next((each for each in policy.exemptions if each.covers(waiting, now)), None)
    return Verdict(Decision.KEEP, Why.EXEMPT, exemption=exempting) if exempting else None


def _why_and_limit(fault: Fault, policy: Policy) -> tuple[Why, timedelta]:
    """Return what is held against a job, and how old it must be for that."""
    if fault is Fault.JOB:
        return Why.UNFIT, policy.unfit_after
    if fault in {Fault.STUCK, Fault.QUEUE}:
        return Why.STUCK, policy.stuck_after
    if policy.by_age:
        return Why.BY_AGE, policy.stuck_after
    return _WAITS.get(fault, Why.WAITS_ITS_TURN), policy.stuck_after


_WAITS = {Fault.BEHIND: Why.BEHIND_ANOTHER}


def postpone(judged: Judged, due_at: datetime) -> Judged:
    """Return the judgement of a stale job whose owner has to be told first."""
    verdict = Verdict(Decision.WARN, Why.SOON, judged.verdict.since, due_at)
    return Judged(judged.waiting, judged.diagnosis, verdict, judged.policy)


@dataclass(frozen=True, slots=True)
class Trip:
    """Why jobs are not cancelled: mostly their queue itself is at fault.

    ``spared`` are the reasons for which no job is cancelled, ``why`` is what is said of it instead.
    """

    sentence: str
    spared: frozenset[Why]
    why: Why = Why.QUEUE_AT_FAULT

    def spares(self, verdict: Verdict) -> bool:
        """Tell whether a job is not cancelled that otherwise would be."""
        return verdict.decision is Decision.CANCEL and verdict.why in self.spared


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a queue itself is at fault rather than the jobs that are stuck in it."""

    runs: int = 10

    def trips(self, judged: Iterable[Judged]) -> Trip | None:
        """Return why jobs of the queue are not to be cancelled; None if nothing speaks against it.

        Jobs of one run count once: cancelling one fails them all. What fits nothing would not start
        in a queue in order either, and is spared only if there is more of it than one believes.
        """
        stale = [each for each in judged if each.is_stale]
        runs = set(map(run_of, stale))
        if len(runs) >= self.runs:
            many = f"Jobs of {len(runs)} runs are stale at once, which is the queue's trouble."
            return Trip(many, _STALE)
        for each in stale:
            if each.diagnosis is not None and each.diagnosis.fault is Fault.QUEUE:
                return Trip(each.diagnosis.sentence, _STALE - {Why.UNFIT})
        return None


def hold_back(judged: Sequence[Judged], trip: Trip) -> list[Judged]:
    """Return the verdicts of a queue that is at fault: what is spared is warned of."""
    return [_held_back(each, trip) if trip.spares(each.verdict) else each for each in judged]


def run_of(judged: Judged) -> str:
    """Return the run of a job, or the job itself if it is of none."""
    return judged.waiting.job.latest.run_id or judged.waiting.id


def _held_back(judged: Judged, trip: Trip) -> Judged:
    verdict = Verdict(Decision.WARN, trip.why, judged.verdict.since)
    return Judged(judged.waiting, judged.diagnosis, verdict, judged.policy)
