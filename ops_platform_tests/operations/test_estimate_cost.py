"""What publishing costs is worked out from what would be sent of the last day."""

from datetime import timedelta

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.cloudwatch_cost import monthly_cost
from ops_platform.domain.hours import DAY
from ops_platform.domain.published_metrics import CHOICES
from ops_platform.operations.estimate_cost import Estimate, estimate_cost
from ops_platform_tests.operations.publishing_world import CHOSEN, Publishing


def _estimate(world: Publishing, *dimensions: str) -> Estimate:
    return estimate_cost(world.ledger, dimensions=dimensions, dashboards=True, now=world.now)


def test_the_series_are_those_that_are_then_sent(ledger: Ledger) -> None:
    """Each combination of a metric and its dimensions' values once, however many hours have it."""
    world = Publishing(ledger)
    world.happen()

    estimate = _estimate(world, *CHOSEN)

    world.later(timedelta(hours=2))
    world.publish()
    sent = {datum.key for each in world.cloudwatch.requests for datum in each}
    assert estimate.series.total() == len(sent) > 0
    assert estimate.cost == monthly_cost(
        series=len(sent), requests_a_day=estimate.requests, dashboards=5
    )


def test_more_dimensions_cost_more(ledger: Ledger) -> None:
    """And it is known which."""
    world = Publishing(ledger)
    world.happen()

    few, many = _estimate(world), _estimate(world, *CHOICES)

    assert few.cost.total < many.cost.total
    more = many.series - few.series
    assert all(set(cut.dimensions) & set(CHOICES) for cut in more)


@pytest.mark.parametrize("dashboards", [True, False])
def test_a_day_of_nothing_costs_the_dashboards_alone(ledger: Ledger, *, dashboards: bool) -> None:
    """And the requests by which it is seen that nothing has to be done."""
    world = Publishing(ledger)
    world.happen()
    world.later(3 * DAY)

    cost = estimate_cost(world.ledger, dimensions=CHOSEN, dashboards=dashboards, now=world.now).cost

    assert cost.metrics == 0
    assert cost.dashboards == (15 if dashboards else 0)
    assert cost.requests < 0.1
