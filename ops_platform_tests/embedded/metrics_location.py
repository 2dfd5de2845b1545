"""The rollups' assets alone, as a code location: nothing runs that a test did not ask for."""

import os

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.metric_checks import metric_checks
from ops_platform.defs.metrics import metrics_assets
from ops_platform.settings.load import load


@dg.definitions
def defs() -> dg.Definitions:
    """Return the assets, for the settings in effect."""
    settings = load(os.environ)
    return dg.Definitions(
        assets=metrics_assets(settings),
        asset_checks=metric_checks(settings),
        resources={"ledger": Ledger(settings.require_database_url())},
    )
