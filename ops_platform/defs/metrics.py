"""The rollups as partitioned assets, and the job that keeps them as the ledger is.

The assets are for who wants certain hours or days computed, such as a backfill; a range of them is
one run. What needs it is computed by the schedule, all in one run of ``refresh_metrics``, whose
hours need not be neighbours; it reports them to the same assets.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.intervals import each_interval
from ops_platform.defs.metric_checks import evaluations
from ops_platform.defs.metric_keys import GROUP, daily_asset, hourly_asset
from ops_platform.defs.metric_reports import column_schema, description, reported
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.hours import Hours, day_begins
from ops_platform.domain.metric import Noun
from ops_platform.operations.roll_up_metrics import Rolled, refresh, roll_up_days, roll_up_hours
from ops_platform.settings.model import Settings

JOB = "refresh_metrics"
OWNERS = ["team:ops_platform"]
_KINDS = {"postgres", "python"}
_TOLD_EACH_SECONDS = 5.0


def metrics_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Return the assets of each noun: its hours, and its days."""
    with _no_beta_warnings():
        hours, days = partitions(settings)
        hourly = [_hourly(noun, hours, settings) for noun in Noun]
        return [*hourly, *(_daily(noun, days) for noun in Noun)]


def metrics_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedule, with its job, that computes whatever is not as the ledger is."""
    return [each_interval(_refresh(settings), minutes=settings.metrics.refresh_minutes)]


def partitions(
    settings: Settings,
) -> tuple[dg.HourlyPartitionsDefinition, dg.DailyPartitionsDefinition]:
    """Return the hours, that which now runs included, and the days that are over."""
    first = day_begins(settings.metrics.first_day)
    hours = dg.HourlyPartitionsDefinition(start_date=first, timezone="UTC", end_offset=1)
    return hours, dg.DailyPartitionsDefinition(start_date=first, timezone="UTC")


def _hourly(
    noun: Noun, hours: dg.HourlyPartitionsDefinition, settings: Settings
) -> dg.AssetsDefinition:
    prices = settings.metrics.price_table()
    interval = timedelta(minutes=settings.metrics.refresh_minutes)

    @dg.asset(
        key=hourly_asset(noun),
        partitions_def=hours,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=GROUP,
        kinds=_KINDS,
        owners=OWNERS,
        description=description(noun),
        metadata={"dagster/column_schema": column_schema(noun)},
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=4 * interval, warn_window=2 * interval
        ),
    )
    def rollup_of_hours(
        context: dg.AssetExecutionContext, ledger: dg.ResourceParam[Ledger]
    ) -> None:
        span = Hours(*_window(context))
        with told_in_a_sentence():
            show = _progress(context, len(span), "hours")
            now = ledger.now()
            rolled = roll_up_hours(ledger, span, [noun], prices=prices, now=now, show=show)
            for at, metadata in reported(ledger, noun, rolled):
                context.add_asset_metadata(metadata, partition_key=f"{at:{hours.fmt}}")

    return rollup_of_hours


def _daily(noun: Noun, days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    @dg.asset(
        key=daily_asset(noun),
        deps=[dg.AssetDep(hourly_asset(noun), partition_mapping=dg.TimeWindowPartitionMapping())],
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=GROUP,
        kinds=_KINDS,
        owners=OWNERS,
        description=description(noun, daily=True),
        metadata={"dagster/column_schema": column_schema(noun, daily=True)},
    )
    def rollup_of_days(context: dg.AssetExecutionContext, ledger: dg.ResourceParam[Ledger]) -> None:
        span = Hours(*_window(context)).days()
        with told_in_a_sentence():
            show = _progress(context, len(span), "days")
            rolled = roll_up_days(ledger, span, [noun], now=ledger.now(), show=show)
            for at, metadata in reported(ledger, noun, rolled, daily=True):
                context.add_asset_metadata(metadata, partition_key=f"{at:{days.fmt}}")

    return rollup_of_days


def _refresh(settings: Settings) -> dg.JobDefinition:
    prices = settings.metrics.price_table()

    @dg.op(out=dg.Out(dg.Nothing))
    def compute_what_changed(
        context: dg.OpExecutionContext, ledger: dg.ResourceParam[Ledger]
    ) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.Output[None]]:
        with told_in_a_sentence():
            rolled = refresh(ledger, prices=prices, now=ledger.now())
            context.log.info(_summary(rolled))
            # What is yielded stands even if the run fails afterwards.
            yield from materializations(ledger, settings, rolled)
            yield from evaluations(ledger, settings, rolled)
        yield dg.Output(None)

    @dg.job(
        name=JOB,
        description="Computes the hours whose events changed, the hour now running, and the days"
        " that are complete.",
        executor_def=dg.in_process_executor,
    )
    def refresh_metrics() -> None:
        compute_what_changed()

    return refresh_metrics


def materializations(
    ledger: Ledger, settings: Settings, rolled: Sequence[Rolled]
) -> Iterator[dg.AssetMaterialization]:
    """Yield one for each partition that was computed; what is older than the first has none."""
    hours, days = partitions(settings)
    first = day_begins(settings.metrics.first_day)
    for noun in Noun:
        for grain, key, keys in (
            ("hour", hourly_asset(noun), hours),
            ("day", daily_asset(noun), days),
        ):
            mine = [each for each in rolled if (each.noun, each.grain) == (noun, grain)]
            shown = [each for each in mine if each.began >= first]
            for at, metadata in reported(ledger, noun, shown, daily=grain == "day"):
                yield dg.AssetMaterialization(key, partition=f"{at:{keys.fmt}}", metadata=metadata)


def _window(context: dg.AssetExecutionContext) -> tuple[datetime, datetime]:
    window = context.partition_time_window
    return window.start.astimezone(UTC), window.end.astimezone(UTC)


def _progress(context: dg.AssetExecutionContext, whole: int, what: str) -> Callable[[int], None]:
    """Return what tells in the log, now and then, how far it is."""
    told_at = monotonic()

    def show(done: int) -> None:
        nonlocal told_at
        if done == whole or monotonic() - told_at >= _TOLD_EACH_SECONDS:
            told_at = monotonic()
            context.log.info("%d of %d %s computed.", done, whole, what)

    return show


def _summary(rolled: Iterable[Rolled]) -> str:
    numbers = Counter(f"{each.grain}s of {each.noun}" for each in rolled)
    return f"Computed {', '.join(f'{n} {what}' for what, n in numbers.items()) or 'nothing'}."


@contextmanager
def _no_beta_warnings() -> Iterator[None]:
    """Keep Dagster's word on backfill policies, used as documented, out of every log."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        yield


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """Fail the run with what the platform says, rather than with a traceback."""
    try:
        yield
    except PlatformError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
