"""The cleanup of stale jobs: an asset for each account, made by a schedule, and its check."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.cleanup_reports import CHECK, check_result, materialization
from ops_platform.defs.intervals import each_interval
from ops_platform.defs.resources import Accounts
from ops_platform.defs.watched_assets import cleanup_asset
from ops_platform.operations.clean_account import Order, clean_account
from ops_platform.settings.accounts import Account
from ops_platform.settings.model import Settings

# Of an interval; the rest is for the start of the run.
_SHARE_OF_INTERVAL = 0.8


class CleanupConfig(dg.Config):
    """How one run of the cleanup differs from what the schedule does."""

    dry_run: bool = Field(
        default=False, description="Judge and show only: cancel nothing, tell nobody."
    )
    enforce: bool = Field(
        default=False, description="Cancel what is stale, though the account only observes."
    )
    despite_fault: bool = Field(
        default=False, description="Cancel also in a queue that is itself at fault; needs a reason."
    )
    queue: str | None = Field(default=None, description="Only this queue, by its name.")
    author: str = Field(default="", description="Who says so, if it is not the schedule.")
    reason: str = Field(default="", description="Why, for others to read.")


def cleanup_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Return the asset of each account, made each time it is searched for stale jobs."""
    return [_cleanup(account, settings) for account in settings.accounts]


def cleanup_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedule of each account, with the job that it runs."""
    return [_schedule(account.name, settings) for account in settings.accounts]


def _cleanup(account: Account, settings: Settings) -> dg.AssetsDefinition:
    name, key = account.name, cleanup_asset(account.name)
    seconds = settings.timing.stale_jobs_minutes * 60 * _SHARE_OF_INTERVAL

    @dg.asset(
        key=key,
        deps=[dg.AssetKey(["events", name])],
        group_name=name.replace("-", "_"),
        kinds={"aws", "python"},
        description=f"The jobs that wait in the queues of {name}, each judged by what keeps it from"
        f" starting. The account's mode is {account.stale_jobs}: stale jobs are"
        f" {'cancelled' if account.stale_jobs == 'enforce' else 'shown, and left alone'}.",
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=key,
                description="Does each queue in which jobs wait start any of them?",
            )
        ],
        output_required=False,
    )
    def stale_job_cleanup(
        context: dg.AssetExecutionContext,
        config: CleanupConfig,
        ledger: dg.ResourceParam[Ledger],
        accounts: dg.ResourceParam[Accounts],
    ) -> Iterator[dg.MaterializeResult[None]]:
        order = _order(config, context.run.run_id)
        tools = accounts.stale_job_tools(name, ledger)
        done = clean_account(name, settings, order, tools=tools, seconds=seconds)
        # What is yielded stands even if the run fails afterwards.
        yield materialization(key, done, checks=[check_result(key, done)], now=ledger.now())
        if done.trouble:
            raise dg.Failure(" ".join(done.trouble), allow_retries=False)

    return stale_job_cleanup


def _order(config: CleanupConfig, run_id: str) -> Order:
    if config.despite_fault and not config.reason:
        sentence = "Say in reason why jobs of a queue are cancelled that is itself at fault."
        raise dg.Failure(sentence, allow_retries=False)
    who = f"{config.author or 'Dagster'}, run {run_id}"
    return Order(
        asked_by=f"{who}: {config.reason}" if config.reason else who,
        enforce=True if config.enforce else None,
        dry_run=config.dry_run,
        despite_fault=config.despite_fault,
        queue=config.queue,
    )


def _schedule(account: str, settings: Settings) -> dg.ScheduleDefinition:
    key = cleanup_asset(account)
    # Not the platform's own check of this asset, which looks at all of the platform.
    own = dg.AssetSelection.checks(dg.AssetCheckKey(key, CHECK))
    job = dg.define_asset_job(
        f"clean_up_stale_jobs_{account}".replace("-", "_"),
        selection=dg.AssetSelection.assets(key).without_checks() | own,
        executor_def=dg.in_process_executor,
        description=f"Finds the jobs of {account} that can never start, and cancels them if told.",
    )
    return each_interval(job, minutes=settings.timing.stale_jobs_minutes)
