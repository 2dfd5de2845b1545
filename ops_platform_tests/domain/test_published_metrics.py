"""What is published: what a dashboard shows, by the dimensions that were chosen."""

import pytest

from ops_platform.domain.dashboards import DASHBOARDS, FLOWS
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.published_metrics import CHOICES, Cut, cuts, left_empty, shown
from ops_platform.domain.rollups import METRICS


def _names(dimensions: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {(cut.metric.name, *cut.dimensions) for cut in cuts(dimensions)}


def test_without_a_choice_accounts_are_published_as_a_whole() -> None:
    """With the states and statuses, which are few."""
    found = _names(())

    assert ("job_transitions", "account", "state") in found
    assert ("executions", "account", "status") in found
    assert ("messages_rejected",) in found
    assert not {name for each in found for name in each[1:]} & set(CHOICES)


def test_a_choice_adds_cuts_by_that_dimension_alone() -> None:
    """Two chosen dimensions are never crossed, which would multiply the series."""
    more = _names(("flow", "queue")) - _names(())

    assert ("job_running_ms", "account", "flow") in more
    assert ("job_running_ms", "account", "queue") in more
    assert all(("flow" in each) != ("queue" in each) for each in more)


def test_all_that_any_widget_shows_is_published_if_everything_is_chosen() -> None:
    """And nothing that none shows."""
    published = {(cut.metric.name, cut.dimensions) for cut in cuts(CHOICES)}

    assert published == {(each.metric, each.dimensions) for each in shown()}


def test_each_cut_is_there_once() -> None:
    """However many widgets show it: else its values would be sent twice."""
    found = cuts(CHOICES)

    assert len(set(found)) == len(found)


def test_an_unknown_dimension_is_refused_with_those_there_are() -> None:
    """Also one that a metric has, and no widget shows: it would be chosen for nothing."""
    with pytest.raises(PlatformError, match=r"by 'step'.*Choose from: availability_zone, "):
        cuts(["account", "queue", "step"])


def test_zeros_are_told_of_accounts_as_a_whole() -> None:
    """Of these there is one series a state; of flows that did not run there are many."""
    transitions = METRICS["job_transitions"]

    assert Cut(transitions, ("account", "state")).is_whole
    assert not Cut(transitions, ("account", "flow", "state")).is_whole
    assert not Cut(METRICS["jobs_failed"], ("account", "reason")).is_whole


def test_a_plot_stays_empty_without_its_dimension() -> None:
    """It is known by which."""
    assert "Cost by owner" in left_empty(FLOWS, ("flow",))["owner"]
    assert all(not left_empty(each, CHOICES) for each in DASHBOARDS)
