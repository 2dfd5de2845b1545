"""The names of a flow, right and wrong."""

import pytest

from ops_platform.domain.flow_names import Conventions, FlowNames, judge_names, metaflow_branch

CUT = f"{'x' * 60}-abcdefghij234567"


def _reasons(
    machine: str = "shop.prod.Forecast",
    conventions: Conventions | None = None,
    *,
    branch: str | None = None,
    branches: tuple[str, ...] = (),
) -> list[str]:
    names = FlowNames(flow="Forecast", machine=machine, branch=branch, branches=branches)
    return [each.reason for each in judge_names(names, conventions or Conventions())]


@pytest.mark.parametrize(
    ("machine", "conventions", "reasons"),
    [
        ("shop.prod.Forecast", Conventions(), ["passed"]),
        ("Forecast", Conventions(), ["passed"]),
        (CUT, Conventions(), ["cut"]),
        ("Forecast", Conventions(project_required=True), ["no-project"]),
        ("shop.prod.Forecast", Conventions(project_required=True), ["passed"]),
        ("shop.prod.Forecast", Conventions(project="team_.*"), ["project-name"]),
        ("shop.prod.Forecast", Conventions(project="sho"), ["project-name"]),
        ("shop.prod.Forecast", Conventions(flow=".*Flow"), ["flow-name"]),
        ("a.prod.Forecast", Conventions(flow="F", project="b"), ["flow-name", "project-name"]),
    ],
)
def test_each_convention_has_its_verdict(
    machine: str, conventions: Conventions, reasons: list[str]
) -> None:
    """All that are broken are told at once."""
    assert _reasons(machine, conventions) == reasons


@pytest.mark.parametrize(
    ("branch", "branches", "reasons"),
    [
        ("feature/x", ("main", "feature/y"), ["passed"]),
        ("feature/x", ("feature/x", "feature-x", "Feature_X"), ["branch-collision"]),
        ("日本", (), ["branch-name"]),
    ],
)
def test_branches_that_would_share_a_machine_are_told(
    branch: str, branches: tuple[str, ...], reasons: list[str]
) -> None:
    """Metaflow knows only lower-case letters, digits and _ in them."""
    assert _reasons(branch=branch, branches=branches) == reasons


@pytest.mark.parametrize(
    ("branch", "name"),
    [("main", "main"), ("feature/A-b", "feature_a_b"), ("-x-", "x"), ("a" * 200, "a" * 128)],
)
def test_a_git_branch_has_a_name_that_metaflow_takes(branch: str, name: str) -> None:
    """The same each time."""
    assert metaflow_branch(branch) == name


MANY = {f"tag-{index}": "x" for index in range(50)}


@pytest.mark.parametrize(
    ("tags", "reasons"),
    [
        ({}, ["passed"]),
        ({"team": "Küche & Co"}, ["bad-tag"]),
        ({"team": "Küche", "cost:center": "a/b_c-d+e=f@g.h"}, ["passed"]),
        ({"team*": "x"}, ["bad-tag"]),
        ({"": "x"}, ["bad-tag"]),
        ({"k" * 128: "v" * 256}, ["passed"]),
        ({"k" * 129: "v"}, ["bad-tag"]),
        ({"k": "v" * 257}, ["bad-tag"]),
        ({"metaflow.run_id.$": "States.Format('sfn-{}', $$.Execution.Name)"}, ["passed"]),
        (MANY, ["passed"]),
        ({**MANY, "one": "more"}, ["too-many-tags"]),
        ({**MANY, "one*": "more"}, ["too-many-tags", "bad-tag"]),
    ],
)
def test_tags_that_batch_would_refuse_are_told(tags: dict[str, str], reasons: list[str]) -> None:
    """Metaflow lets them through, and each job would fail as it is submitted."""
    names = FlowNames(flow="F", machine="F", tags={"start": tags})
    found = judge_names(names, Conventions())
    assert [each.reason for each in found] == reasons
    assert all("start" in each.message for each in found if each.stops)
