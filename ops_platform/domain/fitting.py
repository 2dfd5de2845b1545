"""Whether a job fits what a queue has, what proves that it does not, and what is nearest to it.

A job is cancelled by these words, so all doubt speaks for it: an environment whose types are not
known, or which is being changed, may hold anything.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ops_platform.domain.capacity import CHANGING, Environment, InstanceType, Platform, Queue, Size
from ops_platform.domain.causes import Cause

# The largest that Batch documents for a job on Fargate; some regions and accounts have less.
FARGATE = InstanceType("Fargate", Size(32, 249_856), is_registered=True)
# An image of another version leaves a little more memory than that of the instances we have seen.
_TOLERANCE = 1.02
# Of the memory that EC2 names, what is surely left once kernel and agent have theirs, and what at
# the very most: an environment with another image or agent may leave more than was seen elsewhere.
_USABLE, _MOST_USABLE = 0.9, 0.97
_ARM = re.compile(r"a1\.|[a-z]+\d+[a-z]*g[a-z]*\.")
_ODD = re.compile(r"mac|.*\.metal")


@dataclass(frozen=True, slots=True)
class Offer:
    """What comes nearest to a job in its queue, and the most it could ask for there."""

    environment: Environment
    type: InstanceType
    most: Size


def types_of(environment: Environment) -> tuple[InstanceType, ...] | None:
    """Return what an environment can start, None if that is not known."""
    if environment.platform is Platform.FARGATE:
        return (FARGATE,)
    if environment.platform is Platform.OTHER:
        return None
    return environment.types or None


def usable_size(kind: InstanceType) -> Size:
    """Return what a job can surely have of an instance."""
    if kind.is_registered:
        return kind.size
    return Size(kind.size.vcpus, int(kind.size.memory_mib * _USABLE), kind.size.gpus)


def may_fit(asked: Size, environment: Environment, offered: Sequence[InstanceType] = ()) -> bool:
    """Tell whether nothing proves that a job does not fit an environment, were it in order.

    ``offered`` are the instance types of the region, with EC2's own figures.
    """
    if environment.platform is Platform.OTHER or environment.status in CHANGING:
        return True
    if is_above_maximum(asked, environment):
        return False
    types = types_of(environment)
    if types is None or any(_limit(kind).holds(asked) for kind in types):
        return True
    return _may_fit_as_sold(asked, types, offered)


def surely_fits(asked: Size, environment: Environment) -> bool:
    """Tell whether a job fits an environment without any doubt, were it in order."""
    return not is_above_maximum(asked, environment) and any(
        usable_size(kind).holds(asked) for kind in types_of(environment) or ()
    )


def is_above_maximum(asked: Size, environment: Environment) -> bool:
    """Tell whether a job asks for more vCPUs than an environment may ever have.

    A maximum of 0 is how people pause an environment, and says nothing of the job.
    """
    return bool(environment.max_vcpus) and asked.vcpus > (environment.max_vcpus or 0)


def misfit(asked: Size, queue: Queue, offered: Sequence[InstanceType] = ()) -> Cause | None:
    """Return why a job fits no environment of a queue, in order or not, if that is proved."""
    environments = queue.environments
    if queue.status in CHANGING or not environments:
        return None
    if any(may_fit(asked, each, offered) for each in environments):
        return None
    sizes = [_limit(kind) for each in environments for kind in types_of(each) or ()]
    if any(types_of(each) is None for each in environments):
        return Cause.ABOVE_MAX_VCPUS
    proofs = {
        Cause.TOO_MANY_GPUS: asked.gpus > max(size.gpus for size in sizes),
        Cause.TOO_MANY_VCPUS: asked.vcpus > max(size.vcpus for size in sizes),
        Cause.TOO_MUCH_MEMORY: asked.memory_mib > max(size.memory_mib for size in sizes),
        Cause.NO_TYPE_HAS_ALL: not any(size.holds(asked) for size in sizes),
    }
    return next((found for found, holds in proofs.items() if holds), Cause.ABOVE_MAX_VCPUS)


def nearest_offer(asked: Size, environments: Sequence[Environment]) -> Offer | None:
    """Return what comes nearest to a job, None if no type of the environments is known."""
    return _best(asked, _offers(asked, environments))


def likely_offer(
    asked: Size, environments: Sequence[Environment], offered: Sequence[InstanceType]
) -> Offer | None:
    """Return the type that a job may well fit, None if none of those that are known."""
    offers = [
        offer
        for offer in _offers(asked, environments)
        if not is_above_maximum(asked, offer.environment)
        and (_limit(offer.type).holds(asked) or _may_fit_as_sold(asked, [offer.type], offered))
    ]
    return _best(asked, offers)


def smallest_type(asked: Size, offered: Sequence[InstanceType], queue: Queue) -> str | None:
    """Return the smallest EC2 type that has all a job asks for, of the queue's architecture."""
    known = [kind for each in queue.environments for kind in each.types or ()]
    arm = any(map(is_arm, known))
    fitting = [kind for kind in offered if is_arm(kind) == arm and usable_size(kind).holds(asked)]
    return min(fitting, key=_bulk).name if fitting else None


def is_arm(kind: InstanceType) -> bool:
    """Tell whether a type has processors of AWS's own, by its name."""
    return _ARM.match(kind.name) is not None


def _may_fit_as_sold(
    asked: Size, types: Sequence[InstanceType], offered: Sequence[InstanceType]
) -> bool:
    """Tell whether a job may fit one of these types as EC2 sells it, whatever was registered."""
    seen = {kind.name for kind in types if kind.is_registered}
    sold = (each.size for each in offered if each.name in seen)
    return any(
        Size(size.vcpus, int(size.memory_mib * _MOST_USABLE), size.gpus).holds(asked)
        for size in sold
    )


def _limit(kind: InstanceType) -> Size:
    """Return more than a job could ever have of an instance."""
    memory = kind.size.memory_mib
    most = int(memory * _TOLERANCE) if kind.is_registered and kind is not FARGATE else memory
    return Size(kind.size.vcpus, most, kind.size.gpus)


def _offers(asked: Size, environments: Sequence[Environment]) -> list[Offer]:
    return [
        Offer(each, kind, _most(asked, each, kind))
        for each in environments
        for kind in types_of(each) or ()
    ]


def _best(asked: Size, offers: Sequence[Offer]) -> Offer | None:
    return max(offers, key=lambda offer: _closeness(asked, offer), default=None)


def _most(asked: Size, environment: Environment, kind: InstanceType) -> Size:
    size = usable_size(kind)
    vcpus = min(asked.vcpus, size.vcpus, environment.max_vcpus or size.vcpus)
    return Size(vcpus, min(asked.memory_mib, size.memory_mib), min(asked.gpus, size.gpus))


def _closeness(asked: Size, offer: Offer) -> tuple[float, bool, float]:
    """Return how much of what a job asks for there is; then the usable one, then the smaller."""
    pairs = (
        (offer.most.vcpus, asked.vcpus),
        (offer.most.memory_mib, asked.memory_mib),
        (offer.most.gpus, asked.gpus),
    )
    shares = [has / wanted for has, wanted in pairs if wanted]
    return sum(shares), offer.environment.is_usable, -offer.type.size.vcpus


def _bulk(kind: InstanceType) -> tuple[bool, int, float, int, str]:
    size = kind.size
    return bool(_ODD.match(kind.name)), size.gpus, size.vcpus, size.memory_mib, kind.name
