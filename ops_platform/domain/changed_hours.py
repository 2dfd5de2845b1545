"""Which hours a change belongs to: those whose metrics are no longer as they were."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from ops_platform.domain.events import Event, JobEvent
from ops_platform.domain.hours import HOUR, Hours, hour_of
from ops_platform.domain.lifecycle import Execution, Instance, Job
from ops_platform.domain.metric import Noun

S = TypeVar("S", Job, Execution, Instance)
Fact = tuple[datetime, object]
Mark = tuple[Noun, Hours]
LONGEST_AGO = timedelta(days=400)
"""What is older is computed by hand: an event with a wrong clock would have decades computed."""


def of_jobs(before: Job | None, after: Job, now: datetime) -> Iterator[Mark]:
    """Yield the hours of what is known of a job now and was not, or not so, before."""
    differs = _differing(_job_facts, before, after)
    is_over = after.stopped_at and (before is None or before.stopped_at)
    return _marks(Noun.JOBS, differs, after.stopped_at if is_over else None, now)


def of_executions(before: Execution | None, after: Execution, now: datetime) -> Iterator[Mark]:
    """Yield the hours of what is known of an execution now and was not before."""
    differs = _differing(_execution_facts, before, after)
    is_over = after.stopped_at and (before is None or before.stopped_at)
    return _marks(Noun.EXECUTIONS, differs, after.stopped_at if is_over else None, now)


def of_instances(before: Instance | None, after: Instance, now: datetime) -> Iterator[Mark]:
    """Yield the hours of what is known of an instance now, of itself and of the jobs on it."""
    differs = _differing(_instance_facts, before, after)
    is_over = after.deregistered_at and (before is None or before.deregistered_at)
    until = after.deregistered_at if is_over else None
    for noun in (Noun.INSTANCES, Noun.JOBS):
        yield from _marks(noun, differs, until, now)


def of_events(new: Iterable[Event], now: datetime) -> Iterator[Mark]:
    """Yield the hours of events: all are counted, notices of blocked queues twice."""
    told = [(isinstance(event, JobEvent) and event.blocked, hour_of(event.time)) for event in new]
    for hour in {hour for _, hour in told}:
        yield from _within(Noun.PLATFORM, hour, hour, now)
    for hour in {hour for is_notice, hour in told if is_notice}:
        yield from _within(Noun.JOBS, hour, hour, now)


def merged(marks: Iterable[Mark]) -> list[Mark]:
    """Return marks of which none touches another, in their order."""
    found: list[Mark] = []
    for noun, hours in sorted(marks, key=lambda mark: (mark[0], mark[1].begin)):
        last = found[-1] if found else None
        if last is not None and last[0] == noun and hours.begin <= last[1].end:
            found[-1] = (noun, Hours(last[1].begin, max(last[1].end, hours.end)))
        else:
            found.append((noun, hours))
    return found


def _differing(facts: Callable[[S], set[Fact]], before: S | None, after: S) -> set[Fact]:
    return facts(after) ^ (facts(before) if before else set())


def _marks(noun: Noun, differs: set[Fact], until: datetime | None, now: datetime) -> Iterator[Mark]:
    """Yield the hours from the first fact that differs on, since what it began goes on.

    ``until`` is None for what goes on, and for what so far was believed to.
    """
    if not differs:
        return
    moments = [at for at, _ in differs]
    yield from _within(noun, hour_of(min(moments)), hour_of(max(*moments, until or now)), now)


def _within(noun: Noun, first: datetime, last: datetime, now: datetime) -> Iterator[Mark]:
    """Yield the hours from first to last, but none to come, and none of longer ago than marked."""
    this = hour_of(now)
    begin, end = max(first, this - LONGEST_AGO), min(last, this) + HOUR
    if begin < end:
        yield noun, Hours(begin, end)


def _job_facts(job: Job) -> set[Fact]:
    latest, entered = job.latest, job.entered
    whose = (latest.flow, latest.step, latest.owner, latest.queue, latest.definition)
    first = latest.created_at or latest.time
    facts: list[tuple[datetime | None, object]] = [
        (first, whose),
        (first, (latest.vcpus, latest.memory_mib)),
        (entered.submitted, "SUBMITTED"),
        (entered.pending, "PENDING"),
        (job.stopped_at, (latest.status, latest.status_reason, latest.exit_code)),
        (latest.started_at, latest.container_instance),
    ]
    by_attempt = (("RUNNABLE", entered.runnable), ("STARTING", entered.starting))
    for name, moments in (*by_attempt, ("RUNNING", entered.running)):
        facts += [(at, (name, number)) for number, at in enumerate(moments)]
    for number, attempt in enumerate(latest.attempts):
        facts.append((attempt.started_at, (number, attempt.container_instance)))
        facts.append((attempt.stopped_at, number))
    return {(at, what) for at, what in facts if at is not None}


def _execution_facts(execution: Execution) -> set[Fact]:
    return {(move.at, move.status) for move in execution.moves}


def _instance_facts(instance: Instance) -> set[Fact]:
    latest = instance.latest
    kind = (latest.instance_type, latest.availability_zone, latest.cluster, latest.cpu_units)
    facts: set[Fact] = {(instance.registered_at, kind)}
    if instance.deregistered_at is not None:
        facts.add((instance.deregistered_at, "left"))
    return facts
