"""Find the queues that start nothing although jobs wait in them, and say why.

A queue whose capacity is in use is not blocked, however long it takes.
"""

from collections.abc import Collection, Iterable

from ops_platform.domain.blocked_queues import BlockedQueue
from ops_platform.domain.causes import Fault
from ops_platform.operations.stale_findings import Findings

_MANY_AT_ONCE = (
    "Look at the queue and its compute environments first. Nothing is cancelled meanwhile, unless"
    " an operator has it done despite the fault."
)


def find_blocked_queues(
    findings: Iterable[Findings], ended: Collection[str]
) -> tuple[BlockedQueue, ...]:
    """Return the queues that are blocked, unless the job that blocks was ended just now.

    Args:
        findings: What was found, by queue.
        ended: The ids of the jobs whose end was asked for, and not refused.
    """
    found = (_blocked(each, ended) for each in findings)
    return tuple(each for each in found if each is not None)


def _blocked(findings: Findings, ended: Collection[str]) -> BlockedQueue | None:
    blocked_job = findings.blocked_job
    diagnosis = blocked_job.diagnosis if blocked_job else None
    if diagnosis is not None and diagnosis.fault is Fault.QUEUE:
        return _told(findings, diagnosis.sentence, diagnosis.advice)
    if findings.fault is not None and findings.held_back:
        return _told(findings, findings.fault, _MANY_AT_ONCE)
    if blocked_job is None or diagnosis is None or blocked_job.waiting.id in ended:
        return None
    blocker = blocked_job.waiting.id if findings.is_head(blocked_job) else None
    return _told(findings, diagnosis.sentence, diagnosis.advice, blocker=blocker)


def _told(
    findings: Findings, sentence: str, advice: str, *, blocker: str | None = None
) -> BlockedQueue:
    moved_at = findings.situation.moved_at if findings.situation else None
    return BlockedQueue(
        queue=findings.queue.name,
        since=moved_at or findings.oldest,
        sentence=sentence,
        advice=advice,
        waiting=findings.waiting,
        blocker=blocker,
        held_back=findings.held_back,
    )
