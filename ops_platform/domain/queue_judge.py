"""The jobs of one queue are judged: in its situation, by the policies, at one moment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from ops_platform.domain.batch_ports import ListedJob
from ops_platform.domain.capacity import InstanceType, Situation
from ops_platform.domain.diagnosis import Diagnosis, diagnose
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.stale_policy import Policies, Policy
from ops_platform.domain.staleness import Decision, Judged, Verdict, Why, judge
from ops_platform.domain.waiting_jobs import WaitingJob, runnable_since


class QueueJudge:
    """Judges jobs of one queue; ``offered`` are the instance types of the region."""

    def __init__(
        self,
        policies: Policies,
        situation: Situation,
        *,
        offered: Sequence[InstanceType],
        now: datetime,
    ) -> None:
        self.situation = situation
        self.now = now
        self._policies = policies
        self._offered = offered
        self._shortest = policies.shortest
        self._known: dict[tuple[object, ...], Diagnosis] = {}
        self._since = {position.job_id: position.since for position in situation.front or ()}

    def by_events(self, listed: ListedJob, known: Job | None) -> Judged | None:
        """Judge a job by its events; None if it has to be described first.

        That is so if its events do not show it as RUNNABLE, and if it would be cancelled or its
        owner warned: only a description tells whether it was retried since, or is exempt.
        """
        if known is None or known.latest.status != "RUNNABLE":
            return None
        if listed.cancelled and not known.latest.cancelled:
            latest = msgspec.structs.replace(known.latest, cancelled=True)
            known = msgspec.structs.replace(known, latest=latest)
        judged = self.judge(WaitingJob(known, share=listed.share), listed.status_reason)
        return None if _needs_description(judged) else judged

    def judge(self, waiting: WaitingJob, status_reason: str | None) -> Judged:
        """Judge a job; ``status_reason`` is what Batch says of it.

        One that is too young to be anybody's concern is not diagnosed.
        """
        since = runnable_since(self._in_line(waiting))
        waits = waiting.job.latest.status == "RUNNABLE"
        if waits and since is not None and self.now - since < self._shortest:
            verdict = Verdict(Decision.KEEP, Why.YOUNG, since)
            return Judged(self._in_line(waiting), None, verdict, self._policies.of(waiting))
        return self.diagnosed(waiting, status_reason)

    def diagnosed(self, waiting: WaitingJob, status_reason: str | None) -> Judged:
        """Judge a job, and diagnose it however young it is."""
        waiting = self._in_line(waiting)
        policy = self._policies.of(waiting)
        diagnosis = self._diagnosis(waiting, policy, status_reason)
        return Judged(waiting, diagnosis, judge(waiting, diagnosis, policy, self.now), policy)

    def _in_line(self, waiting: WaitingJob) -> WaitingJob:
        if waiting.id not in self._since:
            return waiting
        return replace(waiting, head_since=self._since[waiting.id])

    def _diagnosis(
        self, waiting: WaitingJob, policy: Policy, status_reason: str | None
    ) -> Diagnosis:
        """Diagnose a job once for all with which it shares whatever a diagnosis looks at."""
        latest = waiting.job.latest
        front = waiting.id if waiting.id in self._since else None
        alike = (
            (front, waiting.asks_for, waiting.share, waiting.depends_on, latest.flow, latest.step),
            (latest.status, latest.array_size, status_reason, policy.stuck_after),
        )
        if alike not in self._known:
            self._known[alike] = diagnose(
                waiting,
                self.situation,
                policy=policy,
                offered=self._offered,
                status_reason=status_reason,
                now=self.now,
            )
        return self._known[alike]


def _needs_description(judged: Judged) -> bool:
    verdict, policy = judged.verdict, judged.policy
    if verdict.decision is Decision.WARN and policy.warn_before is not None:
        exemptions = (each.tag or each.parameter for each in policy.exemptions)
        return verdict.why is Why.SOON or any(exemptions)
    return judged.is_stale
