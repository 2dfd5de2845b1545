"""Why a job cannot start: which of the known causes it is, what shows it, and what to change.

Pure: over the facts that the adapters gather of a queue, its environments and instance types.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ops_platform.domain import queue_words, size_words
from ops_platform.domain.capacity import InstanceType, Situation
from ops_platform.domain.causes import Cause, Fault
from ops_platform.domain.fitting import misfit
from ops_platform.domain.occupancy import held_by_instances, held_by_jobs
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.waiting_case import Case
from ops_platform.domain.waiting_jobs import WaitingJob
from ops_platform.domain.words import counted


class Figure(msgspec.Struct, frozen=True):
    """One comparison that a diagnosis rests on, such as vCPUs: asked for 999, at most 4."""

    what: str
    asked: str
    available: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a job does not start.

    ``sentence`` says it in plain words with the figures that matter; ``advice`` says what to change
    and where. ``blocker`` is the id of the job in front, if one blocks.
    """

    cause: Cause
    sentence: str
    advice: str
    evidence: tuple[Figure, ...] = ()
    blocker: str | None = None

    @property
    def fault(self) -> Fault:
        """Where the cause lies."""
        return self.cause.fault


def diagnose(
    waiting: WaitingJob,
    situation: Situation,
    *,
    policy: Policy,
    offered: Sequence[InstanceType],
    status_reason: str | None,
    now: datetime,
) -> Diagnosis:
    """Return why a job does not start.

    The first that holds counts: it does not wait for capacity; it fits nothing, by proof or by
    Batch's word; all that it fits is out of order; the queue moves, so it waits its turn; those
    who run leave no room; the queue itself is shut; another job is in front; the instances are all
    in use, unless Batch names another reason; that reason; nobody knows.

    A queue does not move that has stood still for the policy's ``stuck_after``. ``offered`` are all
    instance types of the region, for the nearest that fits; none if they are not known.
    ``status_reason`` is what Batch says of the job while it is RUNNABLE.
    """
    case = Case(
        waiting=waiting,
        situation=situation,
        within=policy.stuck_after,
        offered=offered,
        status_reason=status_reason,
        now=now,
    )
    return next(filter(None, (step(case) for step in _STEPS)))


def why_not_runnable(waiting: WaitingJob) -> Diagnosis | None:
    """Return why a job does not wait for capacity yet, None if it does."""
    latest = waiting.job.latest
    if latest.array_size is not None:
        size = counted(latest.array_size, "job", "jobs")
        sentence = f"It is an array of {size}, which never starts itself and ends when they do."
        return Diagnosis(Cause.ARRAY, sentence, "Look at the jobs of the array that wait.")
    if latest.status not in {"SUBMITTED", "PENDING"}:
        return None
    sentence = queue_words.dependencies(waiting.depends_on)
    return Diagnosis(Cause.DEPENDENCY, sentence, "It becomes RUNNABLE by itself after that.")


def _found(
    case: Case, cause: Cause, sentence: str, advice: str, *, blocker: str | None = None
) -> Diagnosis:
    figures = tuple(Figure(*each) for each in case.compared())
    return Diagnosis(cause, sentence, advice, figures, blocker)


def _not_waiting(case: Case) -> Diagnosis | None:
    return why_not_runnable(case.waiting)


def _unfit(case: Case) -> Diagnosis | None:
    asked, queue, at = case.asked, case.queue, case.flow_step
    if found := misfit(asked, queue, case.offered):
        sentence = size_words.why_unfit(asked, queue, found)
        advice = size_words.what_to_change(asked, queue, found, at, case.offered)
        return _found(case, found, sentence, advice)
    # Batch's word may be from before its environment was repaired; what surely fits refutes it.
    if not case.usable or case.fits_surely:
        return None
    native = case.native
    if native is None or native.cause is not Cause.REFUSED_AS_TOO_LARGE:
        return None
    sentence = f"{native.sentence} The job asks for {size_words.size_of(asked)}."
    advice = size_words.ask_less(asked, queue, at)
    return _found(case, Cause.REFUSED_AS_TOO_LARGE, sentence, advice)


