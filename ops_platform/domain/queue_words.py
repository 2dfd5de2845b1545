"""What holds a job up, in words: its queue, the environments, those in front, those who run."""

from collections.abc import Sequence
from datetime import datetime

from ops_platform.domain.capacity import Environment, Holder, Queue, Situation, Size
from ops_platform.domain.fitting import Offer
from ops_platform.domain.size_words import memory_of, number, size_of, vcpus_of
from ops_platform.domain.words import counted, duration, ordinal

_NAMED = 3
_LONGEST_FOREIGN = 160
WAIT_OR_WIDEN = "Wait, or raise maxvCpus of a compute environment if such waits are usual."
WAIT_OR_WEIGH = "Wait, or change the shares' weights in the queue's scheduling policy."
IF_SHUT = (
    "Enable it, unless it was disabled on purpose. By AWS's word a disabled queue takes no new jobs"
    " and those in it can finish, so look at its compute environments too."
)
CHECKLIST = (
    "Check what AWS lists: the instances run and register with the ECS cluster (agent installed and"
    " running, a route to the ECS endpoint, an instance role); EC2's quota and its Spot requests;"
    " memory that the agent keeps; on an image of your own, the awslogs driver."
)


def clipped(text: str) -> str:
    """Return AWS's own words on one line, cut to a length that leaves room for ours."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_FOREIGN else f"{line[: _LONGEST_FOREIGN - 1]}…"


def standstill(situation: Situation, now: datetime) -> str:
    """Return since when a queue has not moved."""
    name, moved_at = situation.queue.name, situation.moved_at
    if moved_at is None:
        return f"queue {name} has not moved, as far as is known"
    return f"queue {name} has not moved for {duration(now - moved_at)}"


def out_of_order(environments: Sequence[Environment], queue: Queue) -> str:
    """Return what is wrong with the only environments of a queue that a job would fit."""
    told = " ".join(map(_trouble, environments))
    others = len(queue.environments) > len(environments)
    tail = f" No other of queue {queue.name} has room for the job." if others else ""
    return f"{told}{tail}"


def how_to_repair(environments: Sequence[Environment]) -> str:
    """Return what to do about environments that are out of order."""
    advice = []
    if any(each.is_invalid for each in environments):
        advice.append("Repair what AWS names, then update the compute environment.")
    if any(not each.is_enabled for each in environments):
        advice.append("Enable it, unless it was disabled on purpose: jobs wait for it meanwhile.")
    if any(each.max_vcpus == 0 for each in environments):
        advice.append("Raise its maxvCpus, unless it was set to 0 on purpose: jobs wait meanwhile.")
    return " ".join(advice)


def held(asked: Size, situation: Situation, usable: Sequence[Environment]) -> str:
    """Return who holds the capacity that a job waits for."""
    limits = [each.max_vcpus for each in usable if each.max_vcpus is not None]
    of_all = f" of at most {number(sum(limits))}" if len(limits) == len(usable) else ""
    return (
        f"The job asks for {vcpus_of(asked.vcpus)} and waits for jobs that run: they hold"
        f" {number(situation.held_vcpus)}{of_all}: {holders(situation.holders)}."
    )


def instances_in_use(situation: Situation, usable: Sequence[Environment]) -> str:
    """Return who runs on the instances of environments that may start no further one."""
    names = " and ".join(each.name for each in usable)
    return (
        f"Compute environment {names} may start no further instance, and jobs hold"
        f" {vcpus_of(situation.held_vcpus)} there: {holders(situation.holders)}."
    )


def turn(index: int | None, situation: Situation, now: datetime) -> str:
    """Return that a queue moves, and where in it a job stands."""
    ago = f"{duration(now - situation.moved_at)} ago" if situation.moved_at else "lately"
    queue = situation.queue.name
    head = situation.head
    following = f"; next is job {head.job_id}" if head is not None and index != 0 else ""
    return f"Queue {queue} moves, the last time {ago}, and {_place(index, situation)}{following}."


def by_shares(share: str) -> str:
    """Return that a queue shares its capacity."""
    return f"Its capacity is shared, and share {share} has to wait for others."


def behind(head: str, index: int | None, situation: Situation, now: datetime) -> str:
    """Return which job stands at the head of a queue that does not move."""
    since = situation.head.since if situation.head else None
    stood = f" for {duration(now - since)}" if since else ""
    place = _place(index, situation)
    return f"Job {head} stands at the head of queue {situation.queue.name}{stood}; {place}."


def dependencies(job_ids: Sequence[str]) -> str:
    """Return what a job waits for that is PENDING."""
    if not job_ids:
        return "The job is PENDING: it waits for another job, or for a consumable resource."
    named = f"{', '.join(job_ids[:_NAMED])}{', …' if len(job_ids) > _NAMED else ''}"
    return f"The job waits for {counted(len(job_ids), 'other job', 'other jobs')}: {named}."


def holders(found: Sequence[Holder]) -> str:
    """Return who holds most."""
    named = [_holder(each) for each in found[:_NAMED]]
    left = sum(each.vcpus for each in found[_NAMED:])
    return ", ".join([*named, f"others {number(left)}"] if left else named)


def might_have(offer: Offer | None) -> str:
    """Return what a job would fit, as far as is known."""
    if offer is None:
        return "what its queue can start is not known"
    kind = offer.type.name
    return f"it would fit {kind} of {offer.environment.name}"


def too_snug(asked: Size, offer: Offer) -> str:
    """Return that a job asks for more than an instance may have once ECS has its share."""
    kind, memory = offer.type, memory_of(asked.memory_mib)
    most = memory_of(kind.size.memory_mib)
    if not kind.is_registered:
        return f"too much memory: {memory}, of the {most} of {kind.name} ECS keeps some"
    if asked.memory_mib > kind.size.memory_mib:
        return f"too much memory: {memory}, and {kind.name} was seen to have {most}"
    return f"too much: {size_of(asked)}, and {kind.name} was seen to have {size_of(kind.size)}"


def _trouble(environment: Environment) -> str:
    name = f"Compute environment {environment.name}"
    why = f": {clipped(environment.status_reason)}" if environment.status_reason else "."
    if environment.is_invalid:
        return f"{name} is invalid{'' if environment.is_enabled else ' and disabled'}{why}"
    if not environment.is_enabled:
        return f"{name} is disabled."
    return f"{name} may have no vCPUs: its maxvCpus is 0."


def _holder(found: Holder) -> str:
    who = found.flow or "jobs of no flow"
    return f"{who}{f' ({found.owner})' if found.owner else ''} {number(found.vcpus)}"


def _place(index: int | None, situation: Situation) -> str:
    if situation.front is None:
        return "the place of this one is not known"
    if index is None:
        first = len(situation.front)
        return f"this one stands behind the first {first}" if first > 1 else "this one is behind it"
    return "this one is next" if index == 0 else f"this one stands {ordinal(index + 1)}"
