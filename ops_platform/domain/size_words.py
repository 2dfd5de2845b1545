"""Sizes in words: what a job asks for, what there is, and the line of the flow to change."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from ops_platform.domain.capacity import InstanceType, Platform, Queue, Size
from ops_platform.domain.causes import Cause
from ops_platform.domain.fitting import (
    is_above_maximum,
    nearest_offer,
    smallest_type,
    types_of,
)

_LARGER_COUNTS = "Metaflow takes the larger of @resources and @batch, so look at both."


@dataclass(frozen=True, slots=True)
class FlowStep:
    """Where a flow says what it asks for; both are None of a job that is not Metaflow's."""

    flow: str | None
    step: str | None


def vcpus_of(count: float) -> str:
    """Return a number of vCPUs."""
    return f"{number(count)} vCPU{'' if count == 1 else 's'}"


def number(count: float) -> str:
    """Return a number that may have a fraction."""
    return f"{count:,.2f}".rstrip("0").rstrip(".")


def memory_of(mib: int) -> str:
    """Return an amount of memory."""
    return f"{mib:,} MiB"


def gpus_of(count: int) -> str:
    """Return a number of GPUs."""
    return f"{count} GPU{'' if count == 1 else 's'}" if count else "no GPU"


def size_of(size: Size) -> str:
    """Return all that a job asks for."""
    gpus = [gpus_of(size.gpus)] if size.gpus else []
    return listed([vcpus_of(size.vcpus), f"{memory_of(size.memory_mib)} of memory", *gpus])


def listed(words: Sequence[str]) -> str:
    """Return things as a sentence lists them."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def largest(queue: Queue, dimension: str) -> InstanceType | None:
    """Return the type of a queue's environments that has most of one thing."""
    kinds = [kind for each in queue.environments for kind in types_of(each) or ()]
    return max(kinds, key=attrgetter(f"size.{dimension}"), default=None)


def why_unfit(asked: Size, queue: Queue, found: Cause) -> str:
    """Return the sentence that says what a job asks for and no environment has."""
    if found is Cause.NO_TYPE_HAS_ALL:
        asks = f"The job asks for {size_of(asked)}"
        return f"{asks}: no one instance type of queue {queue.name} has all of it."
    if found is Cause.ABOVE_MAX_VCPUS:
        above = [each for each in queue.environments if is_above_maximum(asked, each)]
        most = max(each.max_vcpus or 0 for each in above)
        return (
            f"The job asks for {vcpus_of(asked.vcpus)}; no compute environment of queue"
            f" {queue.name} that is large enough may have more than {number(most)}."
        )
    pairs = _exceeded(asked, queue)
    wanted = listed([want for want, _ in pairs])
    most_there = listed([has for _, has in pairs])
    verb = "is" if len(pairs) == 1 else "are"
    return f"The job asks for {wanted}; the most that queue {queue.name} has {verb} {most_there}."


def what_to_change(
    asked: Size, queue: Queue, found: Cause, at: FlowStep, offered: Sequence[InstanceType]
) -> str:
    """Return what to change in the flow, or else in the queue, for a job that fits nothing."""
    larger = "Or raise its maxvCpus." if found is Cause.ABOVE_MAX_VCPUS else ""
    return f"{ask_less(asked, queue, at)} {larger or _or_larger(asked, queue, offered)}"


def ask_less(asked: Size, queue: Queue, at: FlowStep) -> str:
    """Return what a job could ask for at most in its queue."""
    return ask_for(asked, _most(asked, queue), at)


def ask_for(asked: Size, most: Size, at: FlowStep) -> str:
    """Return what to ask for at most, as the line of the flow's step."""
    less = _reduced(asked, most)
    if at.flow is None:
        return f"Ask for {listed(less) if less else 'less'}."
    where = f"at step {at.step} of {at.flow}" if at.step else f"in {at.flow}"
    what = f"{listed(less)}: {resources(most)}" if less else f"less than {resources(asked)}"
    return f"Ask for {what} {where}. {_LARGER_COUNTS}"


def resources(size: Size) -> str:
    """Return Metaflow's line for a size."""
    gpu = f", gpu={size.gpus}" if size.gpus else ""
    return f"@resources(cpu={size.vcpus:g}, memory={size.memory_mib}{gpu})"


def _most(asked: Size, queue: Queue) -> Size:
    offer = nearest_offer(asked, queue.environments)
    if offer is not None:
        return offer.most
    limits = [each.max_vcpus for each in queue.environments if each.max_vcpus]
    return Size(min(asked.vcpus, max(limits, default=asked.vcpus)), asked.memory_mib, asked.gpus)


def _reduced(asked: Size, most: Size) -> list[str]:
    pairs = (
        (most.vcpus < asked.vcpus, vcpus_of(most.vcpus)),
        (most.memory_mib < asked.memory_mib, memory_of(most.memory_mib)),
        (most.gpus < asked.gpus, gpus_of(most.gpus)),
    )
    less = [words for is_less, words in pairs if is_less]
    return [f"at most {words}" if words != gpus_of(0) else words for words in less]


def _or_larger(asked: Size, queue: Queue, offered: Sequence[InstanceType]) -> str:
    found = smallest_type(asked, offered, queue)
    if found is None:
        nowhere = "No instance type of EC2 in this region would do."
        return nowhere if offered else "Or use a queue with larger instances."
    # Batch takes no environment of EC2 into a queue of Fargate.
    if any(each.platform is Platform.FARGATE for each in queue.environments):
        return f"Or use a queue of EC2 instances such as {found}, the smallest that fits."
    return f"Or use a queue, or give this one an environment, with {found}: the smallest that fits."


def _exceeded(asked: Size, queue: Queue) -> list[tuple[str, str]]:
    """Return what is asked for beside the most there is of it, where that is less."""
    gpus, vcpus, memory = (largest(queue, each) for each in ("gpus", "vcpus", "memory_mib"))
    pairs = []
    if gpus is not None and gpus.size.gpus < asked.gpus:
        pairs.append((gpus_of(asked.gpus), _of(gpus, gpus_of(gpus.size.gpus))))
    if vcpus is not None and vcpus.size.vcpus < asked.vcpus:
        pairs.append((vcpus_of(asked.vcpus), _of(vcpus, vcpus_of(vcpus.size.vcpus))))
    if memory is not None and memory.size.memory_mib < asked.memory_mib:
        asks = f"{memory_of(asked.memory_mib)} of memory"
        pairs.append((asks, _of(memory, memory_of(memory.size.memory_mib))))
    return pairs


def _of(kind: InstanceType, words: str) -> str:
    return words if words == gpus_of(0) else f"{words} ({kind.name})"
