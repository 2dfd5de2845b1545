"""The page on dashboards is held to the JSON that is put, and to the code."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from ops_platform.adapters.ledger.rollups.spread_values import EXACT
from ops_platform.domain import cloudwatch_cost
from ops_platform.domain.dashboard_body import Publication, body
from ops_platform.domain.dashboards import DASHBOARDS
from ops_platform.domain.published_metrics import CHOICES, WHAT

_TEXT = (Path(__file__).parents[1] / "docs/dashboards.md").read_text()
_ROW = re.compile(
    r"^\| (Batch-[A-Za-z0-9-]+) \| ([^|]+) \| `([a-z-]+)` \| ([^|]+) \|$", re.MULTILINE
)
_ROWS = _ROW.findall(_TEXT)
# How many widgets each dashboard of the sample has.
_SAMPLE = {
    "Batch-ECS-InstancesRegistration": 6,
    "Batch-Jobs-Placement": 8,
    "Batch-Jobs-States": 22,
    "Batch-EC2-Capacity": 7,
    "Batch-ASG-Utilization": 5,
    "Batch-Jobs-Timings": 16,
}
_OF = Publication("eu-west-1", "OpsPlatform", CHOICES, publish=True)


def _titles(name: str) -> set[str]:
    [dashboard] = [each for each in DASHBOARDS if each.name == name]
    widgets = json.loads(body(dashboard, _OF))["widgets"]
    return {each["properties"]["title"] for each in widgets if each["type"] == "metric"}


def test_each_widget_of_the_sample_has_a_row() -> None:
    """As many as its templates have, and none twice."""
    assert Counter(theirs for theirs, _, _, _ in _ROWS) == _SAMPLE
    assert len({(theirs, widget) for theirs, widget, _, _ in _ROWS}) == len(_ROWS)


@pytest.mark.parametrize(("theirs", "widget", "name", "title"), _ROWS)
def test_ours_is_in_the_json_that_is_put(theirs: str, widget: str, name: str, title: str) -> None:
    """By its dashboard and its title, each of which stands for one of theirs only."""
    assert title in _titles(name), f"{theirs}: {widget}"
    assert [row[2:] for row in _ROWS].count((name, title)) == 1


@pytest.mark.parametrize("name", [each.name for each in DASHBOARDS])
def test_each_dashboard_has_a_row(name: str) -> None:
    """With what it shows."""
    assert re.search(rf"^\| `{name}` \| .+ \|$", _TEXT, re.MULTILINE)


def test_there_are_views_by_flow_and_owner_of_durations_and_cost() -> None:
    """Which the sample has none of."""
    titles = _titles("flows")

    assert {"Cost by flow", "Cost by owner", "Wasted cost by flow"} <= titles
    assert {"Success rate by flow", "Duration of runs, p90, by owner"} <= titles
    assert {"Run time, p90, by flow", "Wait time by flow"} <= titles


@pytest.mark.parametrize("dimension", [*CHOICES, *sorted(WHAT)])
def test_each_dimension_that_can_be_published_is_named(dimension: str) -> None:
    """What is chosen, and what needs no choice."""
    assert f"`{dimension}`" in _TEXT


def test_prices_and_limits_are_those_of_the_code() -> None:
    """With the month they are of."""
    words = " ".join(_TEXT.split())
    for number, price in cloudwatch_cost.METRIC_TIERS:
        assert f"{number:,}" in words
        assert f"${price:.2f}" in words
    assert f"${cloudwatch_cost.METRIC_BEYOND:.2f}" in words
    assert f"${cloudwatch_cost.DASHBOARD:.2f} a month" in words
    assert "us-east-1, as of May 2026" in words
    assert cloudwatch_cost.PRICES_OF == "us-east-1, May 2026"
    assert f"more than {EXACT:,} values" in words
