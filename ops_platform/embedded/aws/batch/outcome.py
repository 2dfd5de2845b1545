"""What becomes of a job when an attempt of it has ended."""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from ops_platform.embedded.aws.batch.model import Attempt, ExitRule, Job

EXITED = "Essential container in task exited"
TIMED_OUT = "Job attempt duration exceeded timeout"
NOT_STARTED = "Task failed to start"


class Verdict(StrEnum):
    """Where the job goes from here."""

    SUCCEED = "succeed"
    RETRY = "retry"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and the statusReason that explains it."""

    verdict: Verdict
    status_reason: str


def judge(job: Job, attempt: Attempt, *, timed_out: bool) -> Outcome:
    """Decide as Batch does: what was terminated or timed out is never tried again."""
    if job.stop_reason is not None:
        return Outcome(Verdict.FAIL, job.stop_reason)
    if timed_out:
        return Outcome(Verdict.FAIL, TIMED_OUT)
    reason = attempt.status_reason or EXITED
    if attempt.exit_code == 0:
        return Outcome(Verdict.SUCCEED, reason)
    tries_left = len(job.attempts) < job.spec.attempts
    if tries_left and _wants_retry(job.spec.exit_rules, attempt, reason):
        return Outcome(Verdict.RETRY, reason)
    return Outcome(Verdict.FAIL, reason)


def _wants_retry(rules: tuple[ExitRule, ...], attempt: Attempt, status_reason: str) -> bool:
    """The first rule that matches decides; without a match the job is tried again."""
    for rule in rules:
        if (
            fnmatchcase(status_reason, rule.on_status_reason)
            and fnmatchcase(attempt.reason or "", rule.on_reason)
            and fnmatchcase(str(attempt.exit_code), rule.on_exit_code)
        ):
            return rule.action.upper() == "RETRY"
    return True
