"""Definitions are read for what they run, and compared without what differs each time."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.definition_diff import diff, digest
from ops_platform.domain.machine_definitions import DefinitionError, read_machine
from ops_platform.domain.provenance import Provenance, provenance
from ops_platform_tests.compiled_flows import COMMIT, CompiledFlow, CompiledStep

TRAIN = CompiledStep("train", cpu="2.5", memory="5000", gpu="1", attempts=3, foreach=True)
FLOW = CompiledFlow(steps=(CompiledStep("start"), TRAIN, CompiledStep("end")))
FOREIGN = json.dumps({"StartAt": "only", "States": {"only": {"Type": "Pass", "End": True}}})
SECRET = "hunter2-and-more"


def _changes(old: CompiledFlow, new: CompiledFlow) -> list[str]:
    return [str(each) for each in diff(read_machine(old.text()), read_machine(new.text()))]


def test_steps_are_read_wherever_they_are_nested() -> None:
    """With what they ask of Batch."""
    definition = read_machine(FLOW.text())
    assert [step.name for step in definition.steps] == ["start", "train", "end"]
    train = definition.steps[1]
    assert train.sizes == (2.5, 5000, 1)
    assert (train.queue, train.image, train.attempts) == ("metaflow", "python:3.11", 3)
    assert train.timeout == 432_000
    assert definition.start.name == "start"


@pytest.mark.parametrize("key", ["Iterator", "ItemProcessor", "Branches"])
def test_every_kind_of_nesting_is_known(key: str) -> None:
    """Maps of both spellings, and the branches of a split."""
    inner = json.loads(CompiledFlow(steps=(CompiledStep("deep"),)).text())
    outer = json.loads(FLOW.text())
    outer["States"]["outer"] = {"Type": "X", key: [inner] if key == "Branches" else inner}
    assert "deep" in {step.name for step in read_machine(json.dumps(outer)).steps}


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "3", '{"States": []}', '{"States": {"a": 3}}', "{" * 5000, FOREIGN],
)
def test_what_metaflow_did_not_compile_is_refused(text: str) -> None:
    """With a sentence."""
    with pytest.raises(DefinitionError):
        read_machine(text)


def test_a_definition_that_is_nested_without_end_is_refused() -> None:
    """Rather than be followed to the bottom of our stack."""
    text = '{"States": {"a": {"Iterator": ' * 150 + "{}" + "}}}" * 150
    with pytest.raises(DefinitionError, match="too deeply"):
        read_machine(text)


def test_where_a_machine_comes_from_is_read() -> None:
    """As Metaflow wrote it down."""
    assert provenance(read_machine(FLOW.but(tags=("owner:ada",)).text())) == Provenance(
        flow="Forecast",
        owner="ada",
        deployed_by="soteria",
        commit=COMMIT,
        branch="main",
        repository_url="https://git.example.com/shop/flows",
        is_dirty=False,
        script="flow.py",
        python="3.11.7",
        metaflow="2.19.39",
        environment="local",
        code_url=FLOW.code,
        production_token="mfprj-abc-0-defg",
    )


def test_what_metaflow_did_not_write_down_is_none() -> None:
    """As outside of a git checkout; an abbreviation is no commit."""
    nowhere = provenance(read_machine(FLOW.but(commit=None, is_dirty=None).text()))
    assert (nowhere.commit, nowhere.is_dirty) == (None, None)
    assert provenance(read_machine(FLOW.but(commit="c0ffee").text())).commit is None


def test_the_same_flow_deployed_again_differs_in_nothing() -> None:
    """By another person, from another commit, with other tags of ours and another revision."""
    again = FLOW.but(
        owner="grace",
        commit="b" * 40,
        code="s3://metaflow/metaflow/Forecast/data/ee/ee11",
        tags=("commit:abc", "pull_request:shop/flows#12", "promotion:7f"),
        revision=2,
    )
    assert _changes(FLOW, again) == []
    assert digest(read_machine(FLOW.text())) == digest(read_machine(again.text()))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (FLOW.but_first(memory="6000"), ["start: memory (MiB) 4,096 → 6,000"]),
        (FLOW.but_first(gpu="2"), ["start: GPUs 0 → 2"]),
        (FLOW.but_first(queue="arn:aws:batch:x:1:job-queue/gpu"), ["start: queue metaflow → gpu"]),
        (FLOW.but_first(image="ours:7"), ["start: image python:3.11 → ours:7"]),
        (FLOW.but_first(attempts=4), ["start: attempts 1 → 4"]),
        (FLOW.but_first(environment={"REGION": "eu"}), ["start: variable REGION is new"]),
        (FLOW.but(tags=("team:shop",)), ["start", "train", "end"]),
        (FLOW.but(steps=FLOW.steps[:-1]), ["end: no longer a step"]),
        (FLOW.but(steps=(*FLOW.steps, CompiledStep("more"))), ["more: a new step"]),
    ],
)
def test_what_differs_is_told(changed: CompiledFlow, expected: list[str]) -> None:
    """By step; a command that differs otherwise is told as such."""
    found = _changes(FLOW, changed)
    assert [line[: len(said)] for line, said in zip(found, expected, strict=True)] == expected


def test_another_order_of_the_same_steps_is_a_change() -> None:
    """Though no step differs."""
    steps = tuple(CompiledStep(name) for name in ("start", "a", "b", "end"))
    turned = (steps[0], steps[2], steps[1], steps[3])
    assert _changes(CompiledFlow(steps=steps), CompiledFlow(steps=turned)) == [
        "steps are connected or run in another way"
    ]


def test_values_of_variables_are_told_of_by_name_alone() -> None:
    """They may be secrets."""
    old = FLOW.but_first(environment={"PASSWORD": "before", "GONE": "x"})
    new = FLOW.but_first(environment={"PASSWORD": SECRET})
    assert _changes(old, new) == [
        "start: variable GONE is gone",
        "start: variable PASSWORD has another value",
    ]
    assert SECRET not in digest(read_machine(new.text()))


STEPS = st.builds(
    CompiledStep,
    name=st.sampled_from(["start", "a", "b"]),
    memory=st.sampled_from(["4096", "5000"]),
    image=st.sampled_from(["python:3.11", "ours:7"]),
    environment=st.dictionaries(st.sampled_from(["A", "B"]), st.sampled_from(["1", "2"])),
    foreach=st.booleans(),
)
FLOWS = st.builds(
    CompiledFlow,
    steps=st.lists(STEPS, min_size=1, unique_by=lambda step: step.name).map(tuple),
    commit=st.sampled_from([COMMIT, None]),
    revision=st.integers(1, 9),
)


@given(FLOWS, FLOWS)
def test_there_is_a_change_exactly_if_the_digests_differ(
    old: CompiledFlow, new: CompiledFlow
) -> None:
    """Both ways."""
    before, after = read_machine(old.text()), read_machine(new.text())
    assert (diff(before, after) == []) == (digest(before) == digest(after))
    assert diff(before, read_machine(old.text())) == []
