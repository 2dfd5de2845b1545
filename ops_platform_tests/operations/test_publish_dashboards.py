"""Dashboards are put where they differ, and only there."""

import json
from datetime import UTC, datetime

import pytest

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.domain.dashboard_body import Publication, body
from ops_platform.domain.dashboards import DASHBOARDS
from ops_platform.domain.published_metrics import CHOICES
from ops_platform.operations.publish_dashboards import publish_dashboards
from ops_platform_tests.fake_cloudwatch import FakeCloudWatch

_OF = Publication("eu-west-1", "OpsPlatform", CHOICES, publish=True)


def _cloudwatch() -> FakeCloudWatch:
    return FakeCloudWatch(clock=lambda: datetime(2026, 3, 2, 12, tzinfo=UTC))


def test_all_five_are_taken_and_put_once() -> None:
    """CloudWatch refuses none of them, and is not given them again."""
    cloudwatch = _cloudwatch()

    first, again = (publish_dashboards(cloudwatch, _OF) for _ in range(2))

    assert [each.changed for each in first] == [True] * 5
    assert [each.changed for each in again] == [False] * 5
    assert cloudwatch.puts == [_OF.name_of(each) for each in DASHBOARDS]
    assert all(each.widgets > 10 for each in first)


@pytest.mark.parametrize("there", ["{}", "no JSON", json.dumps({"widgets": []})])
def test_one_that_somebody_changed_is_put_again(there: str) -> None:
    """The others stay as they are, and so do other people's."""
    cloudwatch = _cloudwatch()
    publish_dashboards(cloudwatch, _OF)
    cloudwatch.dashboards[_OF.name_of(DASHBOARDS[2])] = there
    cloudwatch.dashboards["theirs"] = "{}"

    done = publish_dashboards(cloudwatch, _OF)

    assert [each.changed for each in done] == [False, False, True, False, False]
    assert cloudwatch.dashboards["theirs"] == "{}"


def test_one_that_reads_the_same_is_not_put_again() -> None:
    """CloudWatch may give it back with other spaces."""
    cloudwatch = _cloudwatch()
    for each in DASHBOARDS:
        cloudwatch.dashboards[_OF.name_of(each)] = json.dumps(json.loads(body(each, _OF)))

    assert not any(each.changed for each in publish_dashboards(cloudwatch, _OF))


def test_another_choice_of_dimensions_changes_what_they_say() -> None:
    """That some stay empty."""
    cloudwatch = _cloudwatch()
    publish_dashboards(cloudwatch, _OF)

    fewer = Publication("eu-west-1", "OpsPlatform", ("queue",), publish=True)

    assert all(each.changed for each in publish_dashboards(cloudwatch, fewer))


def test_a_refused_dashboard_is_named_with_what_is_wrong() -> None:
    """Here its name, of a region that is none."""
    of = Publication("eu west", "OpsPlatform", CHOICES, publish=True)

    with pytest.raises(AwsError, match="Could not put the dashboard ops-platform-eu west-"):
        publish_dashboards(_cloudwatch(), of)
