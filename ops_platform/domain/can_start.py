"""Whether each step of a flow could start in its queue, by what diagnoses jobs that are stuck."""

from collections.abc import Iterator, Sequence

from ops_platform.domain.capacity import InstanceType, Platform, Queue, Size
from ops_platform.domain.checks import CAN_START
from ops_platform.domain.findings import Finding
from ops_platform.domain.fitting import may_fit, misfit, types_of
from ops_platform.domain.identity import arn_tail
from ops_platform.domain.machine_definitions import Definition, Step
from ops_platform.domain.names import nearest
from ops_platform.domain.queue_words import how_to_repair, out_of_order
from ops_platform.domain.size_words import FlowStep, listed, size_of, what_to_change, why_unfit


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
    found = [each for step in definition.steps for each in _of_step(step, queues, flow, offered)]
    return found or [CAN_START.passed(_all_well(definition, queues))]


def _of_step(
    step: Step, queues: Sequence[Queue], flow: str, offered: Sequence[InstanceType]
) -> Iterator[Finding]:
    name = arn_tail(step.queue)
    queue = next((each for each in queues if each.name == name), None)
    if queue is None:
        yield _no_queue(step, name, queues)
        return
    asked = Size(*step.sizes)
    if cause := misfit(asked, queue, offered):
        at = FlowStep(flow, step.name)
        fix = what_to_change(asked, queue, cause, at, offered)
        message = f"Step {step.name}: {why_unfit(asked, queue, cause)}"
        yield CAN_START.failed(cause.name.lower().replace("_", "-"), message, fix=fix)
        return
    yield from _in_order(step, asked, queue, offered)


def _in_order(
    step: Step, asked: Size, queue: Queue, offered: Sequence[InstanceType]
) -> Iterator[Finding]:
    if queue.state != "ENABLED" or queue.status == "INVALID":
        told = "is disabled" if queue.state != "ENABLED" else "is invalid"
        message = f"Step {step.name}: queue {queue.name} {told}, so nothing starts there."
        yield CAN_START.failed("queue-out-of-order", message, fix="Ask whoever runs the queue.")
        return
    fitting = [each for each in queue.environments if may_fit(asked, each, offered)]
    if not any(each.is_usable for each in fitting):
        told = out_of_order(fitting, queue) or f"Queue {queue.name} has no compute environment."
        message = f"Step {step.name}: {told}"
        yield CAN_START.failed("environment", message, fix=how_to_repair(fitting) or None)
    elif all(_is_unknown(each.platform, types_of(each)) for each in fitting):
        message = f"Step {step.name}: nobody knows what queue {queue.name} can start."
        yield CAN_START.unchecked("sizes-unknown", message)


def _is_unknown(platform: Platform, types: Sequence[InstanceType] | None) -> bool:
    return platform is Platform.OTHER or types is None


def _no_queue(step: Step, name: str, queues: Sequence[Queue]) -> Finding:
    names = [each.name for each in queues]
    near = nearest(name, names)
    hint = f"Did you mean {near}?" if near else f"There are: {listed(sorted(names))}."
    message = f"Step {step.name}: the production account has no queue {name}."
    return CAN_START.failed("no-such-queue", message, fix=hint)


def _all_well(definition: Definition, queues: Sequence[Queue]) -> str:
    largest = max((Size(*step.sizes) for step in definition.steps), key=_bulk)
    used = sorted({arn_tail(step.queue) for step in definition.steps})
    known = [each.name for each in queues if each.name in used]
    return f"All steps fit {listed(known)}; the largest asks for {size_of(largest)}."


def _bulk(size: Size) -> tuple[int, float, int]:
    return size.gpus, size.vcpus, size.memory_mib
