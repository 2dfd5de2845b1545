"""The shape of a flow: the same wherever it is compiled, another one for another flow."""

import json

import pytest

from ops_platform.domain.definition_shape import shape
from ops_platform.domain.machine_definitions import read_machine
from ops_platform_tests.compiled_flows import CompiledFlow, CompiledStep

FLOW = CompiledFlow()


def _shape(flow: CompiledFlow) -> str:
    return shape(read_machine(flow.text()))


@pytest.mark.parametrize(
    "other",
    [
        FLOW,
        FLOW.but(commit="d" * 40, code="s3://other/top/ee/ee11", owner="ben", tags=("a:b",)),
        FLOW.but_first(environment={"METAFLOW_SERVICE_URL": "https://production"}),
        FLOW.but_first(queue="arn:aws:batch:eu-west-1:1:job-queue/metaflow"),
    ],
)
def test_what_an_account_decides_is_not_in_it(other: CompiledFlow) -> None:
    """Roles, addresses, variables, the code package."""
    assert _shape(other) == _shape(FLOW)


@pytest.mark.parametrize(
    "other",
    [
        FLOW.but_first(memory="9000"),
        FLOW.but_first(cpu="2"),
        FLOW.but_first(image="python:3.12"),
        FLOW.but_first(queue="other"),
        FLOW.but_first(attempts=3),
        FLOW.but_first(foreach=True),
        FLOW.but(steps=(*FLOW.steps, CompiledStep("more"))),
    ],
)
def test_what_the_flow_decides_is(other: CompiledFlow) -> None:
    """Its graph, and what each step asks for and runs in."""
    assert _shape(other) != _shape(FLOW)


def test_other_arrows_between_the_same_steps_are_another_flow() -> None:
    """Though nothing else differs."""
    document = json.loads(FLOW.text())
    document["States"]["start"]["Next"] = "start"
    assert shape(read_machine(json.dumps(document))) != _shape(FLOW)
