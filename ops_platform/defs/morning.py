"""A page worth opening each morning: how the day before went, as an asset of each day."""

from datetime import UTC, timedelta

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.metric_keys import GROUP, daily_asset
from ops_platform.defs.metrics import OWNERS, partitions, told_in_a_sentence
from ops_platform.domain.metric import Noun
from ops_platform.operations.morning_page import Morning, morning_page, why_not
from ops_platform.settings.model import Settings

KEY = dg.AssetKey(["morning_report"])
# When the refresh has had its time to put the day together.
CRON = "0 6 * * *"


def morning_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Return the page."""
    accounts = [account.name for account in settings.accounts]
    _, days = partitions(settings)

    @dg.asset(
        key=KEY,
        deps=[daily_asset(Noun.JOBS), daily_asset(Noun.EXECUTIONS)],
        partitions_def=days,
        group_name=GROUP,
        kinds={"python"},
        owners=OWNERS,
        description="How a day went in each account: runs and their success rate, flows that broke"
        " or recovered, the slowest queues, the costliest flows, what was wasted.",
    )
    def morning_report(
        context: dg.AssetExecutionContext, ledger: dg.ResourceParam[Ledger]
    ) -> dg.MaterializeResult[None]:
        day = context.partition_time_window.start.astimezone(UTC).date()
        with told_in_a_sentence():
            return _result(morning_page(ledger, day, accounts=accounts))

    return [morning_report]


def morning_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedule, with its job, that makes the page of yesterday."""
    _, days = partitions(settings)
    job = dg.define_asset_job(
        "write_morning_report",
        selection=dg.AssetSelection.assets(KEY),
        executor_def=dg.in_process_executor,
        description="Makes the page of a day.",
    )

    @dg.schedule(
        job=job,
        name=f"{job.name}_schedule",
        cron_schedule=CRON,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def each_morning(
        context: dg.ScheduleEvaluationContext, ledger: dg.ResourceParam[Ledger]
    ) -> dg.RunRequest | dg.SkipReason:
        yesterday = context.scheduled_execution_time.astimezone(UTC) - timedelta(days=1)
        if reason := why_not(ledger, yesterday.date()):
            return dg.SkipReason(reason)
        return dg.RunRequest(partition_key=f"{yesterday:{days.fmt}}")

    return [each_morning]


def _result(morning: Morning) -> dg.MaterializeResult[None]:
    figures = [account.figures for account in morning.accounts]
    runs = sum(each.runs for each in figures)
    metadata: dict[str, dg.MetadataValue] = {
        **{name: dg.MetadataValue.md(text) for name, text in morning.sections.items()},
        "runs": dg.MetadataValue.int(runs),
        "cost_usd": dg.MetadataValue.float(sum(each.cost for each in figures)),
        "wasted_cost_usd": dg.MetadataValue.float(sum(each.wasted for each in figures)),
        "stale_jobs_cancelled": dg.MetadataValue.int(sum(each.stale for each in figures)),
    }
    if runs:
        succeeded = sum(each.ended["SUCCEEDED"] for each in figures)
        metadata["success_rate"] = dg.MetadataValue.float(succeeded / runs)
    return dg.MaterializeResult(asset_key=KEY, metadata=metadata)
