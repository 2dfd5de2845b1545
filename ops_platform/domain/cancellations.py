"""The record of a judgement that was acted on: what was done to a job, why, and what came of it."""

from datetime import datetime

import msgspec

from ops_platform.domain.cancelling import Outcome
from ops_platform.domain.diagnosis import Figure
from ops_platform.domain.staleness import Judged


class Cancellation(msgspec.Struct, frozen=True):
    """A judgement that was acted on.

    ``attempt`` is that of the job, from 1. ``verdict`` is its `Decision`, and ``reason`` why;
    ``policy`` is the name of what it was judged by. ``cause``, ``diagnosis``, ``advice`` and
    ``evidence`` say why the job did not start. ``execution_arn`` is of the run that was stopped in
    the job's place. ``tries`` counts how often its end was asked for, last at ``judged_at`` by
    ``asked_by``. ``settled_at`` is when the outcome became known.
    """

    id: int
    account: str
    job_id: str
    attempt: int
    queue: str
    flow: str | None
    step: str | None
    run_id: str | None
    owner: str | None
    verdict: str
    reason: str
    policy: str
    cause: str | None
    diagnosis: str | None
    advice: str | None
    evidence: tuple[Figure, ...]
    blocker: str | None
    execution_arn: str | None
    runnable_since: datetime | None
    judged_at: datetime
    asked_by: str
    tries: int
    outcome: Outcome
    outcome_reason: str | None
    settled_at: datetime | None

    @property
    def is_settled(self) -> bool:
        """Whether it is known what came of it."""
        return self.settled_at is not None


def record_of(
    judged: Judged,
    *,
    outcome: Outcome,
    now: datetime,
    asked_by: str,
    execution_arn: str | None = None,
) -> Cancellation:
    """Return the record of acting on a judgement now; its id is not known yet."""
    latest, diagnosis = judged.waiting.job.latest, judged.diagnosis
    return Cancellation(
        id=0,
        account=judged.waiting.job.account,
        job_id=latest.job_id,
        attempt=len(latest.attempts) + 1,
        queue=judged.waiting.queue,
        flow=latest.flow,
        step=latest.step,
        run_id=latest.run_id,
        owner=latest.owner,
        verdict=judged.verdict.decision,
        reason=judged.verdict.why,
        policy=judged.policy.name,
        cause=diagnosis.cause if diagnosis else None,
        diagnosis=diagnosis.sentence if diagnosis else None,
        advice=diagnosis.advice if diagnosis else None,
        evidence=diagnosis.evidence if diagnosis else (),
        blocker=diagnosis.blocker if diagnosis else None,
        execution_arn=execution_arn,
        runnable_since=judged.verdict.since,
        judged_at=now,
        asked_by=asked_by,
        tries=1,
        outcome=outcome,
        outcome_reason=None,
        settled_at=None if outcome is Outcome.ASKED else now,
    )
