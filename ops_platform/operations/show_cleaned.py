"""What one cleaning of an account came to, as rows for tables, JSON and Dagster's pages."""

from collections.abc import Iterator
from datetime import datetime

from ops_platform.domain.blocked_queues import BlockedQueue
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.staleness import Decision, Judged
from ops_platform.domain.words import counted, duration
from ops_platform.operations.cleaned import Cleaned

Row = dict[str, object]
# What is acted on first, what is spared last.
_ORDER = (Decision.CANCEL, Decision.WARN, Decision.KEEP)


def judged_rows(done: Cleaned, now: datetime) -> list[Row]:
    """Return the jobs worth showing, those to be cancelled first, then by their age."""
    ended = {each.job_id: each for each in done.cancelled}
    jobs = sorted(done.judged, key=lambda each: _importance(each, now))
    return [_row(each, ended.get(each.waiting.id), now) for each in jobs]


def blocked_rows(done: Cleaned) -> list[Row]:
    """Return the queues that are blocked."""
    return [_blocked(done.account, each) for each in done.blocked]


def summary(done: Cleaned) -> str:
    """Return in one sentence what was done."""
    told = ", ".join(_counts(done))
    oldest = f", the oldest for {duration(done.oldest)}" if done.oldest is not None else ""
    rest = " ".join([" Not all of it was looked at.", *done.delays]) if done.unfinished else ""
    wait = counted(done.waiting, "job waits", "jobs wait")
    return f"{wait} in {done.account}{oldest}: {told}.{rest}"


def counts_by_decision(done: Cleaned) -> dict[Decision, int]:
    """Return how many jobs are, or would be, cancelled, warned of and kept."""
    numbers = dict.fromkeys(_ORDER, 0)
    for (decision, _), number in done.counts.items():
        numbers[decision] += number
    return numbers


def _counts(done: Cleaned) -> Iterator[str]:
    numbers = counts_by_decision(done)
    if done.enforce:
        yield f"{len(done.cancelled)} of {numbers[Decision.CANCEL]:,} stale ones acted on"
    else:
        yield f"{numbers[Decision.CANCEL]:,} would be cancelled"
    yield f"{numbers[Decision.WARN]:,} warned about"
    yield f"{numbers[Decision.KEEP]:,} kept"
    if done.blocked:
        yield counted(len(done.blocked), "queue is blocked", "queues are blocked")


def _importance(judged: Judged, now: datetime) -> tuple[int, datetime, str]:
    verdict = judged.verdict
    return (_ORDER.index(verdict.decision), verdict.since or now, judged.waiting.id)


def _row(judged: Judged, ended: Cancellation | None, now: datetime) -> Row:
    latest, verdict, why = judged.waiting.job.latest, judged.verdict, judged.diagnosis
    return {
        "account": judged.waiting.job.account,
        "job_id": latest.job_id,
        "queue": judged.waiting.queue,
        "flow": latest.flow,
        "step": latest.step,
        "run_id": latest.run_id,
        "owner": latest.owner,
        "age": duration(now - verdict.since) if verdict.since else None,
        "runnable_since": verdict.since,
        "verdict": verdict.decision.value,
        "reason": verdict.why.value,
        "due_at": verdict.due_at,
        "outcome": ended.outcome.value if ended else None,
        "cause": why.cause.value if why else None,
        "diagnosis": why.sentence if why else None,
        "advice": why.advice if why else None,
        "evidence": [_figure(each.what, each.asked, each.available) for each in why.evidence]
        if why
        else [],
        "blocker": why.blocker if why else None,
        "policy": judged.policy.name,
        "exemption": verdict.exemption.reason if verdict.exemption else None,
    }


def _figure(what: str, asked: str, available: str) -> dict[str, str]:
    return {"what": what, "asked": asked, "available": available}


def _blocked(account: str, queue: BlockedQueue) -> Row:
    return {
        "account": account,
        "queue": queue.queue,
        "since": queue.since,
        "waiting": queue.waiting,
        "diagnosis": queue.sentence,
        "advice": queue.advice,
        "blocker": queue.blocker,
        "held_back": queue.held_back,
    }
