"""When a job came to its states, attempt by attempt: what the metrics of jobs are made of.

Events repeat and come in any order, so the earliest that tells of a state counts.
"""

from datetime import datetime

import msgspec

from ops_platform.domain.events import JobEvent

Moments = tuple[datetime | None, ...]
MADE = "api:"
"""How the ids of events begin that were made of what an API told."""
_BY_ATTEMPT = {"RUNNABLE": "runnable", "STARTING": "starting", "RUNNING": "running"}
_ONCE = {"SUBMITTED": "submitted", "PENDING": "pending"}


class Entered(msgspec.Struct, frozen=True):
    """When a job was first told to be in each state; of three of them, for each attempt from 1."""

    submitted: datetime | None = None
    pending: datetime | None = None
    runnable: Moments = ()
    starting: Moments = ()
    running: Moments = ()


NEVER = Entered()


def enter(known: Entered, event: JobEvent) -> Entered:
    """Return what is known after one more event of the job."""
    if event.blocked:  # tells that it is RUNNABLE, not since when
        return known
    if event.status == "RUNNING":
        return _by_attempt(known, event, event.started_at or event.time)
    # An API knows when a job was made and began to run, not when it came to the states between.
    if event.id.startswith(MADE):
        return known
    if event.status in _BY_ATTEMPT:
        return _by_attempt(known, event, event.time)
    if field := _ONCE.get(event.status):
        return _earlier(known, field, earlier(getattr(known, field), event.time))
    return known


def earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    """Return the earlier of two moments that may be unknown."""
    if first is None or second is None:
        return first or second
    return min(first, second)


def _by_attempt(known: Entered, event: JobEvent, at: datetime) -> Entered:
    field, index = _BY_ATTEMPT[event.status], len(event.attempts)
    told: Moments = getattr(known, field)
    padded = [*told, *(None for _ in range(index + 1 - len(told)))]
    padded[index] = earlier(padded[index], at)
    return _earlier(known, field, tuple(padded))


def _earlier(known: Entered, field: str, value: datetime | Moments | None) -> Entered:
    if getattr(known, field) == value:
        return known
    return msgspec.structs.replace(known, **{field: value})
