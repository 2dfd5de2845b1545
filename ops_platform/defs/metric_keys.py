"""The names of the assets of metrics."""

import dagster as dg

from ops_platform.domain.metric import Noun

GROUP = "metrics"


def hourly_asset(noun: Noun) -> dg.AssetKey:
    """Return the asset of a noun's hours."""
    return dg.AssetKey(["metrics", f"{noun}_hourly"])


def daily_asset(noun: Noun) -> dg.AssetKey:
    """Return the asset of a noun's days."""
    return dg.AssetKey(["metrics", f"{noun}_daily"])
