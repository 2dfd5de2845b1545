"""Explain how a job stands, in whatever state it is: what it waits for, or how it ended.

Batch is asked first. Where it does not answer, or has forgotten the job, the ledger tells what it
knows; what could not be asked is said as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from ops_platform.adapters.ledger import cancellations, queue_state
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.batch_ports import BatchQueues, InstanceTypes
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.diagnosis import Diagnosis, why_not_runnable
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.job_words import course_of, forgotten
from ops_platform.domain.lifecycle import JOB_ENDS
from ops_platform.domain.native_reasons import read_native
from ops_platform.domain.stale_policy import Policies
from ops_platform.domain.staleness import Judged
from ops_platform.domain.verdict_words import what_next
from ops_platform.domain.waiting_jobs import WaitingJob, merged
from ops_platform.operations.judge_waiting_jobs import AccountJudge

# An array may have 10,000 jobs, of which a hundred are described at a time.
CHILDREN_LOOKED_AT = 1000
_T = TypeVar("_T")
_UNREADY = frozenset({"SUBMITTED", "PENDING"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """How a job stands.

    ``by_batch`` says that Batch told, and not the ledger alone. ``judged`` is what the policy makes
    of it while it is RUNNABLE, and ``next`` says so in words. ``waits_for`` are the jobs that it
    depends on, or the children of the array, with their states. ``trouble`` is what could not be
    asked.
    """

    waiting: WaitingJob
    sentence: str
    advice: str = ""
    by_batch: bool = True
    judged: Judged | None = None
    next: str = ""
    waits_for: Sequence[tuple[str, str]] = ()
    cancellations: Sequence[Cancellation] = ()
    trouble: tuple[str, ...] = ()

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Why it does not start."""
        return self.judged.diagnosis if self.judged else why_not_runnable(self.waiting)


@dataclass(slots=True, kw_only=True)
class Explainer:
    """Explains jobs of one account; ``enforce`` is whether its stale jobs are cancelled."""

    ledger: Ledger
    api: BatchQueues
    types: InstanceTypes
    account: str
    policies: Policies
    enforce: bool
    clock: Callable[[], datetime]
    trouble: list[str] = field(default_factory=list)

    def explain(self, job_id: str) -> Explained | None:
        """Return how a job stands; None if neither Batch nor the ledger knows of it.

        What could not be asked is in ``trouble`` then.
        """
        described = self._asked(lambda: self.api.describe([job_id])) or []
        with self.ledger.transaction() as tx:
            known = queue_state.waiting(tx, self.account, [job_id]).get(job_id)
            done = cancellations.of_job(tx, self.account, job_id)
        if described:
            found = self._told_by_batch(merged(described[0], known, self.account))
        elif known is not None:
            found = self._told_by_ledger(WaitingJob(known))
        else:
            return None
        return replace(found, cancellations=done, trouble=tuple(self.trouble))

    def _told_by_batch(self, waiting: WaitingJob) -> Explained:
        status = waiting.job.latest.status
        if status == "RUNNABLE":
            return self._runnable(waiting)
        sentence, advice = course_of(waiting.job, self.clock())
        if status not in _UNREADY:
            return Explained(waiting=waiting, sentence=sentence, advice=advice)
        unready = why_not_runnable(waiting)
        return Explained(
            waiting=waiting,
            sentence=unready.sentence if unready else sentence,
            advice=unready.advice if unready else advice,
            waits_for=self._states(_others(waiting)),
        )

    def _told_by_ledger(self, waiting: WaitingJob) -> Explained:
        latest = waiting.job.latest
        sentence, advice = course_of(waiting.job, self.clock())
        native = read_native(latest.status_reason) if latest.status == "RUNNABLE" else None
        if latest.status not in JOB_ENDS and not self.trouble:
            sentence = forgotten(waiting.job)
        elif native is not None:
            sentence, advice = f"{sentence} {native.sentence}", native.advice
        return Explained(waiting=waiting, sentence=sentence, advice=advice, by_batch=False)

    def _runnable(self, waiting: WaitingJob) -> Explained:
        judged = self._asked(lambda: self._judge(waiting))
        if judged is None or judged.diagnosis is None:
            sentence = "It is RUNNABLE, and how its queue stands could not be asked."
            return Explained(waiting=waiting, sentence=sentence)
        return Explained(
            waiting=judged.waiting,
            sentence=judged.diagnosis.sentence,
            advice=judged.diagnosis.advice,
            judged=judged,
            next=what_next(judged, enforce=self.enforce, now=self.clock()),
        )

    def _judge(self, waiting: WaitingJob) -> Judged | None:
        """Judge a job as the cleanup would; one that is young is diagnosed all the same."""
        queues = self.api.queues()
        queue = next((each for each in queues if each.name == waiting.queue), None)
        if queue is None:
            self.trouble.append(f"Batch lists no queue {waiting.queue}.")
            return None
        judge = AccountJudge(
            ledger=self.ledger,
            api=self.api,
            account=self.account,
            policies=self.policies,
            queues=queues,
            offered=self.types.all(),
            clock=self.clock,
            check=lambda: None,
        )
        queue_judge = judge.queue_judge(judge.confirmed(judge.situation(queue)))
        return queue_judge.diagnosed(waiting, waiting.job.latest.status_reason)

    def _states(self, job_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Return the states of jobs, by Batch or else by the ledger."""
        found = self._asked(lambda: self.api.describe(job_ids)) or []
        states = {each.id: each.job.latest.status for each in found}
        with self.ledger.transaction() as tx:
            known = queue_state.waiting(tx, self.account, job_ids)
        by_events = {each: f"{job.latest.status}, by its last event" for each, job in known.items()}
        return [(each, (by_events | states).get(each, "forgotten by Batch")) for each in job_ids]

    def _asked(self, ask: Callable[[], _T]) -> _T | None:
        try:
            return ask()
        except PlatformError as error:
            self.trouble.append(str(error))
            return None


def _others(waiting: WaitingJob) -> list[str]:
    """Return the ids of the jobs that one waits for."""
    size = waiting.job.latest.array_size or 0
    children = [f"{waiting.id}:{index}" for index in range(min(size, CHILDREN_LOOKED_AT))]
    return [*waiting.depends_on, *children]
