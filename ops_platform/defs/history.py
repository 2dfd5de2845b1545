"""The history of events: an asset made each night, when days too old to keep are dropped."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from ops_platform.adapters.ledger.database import Ledger, LedgerError
from ops_platform.domain.words import counted
from ops_platform.operations.keep_history import Kept, keep_history, kept_since
from ops_platform.settings.model import Settings

JOB = "keep_event_history"
KEY = dg.AssetKey(["event_history"])
# An hour in which few flows run, and not the minute at which all the others begin.
CRON = "23 2 * * *"


class HistoryConfig(dg.Config):
    """How one run differs from what the schedule does."""

    dry_run: bool = Field(
        default=False, description="Show what would be dropped, and drop nothing."
    )


def history_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Return the asset of the history."""
    keep = settings.metrics.keep_events_days

    @dg.asset(
        key=KEY,
        group_name="metrics",
        kinds={"postgres", "python"},
        owners=["team:ops_platform"],
        description=f"The events of the last {counted(keep, 'day', 'days')}, and the state of what"
        " they tell of. What is older is dropped each night, by whole days of UTC; its rollups"
        " stay, and `ops-platform events import` brings exported days back.",
        output_required=False,
    )
    def event_history(
        config: HistoryConfig, ledger: dg.ResourceParam[Ledger]
    ) -> Iterator[dg.MaterializeResult[None]]:
        now = ledger.now()
        try:
            done = keep_history(
                ledger, kept_from=kept_since(now, days=keep), now=now, dry_run=config.dry_run
            )
        except LedgerError as error:
            raise dg.Failure(str(error)) from error
        # What is yielded stands even if the run fails afterwards.
        yield materialization(done, dry_run=config.dry_run)
        if done.busy:
            days = counted(len(done.busy), "day was", "days were")
            raise dg.Failure(f"{days} left, since others used the events all the time.")

    return [event_history]


def history_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:  # noqa: ARG001, as others
    """Return the schedule, with its job, that drops what is too old."""
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(KEY).without_checks(),
        executor_def=dg.in_process_executor,
        description="Drops the events that are too old to be kept, and what only they tell of.",
    )
    return [
        dg.ScheduleDefinition(
            job=job,
            cron_schedule=CRON,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ]


def materialization(done: Kept, *, dry_run: bool) -> dg.MaterializeResult[None]:
    """Return what one run dropped, and what is left."""
    metadata: dict[str, dg.MetadataValue] = {
        "summary": dg.MetadataValue.text(_summary(done, dry_run=dry_run)),
        "kept_from": dg.MetadataValue.text(str(done.kept_from)),
        "oldest_day": dg.MetadataValue.text(str(done.oldest or "none")),
        "days_kept": dg.MetadataValue.int(done.days),
        "days_dropped": dg.MetadataValue.int(len(done.dropped)),
        "days_held": dg.MetadataValue.int(len(done.held)),
        "rows_dropped": dg.MetadataValue.int(done.rows.total()),
        "bytes_kept": dg.MetadataValue.int(done.bytes_kept),
        "bytes_dropped": dg.MetadataValue.int(done.bytes_freed),
        "rows_by_table": _table(done),
    }
    return dg.MaterializeResult(asset_key=KEY, metadata=metadata)


def _summary(done: Kept, *, dry_run: bool) -> str:
    days = counted(len(done.dropped), "day", "days")
    verb = "would be dropped" if dry_run else "dropped"
    told = [f"{days} {verb}; {counted(done.days, 'day', 'days')} of events in the ledger."]
    if done.held:
        told.append(f"Held since they were imported: {', '.join(map(str, done.held))}.")
    if done.busy:
        told.append(f"Left for the next run: {', '.join(map(str, done.busy))}.")
    return " ".join(told)


def _table(done: Kept) -> dg.TableMetadataValue:
    rows = [dg.TableRecord({"table": name, "rows": number}) for name, number in done.rows.items()]
    columns = [dg.TableColumn("table", "string"), dg.TableColumn("rows", "int")]
    return dg.MetadataValue.table(rows, schema=dg.TableSchema(columns))
