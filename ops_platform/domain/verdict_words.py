"""What becomes of a job that waits, and when, in words."""

from datetime import datetime

from ops_platform.domain.causes import Fault
from ops_platform.domain.staleness import Decision, Judged, Verdict, Why, judge
from ops_platform.domain.words import duration

_KEPT = {
    Why.NOT_OURS: "It is none of Metaflow's, and is left alone.",
    Why.NOT_RUNNABLE: "It is not RUNNABLE, and is left alone.",
    Why.DEPENDENCY_PENDING: "It does not wait for capacity, and is left alone.",
    Why.ALREADY_CANCELLED: "Its end was asked for already; Batch may take a while over it.",
    Why.AGE_UNKNOWN: "Nobody knows since when it is RUNNABLE, so it is left alone.",
}
_WARNED = {
    Why.WAITS_ITS_TURN: "It has waited long and is told of, not cancelled: it waits its turn.",
    Why.BEHIND_ANOTHER: "It has waited long and is told of, not cancelled: another is in front.",
    Why.QUEUE_AT_FAULT: "It is told of, not cancelled: the queue is at fault.",
}
_BECAUSE = {
    Why.UNFIT: "it fits nothing its queue has",
    Why.STUCK: "its queue does not move",
    Why.BY_AGE: "its policy goes by age alone",
}
_OBSERVED = " The account observes only, so that nothing is cancelled."
_HELD_BACK = " The queue is at fault, so that this is held back unless an operator insists."


def what_next(judged: Judged, *, enforce: bool, now: datetime) -> str:
    """Return what a policy makes of a job, and when, as things stand."""
    verdict = judged.verdict
    if verdict.why in {Why.YOUNG, Why.SOON}:
        verdict = foreseen(judged, now) or verdict
    if verdict.exemption is not None:
        until, why = moment(verdict.exemption.until), verdict.exemption.reason
        return f"It is left alone until {until}: {why}"
    if verdict.due_at is not None:
        but = _but(judged, enforce=enforce)
        return f"{_due(verdict, now, is_certain=not but)}{but}"
    if verdict.decision is Decision.KEEP:
        return _KEPT.get(verdict.why, "It is young, and left alone.")
    told = _WARNED.get(verdict.why, _WARNED[Why.WAITS_ITS_TURN])
    return told if judged.verdict.decision is Decision.WARN else _later(judged, verdict)


def foreseen(judged: Judged, now: datetime) -> Verdict | None:
    """Return the next verdict on a young job if nothing changes, None if it stays as it is."""
    since, policy = judged.verdict.since, judged.policy
    if since is None or judged.diagnosis is None:
        return None
    limits = sorted({since + policy.unfit_after, since + policy.stuck_after})
    for at in (limit for limit in limits if limit > now):
        verdict = judge(judged.waiting, judged.diagnosis, policy, at)
        if verdict.why not in {Why.YOUNG, Why.SOON}:
            return verdict
    return None


def moment(at: datetime) -> str:
    """Return a moment to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _due(verdict: Verdict, now: datetime, *, is_certain: bool) -> str:
    due_at = verdict.due_at or now
    because = _BECAUSE[verdict.why]
    if due_at <= now:
        cancels = "cancels" if is_certain else "would cancel"
        return f"The next cleanup {cancels} it, since {because}."
    when = f"in {duration(due_at - now)} ({moment(due_at)})"
    is_to_be = "is" if is_certain else "would be"
    return f"If nothing changes, it {is_to_be} cancelled {when}, since {because}."


def _later(judged: Judged, verdict: Verdict) -> str:
    since, limit = judged.verdict.since, judged.policy.stuck_after
    when = f" from {moment(since + limit)} on" if since else ""
    why = "it is behind another" if verdict.why is Why.BEHIND_ANOTHER else "it waits its turn"
    return f"It is left alone, since {why}; it would be told of{when}."


def _but(judged: Judged, *, enforce: bool) -> str:
    if not enforce:
        return _OBSERVED
    is_held = judged.diagnosis is not None and judged.diagnosis.fault is Fault.QUEUE
    return _HELD_BACK if is_held else ""
