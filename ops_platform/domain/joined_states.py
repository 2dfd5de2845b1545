"""Two states of one subject, each made of some of its events, as the state of all of them."""

from itertools import zip_longest

import msgspec

from ops_platform.domain.lifecycle import (
    Execution,
    Instance,
    Job,
    advance_execution,
    advance_instance,
    advance_job,
    later,
)
from ops_platform.domain.moments import Entered, Moments, earlier


def join_jobs(one: Job, other: Job) -> Job:
    """Return the job that the events of both tell of."""
    return msgspec.structs.replace(
        advance_job(one, other.latest, one.account),
        runnable_at=later(one.runnable_at, other.runnable_at),
        starting_at=later(one.starting_at, other.starting_at),
        entered=_join_entered(one.entered, other.entered),
    )


def join_executions(one: Execution, other: Execution) -> Execution:
    """Return the execution that the events of both tell of."""
    joined = advance_execution(one, other.latest, one.account)
    if other.failure is not None:
        joined = advance_execution(joined, other.failure, one.account)
    moves = tuple(sorted({*one.moves, *other.moves}))
    return msgspec.structs.replace(joined, moves=moves)


def join_instances(one: Instance, other: Instance) -> Instance:
    """Return the instance that the events of both tell of."""
    return msgspec.structs.replace(
        advance_instance(one, other.latest, one.account),
        registered_at=min(one.registered_at, other.registered_at),
        deregistered_at=earlier(one.deregistered_at, other.deregistered_at),
    )


def _join_entered(one: Entered, other: Entered) -> Entered:
    return Entered(
        earlier(one.submitted, other.submitted),
        earlier(one.pending, other.pending),
        _earliest(one.runnable, other.runnable),
        _earliest(one.starting, other.starting),
        _earliest(one.running, other.running),
    )


def _earliest(one: Moments, other: Moments) -> Moments:
    return tuple(earlier(*pair) for pair in zip_longest(one, other))
