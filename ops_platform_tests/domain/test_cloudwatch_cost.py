"""What CloudWatch asks, by tiers."""

import pytest

from ops_platform.domain.cloudwatch_cost import monthly_cost


@pytest.mark.parametrize(
    ("series", "dollars"),
    [
        (0, 0),
        (100, 30),
        (10_000, 3_000),
        (10_001, 3_000.10),
        (250_000, 27_000),
        (1_000_000, 64_500),
        (1_000_001, 64_500.02),
    ],
)
def test_metrics_have_a_price_by_tiers(series: int, dollars: float) -> None:
    """Which falls with their number."""
    cost = monthly_cost(series=series, requests_a_day=0, dashboards=0)

    assert cost.metrics == pytest.approx(dollars)
    assert cost.total == cost.metrics


def test_the_sentence_says_what_for_and_of_when_the_prices_are() -> None:
    """Four requests an hour are three cents."""
    cost = monthly_cost(series=200, requests_a_day=96, dashboards=5)

    assert cost.sentence == (
        "At most $75.03 a month: $60.00 for metrics, $0.03 for requests, $15.00 for dashboards"
        " (list prices of us-east-1, May 2026)."
    )
