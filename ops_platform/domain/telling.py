"""Whether what was told of an incident still holds, after Alertmanager's rules.

A message is told once and edited afterwards, so each reason here is one for an edit; those that
somebody has to hear of as well are told again in the thread.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from ops_platform.domain.incidents import Incident, State, digest_of


class Why(StrEnum):
    """Why a message is due."""

    FIRST = "first notification"
    FAILED_AGAIN = "failed again"
    NEW_FAILURES = "new failures"
    FEWER_FAILURES = "fewer failures"
    DETAILS = "details changed"
    RESOLVED = "resolved"
    REMINDER = "repeat interval elapsed"
    RETRIED = "retried by an operator"


NOTED = frozenset({Why.FAILED_AGAIN, Why.RESOLVED, Why.REMINDER})
"""Those that get a note in the thread, since an edit rings no bell."""

_SHOWN = (
    "flow", "kind", "owner", "project", "branch", "reason", "error", "step", "job_id",
    "log_stream", "resolved_by",
)  # fmt: skip


class Standing(msgspec.Struct, frozen=True):
    """What there is to tell: of one incident, or of a burst of them told as one.

    ``failing`` is a digest of what fails by itself (jobs of a run, runs of a burst), ``failures``
    their number, ``shown`` a digest of all else that the message shows. ``since`` is when the last
    failure happened, ``resolved_at`` when it was over.
    """

    state: State
    since: datetime
    failing: str
    failures: int
    shown: str
    resolved_at: datetime | None = None


class Told(msgspec.Struct, frozen=True):
    """What was told last, and when somebody was last mentioned over it.

    ``digest`` is one of the very words, by which an edit that changes nothing is left out.
    """

    standing: Standing
    mentioned_at: datetime
    digest: str


def standing(incident: Incident) -> Standing:
    """Return what there is to tell of an incident."""
    shown = (getattr(incident, name) for name in _SHOWN)
    steps = (f"{step} {msgspec.structs.astuple(tally)}" for step, tally in incident.steps.items())
    return Standing(
        state=incident.state,
        since=incident.opened_at,
        failing=incident.failing,
        failures=incident.failed_jobs,
        shown=digest_of([*map(repr, enumerate(shown)), *steps]),
        resolved_at=incident.resolved_at,
    )


def needs_update(
    told: Told | None, now_is: Standing, *, now: datetime, repeat: timedelta | None = None
) -> Why | None:
    """Return why what was told has to be told anew, or None if it still holds.

    Args:
        told: What was told last; None if nothing was yet.
        now_is: What there is to tell now.
        now: The time.
        repeat: After how long an open incident is told again; None for never.
    """
    if told is None:
        return Why.FIRST if now_is.state is State.OPEN else None
    why = _difference(told.standing, now_is)
    is_long_ago = repeat is not None and now - told.mentioned_at >= repeat
    if why is None and is_long_ago and now_is.state is State.OPEN:
        return Why.REMINDER
    return why


def _difference(was: Standing, now_is: Standing) -> Why | None:
    """Return what has changed the most; None if nothing has."""
    if now_is == was:
        return None
    if now_is.state is State.RESOLVED:
        return Why.RESOLVED if was.state is State.OPEN else Why.DETAILS
    if was.state is State.RESOLVED or now_is.since > was.since:
        return Why.FAILED_AGAIN
    if now_is.failing != was.failing:
        return Why.NEW_FAILURES if now_is.failures >= was.failures else Why.FEWER_FAILURES
    return Why.DETAILS
