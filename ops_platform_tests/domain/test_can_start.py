"""Whether steps can start in production's queues, each verdict by its own reason."""

from dataclasses import replace

import pytest

from ops_platform.domain.can_start import judge_start
from ops_platform.domain.capacity import Environment, InstanceType, Platform, Queue, Size
from ops_platform.domain.findings import Verdict
from ops_platform.domain.machine_definitions import read_machine
from ops_platform_tests.compiled_flows import CompiledFlow, CompiledStep

TYPES = (InstanceType("r5.xlarge", Size(4, 32_768)), InstanceType("p3.2xlarge", Size(8, 61_440, 1)))
SPOT = Environment(
    arn="spot",
    state="ENABLED",
    status="VALID",
    status_reason=None,
    platform=Platform.EC2,
    max_vcpus=16,
    desired_vcpus=0,
    configured=("r5.xlarge", "p3.2xlarge"),
    types=TYPES,
)
METAFLOW = Queue(
    arn="arn:aws:batch:us-east-1:222222222222:job-queue/metaflow",
    state="ENABLED",
    status="VALID",
    status_reason=None,
    environments=(SPOT,),
)


def _with(**changes: object) -> Queue:
    return replace(METAFLOW, environments=(replace(SPOT, **changes),))  # type: ignore[arg-type]


def _judged(queue: Queue | None, first: dict[str, object]) -> list[tuple[Verdict, str]]:
    flow = CompiledFlow().but_first(**first)
    found = judge_start(read_machine(flow.text()), [queue] if queue else [], flow="Forecast")
    return [(each.verdict, each.reason) for each in found]


@pytest.mark.parametrize(
    ("queue", "first", "verdict", "reason"),
    [
        (METAFLOW, {}, Verdict.PASSED, "passed"),
        (METAFLOW, {"cpu": "8", "gpu": "1"}, Verdict.PASSED, "passed"),
        (METAFLOW, {"cpu": "9"}, Verdict.FAILED, "too-many-vcpus"),
        (METAFLOW, {"memory": "99000"}, Verdict.FAILED, "too-much-memory"),
        (METAFLOW, {"gpu": "2"}, Verdict.FAILED, "too-many-gpus"),
        (METAFLOW, {"cpu": "8", "memory": "63000"}, Verdict.FAILED, "too-much-memory"),
        (_with(max_vcpus=2), {"cpu": "4"}, Verdict.FAILED, "above-max-vcpus"),
        (METAFLOW, {"queue": "metaflw"}, Verdict.FAILED, "no-such-queue"),
        (replace(METAFLOW, state="DISABLED"), {}, Verdict.FAILED, "queue-out-of-order"),
        (replace(METAFLOW, status="INVALID"), {}, Verdict.FAILED, "queue-out-of-order"),
        (_with(state="DISABLED"), {}, Verdict.FAILED, "environment"),
        (_with(status="INVALID"), {}, Verdict.FAILED, "environment"),
        (_with(max_vcpus=0), {}, Verdict.FAILED, "environment"),
        (replace(METAFLOW, environments=()), {}, Verdict.FAILED, "environment"),
        (_with(types=None), {}, Verdict.UNCHECKED, "sizes-unknown"),
        (_with(platform=Platform.OTHER), {}, Verdict.UNCHECKED, "sizes-unknown"),
        (_with(platform=Platform.FARGATE, types=None), {}, Verdict.PASSED, "passed"),
        (None, {}, Verdict.UNCHECKED, "no-queues"),
    ],
)
def test_each_situation_has_its_verdict(
    queue: Queue | None, first: dict[str, object], verdict: Verdict, reason: str
) -> None:
    """As the diagnosis of stuck jobs would have it later, with a sentence for what to do."""
    assert (verdict, reason) in _judged(queue, first)


def test_a_step_is_told_with_the_line_that_mends_it() -> None:
    """Its name, what it asks for, what there is, and the decorator to write."""
    flow = CompiledFlow().but_first(memory="99000")
    (found,) = judge_start(read_machine(flow.text()), [METAFLOW], flow="Forecast")
    assert found.message.startswith("Step start: The job asks for 99,000 MiB of memory;")
    assert "@resources(" in (found.fix or "")
    assert "at step start of Forecast" in (found.fix or "")


def test_a_queue_that_is_almost_named_is_suggested() -> None:
    """By the name or by the ARN."""
    flow = CompiledFlow().but_first(queue="arn:aws:batch:us-east-1:222222222222:job-queue/metaflo")
    found = judge_start(read_machine(flow.text()), [METAFLOW], flow="Forecast")
    assert found[0].fix == "Did you mean metaflow?"


def test_what_many_steps_have_in_common_is_told_once() -> None:
    """A flow of twenty steps in a queue that is not there is one finding, not twenty."""
    steps = tuple(CompiledStep(f"s{at}", queue="nowhere") for at in range(7))
    odd = CompiledStep("odd", memory="99000")
    flow = CompiledFlow(steps=(*steps, odd))
    alike, other = judge_start(read_machine(flow.text()), [METAFLOW], flow="Forecast")
    assert alike.message.startswith("Steps s0, s1, s2, s3, s4 and 2 more: the production account")
    assert other.message.startswith("Step odd: ")
