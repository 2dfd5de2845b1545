"""What CloudWatch asks for custom metrics and dashboards in a month, by its list prices.

Prices of us-east-1, as of May 2026. What is free is not taken off, since an account may have
used it up for something else: ten metrics, a million requests, and three dashboards of no more than
fifty metrics each. AWS counts a metric only for the hours it is sent in, so this is the most.
"""

from dataclasses import dataclass

PRICES_OF = "us-east-1, May 2026"
METRIC_TIERS = ((10_000, 0.30), (240_000, 0.10), (750_000, 0.05))
"""So many metrics at that price each, one tier after the other."""
METRIC_BEYOND = 0.02
THOUSAND_REQUESTS = 0.01
DASHBOARD = 3.00
DAYS = 30.4


@dataclass(frozen=True, slots=True)
class MonthlyCost:
    """Dollars a month, by what they are for."""

    metrics: float
    requests: float
    dashboards: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.metrics + self.requests + self.dashboards

    @property
    def sentence(self) -> str:
        """The cost, with the prices it comes from."""
        return (
            f"At most ${self.total:,.2f} a month: ${self.metrics:,.2f} for metrics,"
            f" ${self.requests:,.2f} for requests, ${self.dashboards:,.2f} for dashboards"
            f" (list prices of {PRICES_OF})."
        )


def monthly_cost(*, series: int, requests_a_day: float, dashboards: int) -> MonthlyCost:
    """Return what a month costs.

    Args:
        series: The different combinations of a metric and the values of its dimensions.
        requests_a_day: The calls of CloudWatch's API, whatever they do.
        dashboards: How many there are.
    """
    return MonthlyCost(
        metrics=_of_metrics(series),
        requests=requests_a_day * DAYS / 1000 * THOUSAND_REQUESTS,
        dashboards=dashboards * DASHBOARD,
    )


def _of_metrics(left: int) -> float:
    cost = 0.0
    for size, price in METRIC_TIERS:
        taken = min(left, size)
        cost += taken * price
        left -= taken
    return cost + left * METRIC_BEYOND
