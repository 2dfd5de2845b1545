"""Whether a queue moves, and whether those who run leave room for a job."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ops_platform.domain.capacity import Environment, Platform, Situation, Size
from ops_platform.domain.fitting import types_of


def moves(situation: Situation, within: timedelta, now: datetime) -> bool:
    """Tell whether a job of a queue started, or another one came to its head, lately."""
    moved_at = situation.moved_at
    return moved_at is not None and now - moved_at < within


def held_by_jobs(asked: Size, situation: Situation, usable: Sequence[Environment]) -> bool:
    """Tell whether jobs that have started hold so much that this one has to wait for them."""
    if not situation.held_vcpus:
        return False
    limits = [each.max_vcpus for each in usable]
    # Where Batch names no limit nobody can tell, and doubt speaks for the job.
    known = [limit for limit in limits if limit is not None]
    return len(known) < len(limits) or situation.held_vcpus + asked.vcpus > sum(known)


def held_by_instances(asked: Size, situation: Situation, usable: Sequence[Environment]) -> bool:
    """Tell whether Batch may start no further instance while jobs run on those there are.

    A job that takes all memory or GPUs of an instance holds all its vCPUs, which their sum hides.
    """
    return situation.held_vcpus > 0 and all(_is_full(asked, each) for each in usable)


def _is_full(asked: Size, environment: Environment) -> bool:
    if environment.platform is Platform.FARGATE:  # no instances there
        return False
    if environment.max_vcpus is None or environment.desired_vcpus is None:
        return True
    fitting = [kind.size.vcpus for kind in types_of(environment) or () if kind.size.holds(asked)]
    smallest = min(fitting, default=max(asked.vcpus, 1))
    return environment.max_vcpus - environment.desired_vcpus < smallest
