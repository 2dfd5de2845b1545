"""What is shown of rollups exists, and each of their columns has words."""

import pytest

from ops_platform.domain.metric import Metric, Noun
from ops_platform.domain.metric_columns import DIMENSIONS, NUMBERS, dimensions_of, numbers_of
from ops_platform.domain.noun_pages import PAGES
from ops_platform.domain.rollups import METRICS


@pytest.mark.parametrize("noun", list(Noun))
def test_a_page_shows_numbers_that_there_are(noun: Noun) -> None:
    """Of metrics of its noun, by dimensions they have."""
    page = PAGES[noun]
    for chart in page.charts:
        metric = METRICS[chart.metric]
        assert metric.noun is noun
        assert set(chart.fields) <= set(metric.fields)
        assert chart.by is None or chart.by in metric.dimensions
    for column in page.top.columns:
        metric = METRICS[column.metric]
        assert metric.noun is noun
        assert column.number in metric.fields
        assert {*page.top.by, *column.where} <= set(metric.dimensions)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_each_column_of_a_metric_has_its_words(metric: Metric) -> None:
    """For the schema that Dagster shows."""
    assert set(dimensions_of([metric])) <= set(DIMENSIONS)
    assert set(metric.fields) == set(numbers_of([metric])) <= set(NUMBERS)
