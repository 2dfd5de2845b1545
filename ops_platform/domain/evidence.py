"""The figures that a diagnosis compares: what, what is asked for, what there is."""

from datetime import datetime

from ops_platform.domain.capacity import Environment, InstanceType, Situation, Size
from ops_platform.domain.queue_words import clipped, holders
from ops_platform.domain.size_words import gpus_of, largest, memory_of, number, vcpus_of
from ops_platform.domain.words import duration

Compared = tuple[str, str, str]


def sizes(asked: Size, situation: Situation) -> list[Compared]:
    """Return what a job asks for beside the most that one instance type of its queue has."""
    queue = situation.queue
    found = [
        ("vCPUs", number(asked.vcpus), _most(largest(queue, "vcpus"), "vcpus")),
        ("memory", memory_of(asked.memory_mib), _most(largest(queue, "memory_mib"), "memory")),
    ]
    if asked.gpus:
        found.append(("GPUs", str(asked.gpus), _most(largest(queue, "gpus"), "gpus")))
    return found


def environments(situation: Situation) -> list[Compared]:
    """Return the state of each environment beside the one it needs."""
    return [
        (f"compute environment {each.name}", "ENABLED, VALID, with vCPUs", _state(each))
        for each in situation.queue.environments
    ]


def course(situation: Situation, now: datetime) -> list[Compared]:
    """Return when a queue last moved, and who holds its capacity."""
    moved_at = situation.moved_at
    moved = f"{duration(now - moved_at)} ago" if moved_at else "not known"
    found = [("queue moved", "", moved)]
    if situation.held_vcpus:
        held = f"{vcpus_of(situation.held_vcpus)} held: {holders(situation.holders)}"
        found.append(("capacity", "free", held))
    return found


def said(status_reason: str | None) -> list[Compared]:
    """Return what Batch itself says of a job."""
    return [("Batch's own reason", "", clipped(status_reason))] if status_reason else []


def _most(kind: InstanceType | None, dimension: str) -> str:
    if kind is None:
        return "not known"
    if dimension == "vcpus":
        return f"at most {number(kind.size.vcpus)} ({kind.name})"
    if dimension == "gpus":
        return f"at most {kind.size.gpus} ({kind.name})" if kind.size.gpus else gpus_of(0)
    less = "" if kind.is_registered else ", less what ECS keeps"
    return f"at most {memory_of(kind.size.memory_mib)} ({kind.name}{less})"


def _state(environment: Environment) -> str:
    words = [environment.state, environment.status]
    if environment.max_vcpus is not None:
        words.append(f"at most {vcpus_of(environment.max_vcpus)}")
    if environment.desired_vcpus is not None:
        words.append(f"{number(environment.desired_vcpus)} desired")
    return ", ".join(words)
