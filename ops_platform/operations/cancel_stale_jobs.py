"""Ask for the end of stale jobs, each judged anew right before, and look what came of it.

Between the last look at a job and ``CancelJob`` lie seconds. A job that starts in them goes on,
since ``CancelJob`` does nothing to it. Stopping its run instead would end it, too: that is the
price of the policy that asks for it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops_platform.adapters.aws_errors import FORBIDDEN, AwsError
from ops_platform.adapters.ledger import cancellations, executions
from ops_platform.domain.batch_ports import RunStopper
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.cancelling import Outcome, cancel_reason
from ops_platform.domain.capacity import Situation
from ops_platform.domain.lifecycle import EXECUTION_ENDS
from ops_platform.domain.reasons import STALE_ERROR
from ops_platform.domain.stale_policy import Target
from ops_platform.domain.staleness import Breaker, Judged, Why, hold_back, postpone
from ops_platform.operations.judge_waiting_jobs import AccountJudge
from ops_platform.operations.settle_cancellations import settle
from ops_platform.operations.stale_findings import Findings

# So many are asked for between two looks at all of them, if no more time than that goes by.
_TOGETHER = 50
_FRESH = timedelta(seconds=10)
# Of a queue, its environments and its front.
_FACTS_LAST = timedelta(seconds=60)
# Batch takes a moment to note what it was asked for.
_PAUSES = (0.0, 0.5, 1.0)
# By Batch's only name for a request that it will not fulfil, whatever is wrong with it.
_REFUSALS = FORBIDDEN | {"ClientException"}


@dataclass(slots=True)
class Canceller:
    """Ends stale jobs; ``done`` are the records of those whose end was asked for.

    ``breaker`` spares the jobs of a queue that broke after they were listed; there is none if an
    operator insists. ``cleared`` are the ids of those that need not be thought of as stale now.
    """

    judge: AccountJudge
    runs: RunStopper
    asked_by: str
    sleep: Callable[[float], None]
    breaker: Breaker | None
    done: list[Cancellation] = field(default_factory=list)
    cleared: set[str] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)
    _open: list[Cancellation] = field(default_factory=list)
    _stopped: set[str] = field(default_factory=set)

    def end(self, findings: Findings, wanted: Sequence[Judged]) -> None:
        """End jobs of one queue, those that are stale still.

        Raises:
            AwsError: AWS does not answer. That it refuses to cancel a job is no such error.
            TimeIsUpError: There was not enough time for all.
        """
        situation = self._situation(findings)
        left = deque(wanted if situation else ())
        while left and situation:
            self.judge.check()
            together = [left.popleft() for _ in range(min(_TOGETHER, len(left)))]
            try:
                late = self._end_together(findings, situation, together)
            finally:
                self._look_what_came_of_it()
            left.extendleft(reversed(late))

    def _situation(self, findings: Findings) -> Situation | None:
        """Return how the queue stands; None if it is gone."""
        before, queue = findings.situation, self.judge.queue(findings.queue.arn)
        if findings.found_at and self.judge.clock() - findings.found_at <= _FACTS_LAST:
            return before
        if queue is None:
            return None
        situation = self.judge.situation(queue)
        return self.judge.confirmed(situation) if before and before.confirmed else situation

    def _end_together(
        self, findings: Findings, situation: Situation, wanted: Sequence[Judged]
    ) -> list[Judged]:
        """Ask for the end of those that are stale still; return those whose turn came too late."""
        _, described = self.judge.described(situation, [each.waiting.id for each in wanted])
        anew = {each.waiting.id: each for each in self._held_back(described)}
        fresh_until = self.judge.clock() + _FRESH
        for number, before in enumerate(wanted):
            now = self.judge.clock()
            if now > fresh_until:
                return list(wanted[number:])
            found = anew.get(before.waiting.id)
            after = self._once_warned(found, now) if found else None
            findings.changed(before, after)
            if after is not None and after.verdict.why is Why.QUEUE_AT_FAULT:
                findings.recheck_blocked_job(after, now)
            elif after is not None and after.verdict.why is Why.SOON:
                continue
            elif after is None or not _is_as_stale(before, after) or self._is_stopped(after):
                self.cleared.add(before.waiting.id)
            else:
                self._ask(after, now)
        return []

    def _once_warned(self, judged: Judged, now: datetime) -> Judged:
        """Postpone a cancellation that its owner was to hear of so long before, and has not.

        No cleaning may have come by in that time.
        """
        ahead = judged.policy.warn_before
        if ahead is None or not judged.is_stale:
            return judged
        with self.judge.ledger.transaction() as tx:
            warned_at = cancellations.warned_at(tx, judged)
            if warned_at is not None:
                due_at = warned_at + ahead
                return judged if now >= due_at else postpone(judged, due_at)
            postponed = postpone(judged, now + ahead)
            cancellations.warn(tx, postponed, now=now, asked_by=self.asked_by)
            return postponed

    def _held_back(self, judged: Sequence[Judged]) -> Sequence[Judged]:
        """Return the verdicts as they are if the queue has broken since it was looked at."""
        trip = self.breaker.trips(judged) if self.breaker else None
        return hold_back(judged, trip) if trip else judged

    def _ask(self, judged: Judged, now: datetime) -> None:
        """Ask for the end of one job, unless somebody else has done so a moment ago."""
        execution_arn = self._execution(judged)
        with self.judge.ledger.transaction() as tx:
            asked = cancellations.ask(
                tx, judged, now=now, asked_by=self.asked_by, execution_arn=execution_arn
            )
        self.cleared.add(judged.waiting.id)
        if asked is None:
            return
        self._open.append(asked)
        reason = cancel_reason(judged, now)
        try:
            if execution_arn and self.runs.stop(execution_arn, error=STALE_ERROR, cause=reason):
                self._stopped.add(str(asked.run_id))
                self._settle(asked, Outcome.RUN_STOPPED)
            else:
                self.judge.api.cancel(asked.job_id, reason)
        except AwsError as error:
            if error.code not in _REFUSALS:
                raise
            self.trouble.append(str(error))
            self.cleared.discard(asked.job_id)
            self._settle(asked, Outcome.REFUSED, str(error))

    def _execution(self, judged: Judged) -> str | None:
        """Return the execution that is to be stopped in the job's place, if there is one."""
        run_id = judged.waiting.job.latest.run_id
        if judged.policy.target is not Target.RUN or run_id is None:
            return None
        with self.judge.ledger.transaction() as tx:
            execution = executions.of_run(tx, self.judge.account, run_id)
        if execution is None or execution.latest.status in EXECUTION_ENDS:
            return None
        return execution.latest.execution_arn

    def _is_stopped(self, judged: Judged) -> bool:
        return judged.waiting.job.latest.run_id in self._stopped

    def _settle(self, asked: Cancellation, outcome: Outcome, reason: str | None = None) -> None:
        with self.judge.ledger.transaction() as tx:
            now = self.judge.clock()
            settled = cancellations.settle(tx, asked.id, outcome, reason=reason, now=now)
        self._open.remove(asked)
        self.done.append(settled or asked)

    def _look_what_came_of_it(self) -> None:
        """Describe the jobs that were asked for; what is not known soon is left for next time."""
        for pause in _PAUSES:
            if pause and self._open:
                self.sleep(pause)
            settled = settle(self.judge.ledger, self.judge.api, self._open, clock=self.judge.clock)
            known = {each.id for each in settled}
            self.done += settled
            self._open = [each for each in self._open if each.id not in known]
        self.done += self._open
        self._open = []


def _is_as_stale(before: Judged, after: Judged) -> bool:
    """Tell whether a job is stale still, and for the same reason.

    For another one its queue was changed a moment ago, which may be all that it needed to start.
    """
    return after.is_stale and after.verdict.why is before.verdict.why
