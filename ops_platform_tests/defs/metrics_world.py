"""The metrics' part of the code location, run as Dagster does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.metric_checks import metric_checks
from ops_platform.defs.metrics import metrics_assets, metrics_schedules
from ops_platform.defs.morning import morning_assets, morning_schedules
from ops_platform.settings.model import Settings

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def location(settings: Settings, ledger: Ledger) -> dg.Definitions:
    """Return what the metrics define."""
    return dg.Definitions(
        assets=[*metrics_assets(settings), *morning_assets(settings)],
        asset_checks=metric_checks(settings),
        schedules=[*metrics_schedules(settings), *morning_schedules(settings)],
        resources={"ledger": ledger},
    )


def materialized(
    loaded: dg.Definitions,
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    first: str,
    last: str | None = None,
) -> dg.ExecuteInProcessResult:
    """Materialize a partition, or a range of them in one run as a backfill does."""
    job = loaded.resolve_implicit_global_asset_job_def()
    where: Mapping[str, Any] = {"asset_selection": [key], "raise_on_error": False}
    if last is None:
        return job.execute_in_process(instance=instance, partition_key=first, **where)
    tags = dict(zip(RANGE, (first, last), strict=True))
    return job.execute_in_process(instance=instance, tags=tags, **where)


def made(done: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """Return the metadata of each materialization by its partition."""
    return {
        str(event.partition): dict(event.materialization.metadata)
        for event in done.get_asset_materialization_events()
    }


@contextmanager
def dagster() -> Iterator[dg.DagsterInstance]:
    """Give a Dagster of its own."""
    with dg.instance_for_test() as instance:
        yield instance
