"""The checks of the platform in Dagster: what is shown of them, and what they found last time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from ops_platform.defs.watched_assets import asset_of
from ops_platform.domain.health import Check, Health, State, Subject, subjects
from ops_platform.settings.model import Settings

# A run that is about to check has a record of its own, in which nothing stands yet.
_DONE = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
_ASKS = {
    Check.INGEST: "Do events come out of the queue into the ledger?",
    Check.RECONCILIATION: "Is Step Functions asked for what the events missed?",
    Check.DELIVERY: "Do alerts reach Slack?",
    Check.CLEANUP: "Are stale jobs looked for?",
    Check.PARSING: "Is what comes out of the queues understood?",
    Check.AUTOMATIONS: "Do all sensors and schedules tick, and do their ticks succeed?",
}
_STATE, _FOUND, _SINCE = "state", "found", "since"


@dataclass(frozen=True, slots=True)
class Report:
    """What was last reported of a check, and when; ``since`` is that of its ``Health``.

    Dagster shows a check as not evaluated once its asset was made anew: ``is_shown`` is False then.
    """

    state: State
    found: str
    since: datetime | None
    at: datetime
    is_shown: bool = True


def check_specs(settings: Settings) -> list[dg.AssetCheckSpec]:
    """Return the checks, each on its asset."""
    minutes = settings.timing.stalled_minutes
    return [
        dg.AssetCheckSpec(
            subject.check.value,
            asset=asset_of(subject.check, subject.account),
            description=f"{_ASKS[subject.check]} It fails after {minutes} minutes, and Slack is"
            " told.",
        )
        for subject in subjects(account.name for account in settings.accounts)
    ]


def key_of(subject: Subject) -> dg.AssetCheckKey:
    """Return the key of a check."""
    return dg.AssetCheckKey(asset_of(subject.check, subject.account), subject.check.value)


def last_reports(
    instance: dg.DagsterInstance, wanted: Iterable[Subject]
) -> Mapping[Subject, Report]:
    """Return what was last reported of each check, without those of which nothing ever was."""
    found = ((subject, _last_report(instance, key_of(subject))) for subject in wanted)
    return {subject: report for subject, report in found if report is not None}


def _last_report(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> Report | None:
    records = instance.event_log_storage.get_asset_check_execution_history(
        key, limit=1, status=_DONE
    )
    evaluation = records[0].evaluation if records else None
    if evaluation is None:
        return None
    at = records[0].create_timestamp
    told: dict[str, Any] = {name: value.value for name, value in evaluation.metadata.items()}
    since = told.get(_SINCE)
    return Report(
        state=State(told.get(_STATE, State.PASSES)),
        found=str(told.get(_FOUND, "")),
        since=datetime.fromtimestamp(since, UTC) if since else None,
        at=datetime.fromtimestamp(at, UTC),
        is_shown=not _made_since(instance, key.asset_key, at),
    )


def _made_since(instance: dg.DagsterInstance, asset: dg.AssetKey, at: float) -> bool:
    made = instance.get_latest_materialization_event(asset)
    return made is not None and made.timestamp >= at


def is_due(health: Health, last: Report | None, *, now: datetime, heartbeat: timedelta) -> bool:
    """Tell whether a check is reported: when it changed, and now and then to show it is alive."""
    if (
        last is None
        or not last.is_shown
        or (last.state, last.found) != (health.state, _found(health))
    ):
        return True
    return now - last.at >= heartbeat


def evaluation(health: Health) -> dg.AssetCheckEvaluation:
    """Return a check as a sensor reports it."""
    key = key_of(health.subject)
    return dg.AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=_passed(health),
        description=_description(health),
        metadata=_metadata(health),
    )


def result(health: Health) -> dg.AssetCheckResult:
    """Return a check as a run reports it."""
    key = key_of(health.subject)
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=_passed(health),
        description=_description(health),
        metadata=_metadata(health),
    )


def _passed(health: Health) -> bool:
    return health.state is not State.FAILS


def _description(health: Health) -> str:
    match health.state:
        case State.PASSES:
            return "All is well."
        case State.SUSPECTED:
            return f"It does not count yet: {health.sentence}"
        case State.FAILS:
            return health.sentence


def _metadata(health: Health) -> dict[str, dg.MetadataValue]:
    metadata: dict[str, dg.MetadataValue] = {
        _STATE: dg.MetadataValue.text(health.state.value),
        "findings": dg.MetadataValue.int(len(health.findings)),
    }
    if health.since is not None:
        metadata[_FOUND] = dg.MetadataValue.text(_found(health))
        metadata[_SINCE] = dg.MetadataValue.timestamp(health.since)
        metadata["incident"] = dg.MetadataValue.text(health.subject.incident_id)
    return metadata


def _found(health: Health) -> str:
    return ", ".join(f"{each.about} {each.what}".strip() for each in health.findings)
