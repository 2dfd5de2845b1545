"""When a job was in which state, attempt by attempt, as its raw events tell.

Where the brief of the metrics leaves a choice, it is made as somebody who looks at a job expects:

- A job is in one state at a time. Most moments are whole seconds, cut off, and some are exact; so
  a state may be told to begin up to a second before the one ahead of it did: it begins then.
- How long a job is RUNNABLE counts from when it is told to be: ends are cut off alike.
- An attempt that was placed, and that the job's end does not list, ended with the job.
- An attempt whose end nobody tells lasts until the job's next known moment.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ops_platform_tests.recount_raw import Json, Told, first
from ops_platform_tests.recount_ways import FOREVER

ENDS = ("SUCCEEDED", "FAILED")
_ORDER = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "LOST", *ENDS)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: when it came to its states; what nobody tells is None.

    ``ran`` is when a RUNNING event says that it began to run, ``running`` when anything does.
    """

    runnable: int | None
    starting: int | None
    ran: int | None
    running: int | None
    stopped: int | None
    instance: str | None

    @property
    def placed(self) -> int | None:
        """When it took its place on a host: STARTING, or if that is not told, RUNNING."""
        return self.running if self.starting is None else self.starting

    @property
    def moments(self) -> tuple[int | None, ...]:
        """All of its moments, in their order."""
        return (self.runnable, self.starting, self.running, self.stopped)


def attempts_of(detail: Json) -> list[Json]:
    """Return the attempts that an event says have ended."""
    return detail.get("attempts") or []


def newest(told: Sequence[Told]) -> Told:
    """Return the event that shows a job as it is now, whichever came last."""
    return max(told, key=_age)


def _age(told: Told) -> tuple[bool, int, int, int, str]:
    status = told.detail["status"]
    return (
        status in ENDS,
        len(attempts_of(told.detail)),
        _ORDER.index(status),
        told.at,
        told.id,
    )


def ended(latest: Told) -> int | None:
    """Return when a job ended, or None while it has not."""
    if latest.detail["status"] not in ENDS:
        return None
    stopped: int | None = latest.detail.get("stoppedAt")
    return latest.at if stopped is None else stopped


def entered(told: Sequence[Told], status: str, number: int | None = None) -> int | None:
    """Return when a job is first told to have been in a state, in that attempt if one is given."""
    moments = (
        _moment(each)
        for each in told
        if each.detail["status"] == status
        and each.kind == "job"
        and (number is None or len(attempts_of(each.detail)) == number)
        and (status == "RUNNING" or not each.made)
    )
    return first(moments, min)


def _moment(told: Told) -> int:
    started = told.detail.get("startedAt") if told.detail["status"] == "RUNNING" else None
    return told.at if started is None else int(started)


def attempts(told: Sequence[Told]) -> list[Attempt]:
    """Return the attempts of a job, those that have not ended and are not placed included."""
    latest = newest(told)
    count = len(attempts_of(latest.detail))
    for each in told:
        begun = each.kind == "job" and each.detail["status"] in ("RUNNABLE", "STARTING", "RUNNING")
        count = max(count, len(attempts_of(each.detail)) + begun)
    if not attempts_of(latest.detail) and latest.detail.get("startedAt") is not None:
        count = max(count, 1)
    return [_attempt(told, latest, number) for number in range(count)]


def _attempt(told: Sequence[Told], latest: Told, number: int) -> Attempt:
    listed = attempts_of(latest.detail)
    current = number == len(listed)
    shown = latest.detail if current else listed[number] if number < len(listed) else {}
    starting = entered(told, "STARTING", number)
    ran = entered(told, "RUNNING", number)
    running = ran if _started(shown, listed[:number]) is None else shown["startedAt"]
    stopped = shown.get("stoppedAt")
    if current or (stopped is None and number == len(listed) - 1):
        was_placed = not current or starting is not None or running is not None
        stopped = ended(latest) if was_placed else None
    instance = (shown.get("container") or {}).get("containerInstanceArn")
    runnable = entered(told, "RUNNABLE", number)
    return Attempt(runnable, starting, ran, running, stopped, instance)


def _started(shown: Json, before: Sequence[Json]) -> int | None:
    """Return when an attempt began to run; a job that waits again shows the start before."""
    started: int | None = shown.get("startedAt")
    return None if started in [attempt.get("startedAt") for attempt in before] else started


def states(told: Sequence[Told]) -> Iterator[tuple[str, int, int]]:
    """Yield each state that a job was in, with the moments between which it was in it."""
    begins = [(state, at) for state, at in _begins(told) if at is not None]
    at = 0
    moved = [(state, at := max(at, begin)) for state, begin in begins]
    for (state, begin), (_, end) in zip(moved, [*moved[1:], ("", FOREVER)], strict=True):
        if state and begin < end:
            yield state, begin, end


def _begins(told: Sequence[Told]) -> Iterator[tuple[str, int | None]]:
    latest = newest(told)
    created = latest.detail.get("createdAt")
    yield "SUBMITTED", entered(told, "SUBMITTED") if created is None else created
    yield "PENDING", entered(told, "PENDING")
    for attempt in attempts(told):
        yield from zip(("RUNNABLE", "STARTING", "RUNNING", ""), attempt.moments, strict=True)
    yield "", latest.at if latest.detail["status"] == "LOST" else ended(latest)


def until(told: Sequence[Told], number: int) -> int:
    """Return when an attempt no longer held its place: at its end, or the next known moment."""
    mine, *later = attempts(told)[number:]
    if mine.stopped is not None:
        return mine.stopped
    following = [moment for attempt in later for moment in attempt.moments]
    choose: Callable[..., int] = min
    found = first([*following, ended(newest(told))], choose)
    return FOREVER if found is None else found
