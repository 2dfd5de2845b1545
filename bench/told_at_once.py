"""What Dagster loads for the latency benchmark: the platform, telling each run at once.

Nothing else differs from the embedded edition: no settle time, and no burst, which would tell the
runs of the benchmark as one.
"""

import os

import dagster as dg

from ops_platform.definitions import compose
from ops_platform.settings.load import load


@dg.definitions
def defs() -> dg.Definitions:
    """Return the code location."""
    settings = load(os.environ)
    timing = settings.timing.model_copy(update={"settle_seconds": 0})
    alerts = settings.alerts.model_copy(update={"bursts": ()})
    return compose(settings.model_copy(update={"timing": timing, "alerts": alerts}))
