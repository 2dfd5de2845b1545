"""What CloudWatch is given: dashboards, and the metrics of hours that are over.

Both are assets of one account, that which the settings name. Metrics are sent only if the settings
say so, since they have a price; until then the asset shows what that would be.
"""

from collections.abc import Iterator

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.published import Target
from ops_platform.defs.cloudwatch_reports import (
    cost_shown,
    dashboards_shown,
    metrics_shown,
    off,
)
from ops_platform.defs.metric_keys import GROUP, hourly_asset
from ops_platform.defs.resources import Accounts
from ops_platform.domain.dashboard_body import Publication
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.metric import Noun
from ops_platform.operations.estimate_cost import Estimate, estimate_cost
from ops_platform.operations.publish_dashboards import publish_dashboards
from ops_platform.operations.publish_metrics import publish_metrics
from ops_platform.settings.accounts import Account
from ops_platform.settings.model import Settings

DASHBOARDS, METRICS = dg.AssetKey("cloudwatch_dashboards"), dg.AssetKey("cloudwatch_metrics")
JOB = "publish_to_cloudwatch"
# By then the hours of the last refresh are there, and those it found late events of.
CRON = "7 * * * *"
_KINDS = {"aws", "cloudwatch", "python"}
_OWNERS = ["team:ops_platform"]
Result = dg.MaterializeResult[None]


def cloudwatch_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Return the dashboards and the published metrics."""
    return [_dashboards(settings), _metrics(settings)]


def cloudwatch_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedule, with its job, that gives CloudWatch each hour what it has not.

    It stands still where nothing is to be given.
    """
    given = settings.metrics.cloudwatch
    is_on = given.publish or given.dashboards
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(DASHBOARDS, METRICS).without_checks(),
        executor_def=dg.in_process_executor,
        description="Puts the dashboards into CloudWatch, and sends it the hours that are over.",
    )
    status = dg.DefaultScheduleStatus
    return [
        dg.ScheduleDefinition(
            name=f"{JOB}_schedule",
            job=job,
            cron_schedule=CRON,
            default_status=status.RUNNING if is_on else status.STOPPED,
        )
    ]


def _account(settings: Settings) -> Account:
    name = settings.metrics.cloudwatch.account
    return settings.account(name) if name else settings.accounts[0]


def _dashboards(settings: Settings) -> dg.AssetsDefinition:
    account, given = _account(settings), settings.metrics.cloudwatch
    of = Publication(account.region, given.namespace, given.dimensions, given.publish)

    @dg.asset(
        key=DASHBOARDS,
        group_name=GROUP,
        kinds=_KINDS,
        owners=_OWNERS,
        description=f"Five dashboards in CloudWatch of {account.name}, made from the declarations"
        " of the metrics, and put only where they differ.",
    )
    def cloudwatch_dashboards(accounts: dg.ResourceParam[Accounts]) -> Result:
        if not given.dashboards:
            return dg.MaterializeResult(
                metadata=off("Switched off: `dashboards` in `[metrics.cloudwatch]` is false.")
            )
        try:
            puts = publish_dashboards(accounts.cloudwatch(account.name), of)
        except PlatformError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        return dg.MaterializeResult(metadata=dashboards_shown(account, puts))

    return cloudwatch_dashboards


def _metrics(settings: Settings) -> dg.AssetsDefinition:
    account, given = _account(settings), settings.metrics.cloudwatch
    target = Target(account.name, given.namespace)

    @dg.asset(
        key=METRICS,
        deps=[hourly_asset(noun) for noun in Noun],
        group_name=GROUP,
        kinds=_KINDS,
        owners=_OWNERS,
        output_required=False,
        description=f"What CloudWatch of {account.name} was sent of the hours that are over, by"
        f" {', '.join(given.dimensions)}; each value once, an hour after the hour's end.",
    )
    def cloudwatch_metrics(
        ledger: dg.ResourceParam[Ledger], accounts: dg.ResourceParam[Accounts]
    ) -> Iterator[Result]:
        try:
            estimate = _estimate(ledger, settings)
            if not given.publish:
                yield _unpublished(estimate)
                return
            sink = accounts.cloudwatch(account.name)
            done = publish_metrics(
                ledger, sink, target, dimensions=given.dimensions, clock=ledger.now
            )
        except PlatformError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        # What is yielded stands even if the run fails afterwards.
        yield dg.MaterializeResult(metadata=metrics_shown(done, estimate))
        if done.sent.trouble:
            raise dg.Failure(" ".join(done.sent.trouble), allow_retries=False)

    return cloudwatch_metrics


def _estimate(ledger: Ledger, settings: Settings) -> Estimate:
    given = settings.metrics.cloudwatch
    return estimate_cost(
        ledger, dimensions=given.dimensions, dashboards=given.dashboards, now=ledger.now()
    )


def _unpublished(estimate: Estimate) -> Result:
    sentence = (
        "Nothing was sent: `publish` in `[metrics.cloudwatch]` is false. The cost is what it would"
        " be, if each day were as the last."
    )
    return dg.MaterializeResult(metadata={**off(sentence), **cost_shown(estimate)})
