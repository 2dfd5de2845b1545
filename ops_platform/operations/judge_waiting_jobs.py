"""Judge the jobs that wait in a queue, by what the ledger knows and by what Batch tells.

The ledger knows most jobs by their events, which costs no call. Batch describes only those of which
no event has come, and those that would be cancelled or whose owner would be warned.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from ops_platform.adapters.ledger import queue_state
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.batch_ports import BatchQueues, ListedJob
from ops_platform.domain.capacity import InstanceType, Queue, Situation
from ops_platform.domain.causes import Fault
from ops_platform.domain.lifecycle import later
from ops_platform.domain.queue_judge import QueueJudge
from ops_platform.domain.queue_past import QueuePast
from ops_platform.domain.stale_policy import Policies
from ops_platform.domain.staleness import Judged, Why
from ops_platform.domain.waiting_jobs import WaitingJob, merged
from ops_platform.operations.confirm_situation import Confirmer
from ops_platform.operations.stale_findings import Findings

# As many as the ledger is asked for at once, and as DescribeJobs takes.
_LISTED, _DESCRIBED = 1000, 100


@dataclass(frozen=True, slots=True)
class AccountJudge:
    """Judges the jobs of one account.

    ``queues`` are all of the account's. ``offered`` are the instance types of its region.
    ``check`` is called between calls, and raises what ends the work early.
    """

    ledger: Ledger
    api: BatchQueues
    account: str
    policies: Policies
    queues: Sequence[Queue]
    offered: Sequence[InstanceType]
    clock: Callable[[], datetime]
    check: Callable[[], None]

    def read(self, findings: Findings, show: Callable[[int], None]) -> None:
        """Judge all jobs that wait in a queue; ``show`` is told how many more were looked at."""
        listed = self.api.runnable(findings.queue.arn)
        unsure: list[ListedJob] = []
        while batch := list(islice(listed, _LISTED)):
            self.check()
            findings.waiting += len(batch)
            unsure += self._by_events(findings, batch)
            while len(unsure) >= _DESCRIBED:
                self._by_description(findings, unsure[:_DESCRIBED])
                del unsure[:_DESCRIBED]
            show(len(batch))
        self._by_description(findings, unsure)
        self._recheck_blocked_job(findings)
        if Why.STUCK in findings.candidates and findings.situation is not None:
            findings.past = self._past(findings.situation)
            findings.out_of_order |= bool(findings.past.changing)
        findings.finished = True

    def situation(self, queue: Queue) -> Situation:
        """Return how a queue stands now; its own state is as it was read."""
        # An empty one tells as little of a queue in which jobs wait.
        front = self.api.front(queue.arn) or None
        with self.ledger.transaction() as tx:
            started_at = queue_state.last_start(tx, self.account, queue.arn)
            holders = queue_state.holders(tx, self.account, self._beside(queue))
            if front is None:  # who was cancelled may have been the one at the head
                ended = queue_state.last_ended(tx, self.account, queue.name)
                started_at = later(started_at, ended.at if ended else None)
        return Situation(queue=queue, front=front, started_at=started_at, holders=holders)

    def _past(self, situation: Situation) -> QueuePast:
        started_at = situation.started_at
        with self.ledger.transaction() as tx:
            past = queue_state.past(tx, self.account, situation.queue.name, after=started_at)
        return replace(past, changing=situation.queue.changing)

    def confirmed(self, situation: Situation) -> Situation:
        """Return how a queue stands by what Batch itself tells of the jobs that run."""
        beside = self._beside(situation.queue)
        confirmer = Confirmer(self.ledger, self.api, self.account)
        return confirmer.confirm(situation, beside, now=self.clock())

    def _beside(self, queue: Queue) -> list[str]:
        """Return the queues that share a queue's environments, itself included."""
        environments = {each.arn for each in queue.environments}
        return [
            each.arn
            for each in self.queues
            if environments.intersection(own.arn for own in each.environments)
        ]

    def queue(self, arn: str) -> Queue | None:
        """Return a queue as it was read last, None if it was not there any more."""
        return next((each for each in self.queues if each.arn == arn), None)

    def described(
        self, situation: Situation, job_ids: Sequence[str]
    ) -> tuple[Situation, list[Judged]]:
        """Describe jobs, and judge them; those that Batch has forgotten are left out.

        The situation is confirmed if one would be cancelled since its queue seems to stand still.
        """
        described = self._described(job_ids)
        judged = self._judged(situation, described)
        if not situation.confirmed and any(map(_rests_on_standstill, judged)):
            situation = self.confirmed(situation)
            judged = self._judged(situation, described)
        return situation, judged

    def _described(self, job_ids: Sequence[str]) -> list[WaitingJob]:
        found = self.api.describe(job_ids)
        with self.ledger.transaction() as tx:
            known = queue_state.waiting(tx, self.account, job_ids)
        return [merged(each, known.get(each.id), self.account) for each in found]

    def _judged(self, situation: Situation, waiting: Iterable[WaitingJob]) -> list[Judged]:
        judge = self.queue_judge(situation)
        return [judge.judge(each, each.job.latest.status_reason) for each in waiting]

    def _by_events(self, findings: Findings, batch: Sequence[ListedJob]) -> list[ListedJob]:
        """Judge jobs by what the ledger knows; return those that have to be described."""
        youngest = self.clock() - self.policies.shortest
        old = [job for job in batch if job.created_at is None or job.created_at <= youngest]
        for job in batch:
            if job.created_at is not None and job.created_at > youngest:
                findings.add_young(job.created_at)
        if not old:
            return []
        with self.ledger.transaction() as tx:
            known = queue_state.waiting(tx, self.account, [job.id for job in old])
        judge = self.queue_judge(self._found(findings))
        judged = [(job, judge.by_events(job, known.get(job.id))) for job in old]
        for _, each in judged:
            if each is not None:
                findings.add(each, judge.now)
        return [job for job, each in judged if each is None]

    def _by_description(self, findings: Findings, listed: Sequence[ListedJob]) -> None:
        if not listed:
            return
        self.check()
        ids = [job.id for job in listed]
        findings.situation, judgements = self.described(self._found(findings), ids)
        now = self.clock()
        for judged in judgements:
            findings.add(judged, now)

    def _recheck_blocked_job(self, findings: Findings) -> None:
        """Ask Batch itself whether a queue is blocked, where no job would be cancelled for it."""
        blocked_job, situation = findings.blocked_job, findings.situation
        if blocked_job is None or situation is None or situation.confirmed:
            return
        if blocked_job.diagnosis is not None and blocked_job.diagnosis.fault is Fault.STUCK:
            findings.situation = self.confirmed(situation)
            (anew,) = self._judged(findings.situation, [blocked_job.waiting])
            findings.recheck_blocked_job(anew, self.clock())

    def _found(self, findings: Findings) -> Situation:
        if findings.situation is None:
            findings.situation = self.situation(findings.queue)
            findings.found_at = self.clock()
        return findings.situation

    def queue_judge(self, situation: Situation) -> QueueJudge:
        """Return what judges the jobs of a queue that stands so now."""
        return QueueJudge(self.policies, situation, offered=self.offered, now=self.clock())


def _rests_on_standstill(judged: Judged) -> bool:
    """Tell whether a job would be cancelled because its queue seems not to move."""
    fault = judged.diagnosis.fault if judged.diagnosis else None
    return judged.is_stale and fault is Fault.STUCK
