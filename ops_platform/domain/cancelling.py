"""What a cancellation says, and what became of it."""

from datetime import datetime
from enum import StrEnum

from ops_platform.domain.events import JobEvent
from ops_platform.domain.lifecycle import JOB_ENDS
from ops_platform.domain.reasons import STALE_MARK
from ops_platform.domain.staleness import Judged, Why
from ops_platform.domain.words import duration

# As much as CancelJob takes.
LONGEST_REASON = 1024
_BECAUSE = {
    Why.UNFIT: "it can never start",
    Why.STUCK: "its queue does not move",
    Why.BY_AGE: "it is older than its policy allows",
}


class Outcome(StrEnum):
    """What became of a job whose end was asked for."""

    ASKED = "asked"
    """Not known yet: whoever asked has not looked again."""
    CANCELLED = "cancelled"
    STARTED = "started meanwhile"
    FINISHED = "finished"
    GONE = "already gone"
    REFUSED = "refused"
    RUN_STOPPED = "run stopped"
    WARNED = "warned"
    """Nothing was asked for; the owner was told."""


def cancel_reason(judged: Judged, now: datetime) -> str:
    """Return the reason that Batch is given, which becomes the job's ``statusReason``.

    It begins with the words by which the alert of the failed run knows it.
    """
    since, diagnosis = judged.verdict.since, judged.diagnosis
    age = f"RUNNABLE for {duration(now - since)}" if since else "RUNNABLE"
    because = _BECAUSE.get(judged.verdict.why, judged.verdict.why)
    why = f"{diagnosis.sentence} {diagnosis.advice}" if diagnosis else ""
    text = f"{STALE_MARK}: {age}, and {because}. {why} (policy: {judged.policy.name})"
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


def outcome_of(described: JobEvent | None) -> Outcome | None:
    """Return what became of a job that was asked to end; None if it still waits.

    ``CancelJob`` succeeds as well when nothing is cancelled: only the job itself tells.
    """
    if described is None:
        return Outcome.GONE
    if described.status in JOB_ENDS:
        ended_by_us = (described.status_reason or "").startswith(STALE_MARK)
        return Outcome.CANCELLED if ended_by_us else Outcome.FINISHED
    if described.status in {"STARTING", "RUNNING"}:
        return Outcome.STARTED
    return Outcome.CANCELLED if described.cancelled else None
