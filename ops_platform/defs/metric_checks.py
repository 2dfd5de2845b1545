"""The checks of rollups in Dagster: run with their assets, by hand, and by the refresh."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.metric_keys import hourly_asset
from ops_platform.domain.hours import HOUR, Hours, hour_of
from ops_platform.domain.metric import Noun
from ops_platform.operations.check_metrics import Checked, check_metrics, checks_of
from ops_platform.operations.roll_up_metrics import Rolled
from ops_platform.settings.model import Settings

# By hand, without partitions.
_LOOKS_BACK = timedelta(days=2)


def metric_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """Return the checks of each noun's hours."""
    return [_checks(noun, settings) for noun in Noun]


def evaluations(
    ledger: Ledger, settings: Settings, rolled: Sequence[Rolled]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield what all checks find in hours that were computed."""
    for noun in Noun:
        hours = [each.began for each in rolled if (each.noun, each.grain) == (noun, "hour")]
        for done in _checked(ledger, settings, noun, hours):
            yield dg.AssetCheckEvaluation(
                asset_key=hourly_asset(noun),
                check_name=done.check.name,
                passed=not done.found,
                severity=_severity(done),
                description=done.sentence,
                metadata=_metadata(done),
            )


def _checks(noun: Noun, settings: Settings) -> dg.AssetChecksDefinition:
    key = hourly_asset(noun)

    @dg.multi_asset_check(
        name=f"check_metrics_of_{noun}",
        specs=[
            dg.AssetCheckSpec(check.name, asset=key, description=check.asks)
            for check in checks_of(noun)
        ],
        can_subset=True,
    )
    def check_hours(
        context: dg.AssetCheckExecutionContext, ledger: dg.ResourceParam[Ledger]
    ) -> Iterator[dg.AssetCheckResult]:
        names = {check.name for check in context.selected_asset_check_keys}
        hours = _hours(context, now=ledger.now())
        for done in _checked(ledger, settings, noun, hours):
            if done.check.name in names:
                yield dg.AssetCheckResult(
                    asset_key=key,
                    check_name=done.check.name,
                    passed=not done.found,
                    severity=_severity(done),
                    description=done.sentence,
                    metadata=_metadata(done),
                )

    return check_hours


def _checked(
    ledger: Ledger, settings: Settings, noun: Noun, hours: Sequence[datetime]
) -> list[Checked]:
    interval = timedelta(minutes=settings.metrics.refresh_minutes)
    return check_metrics(ledger, noun, hours, now=ledger.now(), interval=interval)


def _hours(context: dg.AssetCheckExecutionContext, *, now: datetime) -> list[datetime]:
    """Return the hours of the run, or else the newest."""
    if context.has_partition_key or context.has_partition_key_range:
        window = context.partition_time_window
        return list(Hours(window.start.astimezone(UTC), window.end.astimezone(UTC)))
    return list(Hours(hour_of(now) - _LOOKS_BACK, hour_of(now) + HOUR))


def _severity(done: Checked) -> dg.AssetCheckSeverity:
    """Return a warning where hours are only missing; they can be computed."""
    behind = done.check.name == "nothing_left_behind"
    return dg.AssetCheckSeverity.WARN if behind else dg.AssetCheckSeverity.ERROR


def _metadata(done: Checked) -> dict[str, dg.MetadataValue]:
    return {
        "hours": dg.MetadataValue.int(done.hours),
        "found": dg.MetadataValue.int(done.found),
        "wrong": dg.MetadataValue.text("\n".join(done.wrong)),
    }
