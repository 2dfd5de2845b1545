"""Estimate what publishing metrics costs, from what would be published of the last day."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.cloudwatch_cost import MonthlyCost, monthly_cost
from ops_platform.domain.dashboards import DASHBOARDS
from ops_platform.domain.hours import DAY, Hours, hour_of
from ops_platform.domain.metric import Noun
from ops_platform.domain.published_metrics import Cut, cuts
from ops_platform.operations.plan_metric_data import planned


@dataclass(frozen=True, slots=True)
class Estimate:
    """What would be published: ``series`` by metric and dimensions, ``requests`` and ``data``."""

    series: Counter[Cut]
    requests: int
    data: int
    cost: MonthlyCost


def estimate_cost(
    ledger: Ledger, *, dimensions: Sequence[str], dashboards: bool, now: datetime
) -> Estimate:
    """Return what a month costs if each day is as the last 24 hours were.

    Args:
        ledger: Where the rows are.
        dimensions: What the metrics are told apart by.
        dashboards: Whether the dashboards are kept in CloudWatch, too.
        now: The time.

    Raises:
        PlatformError: No dashboard shows one of the dimensions.
    """
    day, series = Hours(hour_of(now) - DAY, hour_of(now)), Counter[Cut]()
    asked = data = 0
    for noun in Noun:
        mine = [cut for cut in cuts(dimensions) if cut.metric.noun is noun]
        for cut in mine:
            found = planned(ledger, [cut], day)
            series[cut] = len({datum.key for each in found.values() for datum in each})
            data += sum(map(len, found.values()))
        asked += len(day)
    # A request an hour and noun, and one for each thousand data beyond; each dashboard is compared.
    asked += data // 1000 + len(DASHBOARDS) * len(day) * dashboards
    kept = len(DASHBOARDS) if dashboards else 0
    cost = monthly_cost(series=series.total(), requests_a_day=asked, dashboards=kept)
    return Estimate(series, asked, data, cost)
