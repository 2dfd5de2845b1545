"""The dashboards: each widget shows what is declared, in a body that CloudWatch takes."""

import json
import re
from typing import Any

import pytest

from ops_platform.domain.dashboard_body import Publication, body, search
from ops_platform.domain.dashboards import DASHBOARDS
from ops_platform.domain.metric import Age, Level, Ratio, Spread
from ops_platform.domain.published_metrics import CHOICES, shown
from ops_platform.domain.rollups import METRICS, check_dimensions
from ops_platform.domain.widgets import Dashboard, Live, Ours, Stat

_ALL = Publication("eu-west-1", "OpsPlatform", CHOICES, publish=True)
_OURS = list(dict.fromkeys(shown()))
# What AWS documents of its own metrics, and by which one dimension.
_AWS = {
    ("AWS/Batch", "JobQueueName"): {
        "JobsSubmitted", "JobsMovedToPending", "JobsMovedToRunnable", "JobsMovedToStarting",
        "JobsMovedToRunning", "JobsMovedToSucceeded", "JobsMovedToFailed",
        "JobAttemptRunnableToStartingDuration", "JobAttemptExecutionDuration",
    },
    ("AWS/States", "StateMachineArn"): {"ExecutionsFailed", "ExecutionTime"},
    ("AWS/AutoScaling", "AutoScalingGroupName"): {
        "GroupInServiceInstances", "GroupInServiceCapacity", "GroupDesiredCapacity",
    },
    ("AWS/ECS", "ClusterName"): {
        "CPUUtilization", "CPUReservation", "MemoryUtilization", "MemoryReservation",
    },
    ("AWS/EC2", "AutoScalingGroupName"): {
        "CPUUtilization", "NetworkIn", "NetworkOut", "DiskReadBytes", "DiskWriteBytes",
    },
}  # fmt: skip


def _widgets(dashboard: Dashboard, of: Publication = _ALL) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body(dashboard, of))["widgets"]
    return found


def test_there_are_five_dashboards_of_different_names() -> None:
    """The region is told, since dashboards of all regions are in one list."""
    names = [_ALL.name_of(each) for each in DASHBOARDS]

    assert names == [
        "ops-platform-eu-west-1-instances-registration",
        "ops-platform-eu-west-1-jobs-placement",
        "ops-platform-eu-west-1-jobs-states",
        "ops-platform-eu-west-1-capacity",
        "ops-platform-eu-west-1-flows",
    ]


@pytest.mark.parametrize("series", _OURS, ids=lambda each: f"{each.metric}-{each.stat}-{each.by}")
def test_a_widget_names_a_metric_and_dimensions_that_are_declared(series: Ours) -> None:
    """And values of a closed dimension that there are."""
    check_dimensions(METRICS[series.metric], (*series.by, *dict(series.where)))
    closed = dict(METRICS[series.metric].closed)
    for name, value in series.where:
        assert value in closed[name]


@pytest.mark.parametrize("series", _OURS, ids=lambda each: f"{each.metric}-{each.stat}-{each.by}")
def test_a_widget_asks_for_a_statistic_that_its_metric_has(series: Ours) -> None:
    """Of a count its sum, of a level its end or its most, of a spread its percentiles."""
    match METRICS[series.metric].how:
        case Level() | Age():
            assert series.stat in {Stat.END, Stat.MOST}
        case Spread():
            assert series.stat not in {Stat.END, Stat.MOST}
        case Ratio():
            assert series.stat is Stat.AVERAGE
        case _:
            assert series.stat is Stat.SUM


def test_live_widgets_name_metrics_that_aws_publishes() -> None:
    """By the one dimension that it publishes them by."""
    plots = (plot for each in DASHBOARDS for plot in each.plots)
    live = [series for plot in plots for series in plot.series if isinstance(series, Live)]

    assert live
    for series in live:
        assert series.metric in _AWS[series.namespace, series.dimension]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_a_body_is_within_cloudwatchs_limits(dashboard: Dashboard) -> None:
    """However many dimensions are published."""
    widgets = _widgets(dashboard)
    metrics = [each["properties"].get("metrics", []) for each in widgets]

    assert len(body(dashboard, _ALL).encode()) < 1_000_000
    assert len(widgets) <= 500
    assert max(map(len, metrics)) <= 500
    assert sum(map(len, metrics)) <= 2500
    assert max(len(one[0]["expression"]) for each in metrics for one in each) <= 1024


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_no_widget_covers_another(dashboard: Dashboard) -> None:
    """And none is outside the 24 columns."""
    taken: set[tuple[int, int]] = set()
    for each in _widgets(dashboard):
        columns = range(each["x"], each["x"] + each["width"])
        cells = {(x, y) for x in columns for y in range(each["y"], each["y"] + each["height"])}
        assert max(columns) < 24
        assert not taken & cells
        taken |= cells


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_titles_tell_widgets_apart_and_which_are_live(dashboard: Dashboard) -> None:
    """Live ones come from AWS and ours once an hour; none mixes the two."""
    titles = [plot.title for plot in dashboard.plots]

    assert len(set(titles)) == len(titles)
    for plot in dashboard.plots:
        assert plot.title.endswith("(live)") == plot.is_live
        assert len({type(series) for series in plot.series}) == 1


def test_what_is_ours_has_a_period_of_an_hour_and_what_is_live_a_shorter_one() -> None:
    """In the widget, in its metrics and in the search itself."""
    for dashboard in DASHBOARDS:
        plots = iter(dashboard.plots)
        for widget in _widgets(dashboard):
            if widget["type"] == "text":
                continue
            is_live = next(plots).is_live
            properties = widget["properties"]
            for (metric,) in properties["metrics"]:
                period = int(re.findall(r"(\d+)\)", metric["expression"])[0])
                assert metric["period"] == properties["period"] == period
                assert (period == 3600) == (not is_live)


def test_a_search_names_the_metric_and_all_of_its_dimensions() -> None:
    """Those that a metric closes are always among them, and the account."""
    series = Ours("job_transitions", by=("queue",), where=(("state", "RUNNING"),))

    assert search(series, _ALL) == (
        'SEARCH(\'{OpsPlatform,account,queue,state} MetricName="job_transitions"'
        " state=\"RUNNING\"', 'Sum', 3600)"
    )


def test_a_namespace_with_other_signs_is_quoted() -> None:
    """As the search's syntax has it."""
    of = Publication("eu-west-1", "Ops.Platform:x", (), publish=True)

    assert search(Ours("messages_rejected"), of).startswith('SEARCH(\'{"Ops.Platform:x"} ')


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_a_dashboard_says_what_stays_empty_and_why(dashboard: Dashboard) -> None:
    """Nothing is said where everything is published."""
    first = _widgets(dashboard)[0]["properties"]["markdown"]
    assert "Empty" not in first
    assert "Only what is marked" not in first

    off = Publication("eu-west-1", "OpsPlatform", ("queue",), publish=False)
    told = _widgets(dashboard, off)[0]["properties"]["markdown"]
    assert "**Only what is marked (live) shows anything**" in told
    assert "Empty, since it is not published" in told
    assert "(`queue`)" not in told


def test_the_same_declarations_are_the_same_text() -> None:
    """So that nothing is put that is there already."""
    assert [body(each, _ALL) for each in DASHBOARDS] == [body(each, _ALL) for each in DASHBOARDS]
