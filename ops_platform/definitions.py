"""The composition root of the code location: settings in, definitions out."""

import os

import dagster as dg

from ops_platform.clock import now
from ops_platform.defs.alerts import deliver_alerts_sensor
from ops_platform.defs.cloudwatch import cloudwatch_assets, cloudwatch_schedules
from ops_platform.defs.deployments import deployment_assets, deployment_schedules
from ops_platform.defs.events import ingest_sensor
from ops_platform.defs.flows import flow_runs_sensor
from ops_platform.defs.health import with_watch
from ops_platform.defs.history import history_assets, history_schedules
from ops_platform.defs.metric_checks import metric_checks
from ops_platform.defs.metrics import metrics_assets, metrics_schedules
from ops_platform.defs.morning import morning_assets, morning_schedules
from ops_platform.defs.operators import operator_jobs
from ops_platform.defs.promotion import promotion_jobs
from ops_platform.defs.reconcile import reconcile_job, reconcile_schedule
from ops_platform.defs.resources import resources
from ops_platform.defs.stale_jobs import cleanup_assets, cleanup_schedules
from ops_platform.settings.load import load
from ops_platform.settings.model import Settings


@dg.definitions
def defs() -> dg.Definitions:
    """Return what Dagster shall run, for the settings in effect."""
    return compose(load(os.environ))


def compose(settings: Settings) -> dg.Definitions:
    """Return the definitions for given settings."""
    return with_watch(platform(settings), settings, loaded_at=now())


def platform(settings: Settings) -> dg.Definitions:
    """Return what does the platform's work, without what watches over it."""
    ingest = [ingest_sensor(account.name, settings) for account in settings.accounts]
    reconcile = [reconcile_job(account.name, settings) for account in settings.accounts]
    return dg.Definitions(
        assets=[
            *cleanup_assets(settings),
            *metrics_assets(settings),
            *morning_assets(settings),
            *history_assets(settings),
            *cloudwatch_assets(settings),
            *deployment_assets(settings),
        ],
        asset_checks=metric_checks(settings),
        jobs=[*reconcile, *operator_jobs(settings), *promotion_jobs()],
        schedules=[
            *(reconcile_schedule(job, settings) for job in reconcile),
            *cleanup_schedules(settings),
            *metrics_schedules(settings),
            *morning_schedules(settings),
            *history_schedules(settings),
            *cloudwatch_schedules(settings),
            *deployment_schedules(settings),
        ],
        sensors=[*ingest, flow_runs_sensor(settings), deliver_alerts_sensor(settings)],
        resources=dict(resources(settings)),
    )
