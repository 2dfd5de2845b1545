"""Whether each step of a flow could start in its queue, by what diagnoses jobs that are stuck."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ops_platform.domain.capacity import InstanceType, Platform, Queue, Size
from ops_platform.domain.checks import CAN_START
from ops_platform.domain.findings import Finding, Verdict
from ops_platform.domain.fitting import may_fit, misfit, types_of
from ops_platform.domain.identity import arn_tail
from ops_platform.domain.machine_definitions import Definition, Step
from ops_platform.domain.names import nearest
from ops_platform.domain.queue_words import how_to_repair, out_of_order
from ops_platform.domain.size_words import FlowStep, listed, size_of, what_to_change, why_unfit

_NAMED = 5


def judge_start(
    definition: Definition,
    queues: Sequence[Queue],
    *,
    flow: str,
    offered: Sequence[InstanceType] = (),
) -> list[Finding]:
    """Return what would keep steps of a flow in RUNNABLE, or the finding that nothing would.

    Args:
        definition: The compiled flow.
        queues: Those of the account in which it is to run.
        flow: Its name.
        offered: All instance types of the region, for the nearest that fits.
    """
    if not queues:
        message = "No queue of the production account is known."
        fix = "Describe the queues in [[promotion.queues]] of the settings."
        return [CAN_START.unchecked("no-queues", message, fix=fix)]
    troubles: dict[tuple[Verdict, str, str], list[_Trouble]] = {}
    for step in definition.steps:
        for each in _of_step(step, queues, flow, offered):
            troubles.setdefault((each.verdict, each.reason, each.text), []).append(each)
    found = [_finding(alike) for alike in troubles.values()]
    return found or [CAN_START.passed(_all_well(definition, queues))]


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why one step could not start."""

    step: str
    reason: str
    text: str
    fix: str | None = None
    verdict: Verdict = Verdict.FAILED


def _finding(alike: Sequence[_Trouble]) -> Finding:
    """Return what several steps have in common, told once."""
    first, names = alike[0], [each.step for each in alike]
    several = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    word = "Step" if len(names) == 1 else "Steps"
    message = f"{word} {', '.join(names[:_NAMED])}{several}: {first.text}"
    if first.verdict is Verdict.UNCHECKED:
        return CAN_START.unchecked(first.reason, message, fix=first.fix)
    return CAN_START.failed(first.reason, message, fix=first.fix)


def _of_step(
    step: Step, queues: Sequence[Queue], flow: str, offered: Sequence[InstanceType]
) -> Iterator[_Trouble]:
    name = arn_tail(step.queue)
    queue = next((each for each in queues if each.name == name), None)
    if queue is None:
        yield _no_queue(step, name, queues)
        return
    asked = Size(*step.sizes)
    if cause := misfit(asked, queue, offered):
        at = FlowStep(flow, step.name)
        fix = what_to_change(asked, queue, cause, at, offered)
        reason = cause.name.lower().replace("_", "-")
        yield _Trouble(step.name, reason, why_unfit(asked, queue, cause), fix)
        return
    yield from _in_order(step, asked, queue, offered)


def _in_order(
    step: Step, asked: Size, queue: Queue, offered: Sequence[InstanceType]
) -> Iterator[_Trouble]:
    if queue.state != "ENABLED" or queue.status == "INVALID":
        told = "is disabled" if queue.state != "ENABLED" else "is invalid"
        text = f"queue {queue.name} {told}, so nothing starts there."
        yield _Trouble(step.name, "queue-out-of-order", text, "Ask whoever runs the queue.")
        return
    fitting = [each for each in queue.environments if may_fit(asked, each, offered)]
    if not any(each.is_usable for each in fitting):
        text = out_of_order(fitting, queue) or f"Queue {queue.name} has no compute environment."
        yield _Trouble(step.name, "environment", text, how_to_repair(fitting) or None)
    elif all(_is_unknown(each.platform, types_of(each)) for each in fitting):
        text = f"nobody knows what queue {queue.name} can start."
        yield _Trouble(step.name, "sizes-unknown", text, verdict=Verdict.UNCHECKED)


def _is_unknown(platform: Platform, types: Sequence[InstanceType] | None) -> bool:
    return platform is Platform.OTHER or types is None


def _no_queue(step: Step, name: str, queues: Sequence[Queue]) -> _Trouble:
    names = [each.name for each in queues]
    near = nearest(name, names)
    hint = f"Did you mean {near}?" if near else f"There are: {listed(sorted(names))}."
    text = f"the production account has no queue {name}."
    return _Trouble(step.name, "no-such-queue", text, hint)


def _all_well(definition: Definition, queues: Sequence[Queue]) -> str:
    largest = max((Size(*step.sizes) for step in definition.steps), key=_bulk)
    used = sorted({arn_tail(step.queue) for step in definition.steps})
    known = [each.name for each in queues if each.name in used]
    return f"All steps fit {listed(known)}; the largest asks for {size_of(largest)}."


def _bulk(size: Size) -> tuple[int, float, int]:
    return size.gpus, size.vcpus, size.memory_mib