def _out_of_order(case: Case) -> Diagnosis | None:
    environments = case.fitting
    if not case.queue.environments:
        sentence = f"Queue {case.queue.name} has no compute environment."
        advice = "Give it one: its computeEnvironmentOrder is empty."
        return _found(case, Cause.NO_ENVIRONMENT, sentence, advice)
    if case.usable or not environments:
        return None
    if any(each.is_invalid for each in environments):
        cause = Cause.ENVIRONMENT_INVALID
    elif any(each.is_enabled for each in environments):
        cause = Cause.ENVIRONMENT_WITHOUT_VCPUS
    else:
        cause = Cause.ENVIRONMENT_DISABLED
    sentence = queue_words.out_of_order(environments, case.queue)
    return _found(case, cause, sentence, queue_words.how_to_repair(environments))


def _held(case: Case) -> Diagnosis | None:
    if not held_by_jobs(case.asked, case.situation, case.usable):
        return None
    sentence = queue_words.held(case.asked, case.situation, case.usable)
    return _found(case, Cause.CAPACITY_HELD, sentence, queue_words.WAIT_OR_WIDEN)


def _moving(case: Case) -> Diagnosis | None:
    if not case.queue_moves:
        return None
    if found := _held(case):
        return found
    sentence = queue_words.turn(case.index, case.situation, case.now)
    if case.queue.fair_share and case.waiting.share is not None and case.index != 0:
        sentence = f"{sentence} {queue_words.by_shares(case.waiting.share)}"
        return _found(case, Cause.SHARE_USED_UP, sentence, queue_words.WAIT_OR_WEIGH)
    return _found(case, Cause.WAITS_ITS_TURN, sentence, queue_words.WAIT_OR_WIDEN)


def _shut(case: Case) -> Diagnosis | None:
    queue, still = case.queue, queue_words.standstill(case.situation, case.now)
    if queue.status == "INVALID":
        sentence = (
            f"Batch finds the queue invalid, and {still}. {queue.status_reason or ''}".strip()
        )
        return _found(case, Cause.QUEUE_INVALID, sentence, "Repair what AWS names.")
    if queue.state == "DISABLED":
        sentence = f"The queue is disabled, and {still}."
        return _found(case, Cause.QUEUE_DISABLED, sentence, queue_words.IF_SHUT)
    return None


def _behind(case: Case) -> Diagnosis | None:
    head = case.situation.head
    if head is None or head.job_id == case.waiting.id:
        return None
    sentence = queue_words.behind(head.job_id, case.index, case.situation, case.now)
    advice = f"See `ops-platform jobs explain {head.job_id}`: this one waits for that."
    return _found(case, Cause.BEHIND_BLOCKER, sentence, advice, blocker=head.job_id)


def _by_batch(case: Case) -> Diagnosis | None:
    native = case.native
    if native is None or native.cause is Cause.REFUSED_AS_TOO_LARGE:  # refuted above
        return None
    still = queue_words.standstill(case.situation, case.now)
    sentence = f"{native.sentence} {still[:1].upper()}{still[1:]}."
    return _found(case, native.cause, sentence, native.advice or queue_words.CHECKLIST)


def _in_use(case: Case) -> Diagnosis | None:
    # What Batch knows of AWS or of the queue is no matter of those who run.
    if case.native is not None and case.native.cause not in _EXPLAINED_BY_USE:
        return None
    if not held_by_instances(case.asked, case.situation, case.usable):
        return None
    sentence = queue_words.instances_in_use(case.situation, case.usable)
    return _found(case, Cause.CAPACITY_HELD, sentence, queue_words.WAIT_OR_WIDEN)


def _unknown(case: Case) -> Diagnosis:
    offer, still = case.likely, queue_words.standstill(case.situation, case.now)
    if offer is None or case.fits_surely:
        sentence = f"Nobody knows why: {queue_words.might_have(offer)}, and {still}."
        return _found(case, Cause.UNKNOWN, sentence, queue_words.CHECKLIST)
    sentence = f"Perhaps it asks for {queue_words.too_snug(case.asked, offer)}; {still}."
    advice = size_words.ask_for(case.asked, offer.most, case.flow_step)
    return _found(case, Cause.UNKNOWN, sentence, f"{advice} {queue_words.CHECKLIST}")


_EXPLAINED_BY_USE = frozenset(
    {Cause.MAX_VCPUS_REPORTED, Cause.UNDETERMINED, Cause.REFUSED_AS_TOO_LARGE}
)
_STEPS: tuple[Callable[[Case], Diagnosis | None], ...] = (
    _not_waiting,
    _unfit,
    _out_of_order,
    _moving,
    _held,
    _shut,
    _behind,
    _in_use,
    _by_batch,
    _unknown,
)
