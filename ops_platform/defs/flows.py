"""Each Metaflow flow as an asset with a history: a sensor that reports its runs as they end."""

import json

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.pace import minimum_interval
from ops_platform.domain.identity import Links, flow_asset
from ops_platform.operations.policy import account_links
from ops_platform.operations.report_flow_runs import FlowRun, flow_runs_after
from ops_platform.settings.model import Settings


def flow_runs_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that reports runs; its cursor holds the last one reported by account."""

    @dg.sensor(
        description="Reports each run that ended to its flow's asset.",
        minimum_interval_seconds=minimum_interval(settings.timing.ingest_interval_seconds),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def report_flow_runs(
        context: dg.SensorEvaluationContext, ledger: dg.ResourceParam[Ledger]
    ) -> dg.SensorResult | dg.SkipReason:
        reported: dict[str, int] = json.loads(context.cursor or "{}")
        events: list[dg.AssetMaterialization | dg.AssetObservation] = []
        for account in (account.name for account in settings.accounts):
            for run in flow_runs_after(ledger, account, reported.get(account, 0)):
                events.append(asset_event(run, account_links(settings, account)))
                reported[account] = run.seq
        if not events:
            return dg.SkipReason("No run has ended since the last tick.")
        summary = f"Reported {len(events)} runs."
        return dg.SensorResult(
            skip_reason=summary, asset_events=events, cursor=json.dumps(reported)
        )

    return report_flow_runs


def asset_event(run: FlowRun, links: Links) -> dg.AssetMaterialization | dg.AssetObservation:
    """Return a materialization for a run that succeeded, an observation for one that did not."""
    key = flow_asset(run.account, run.project, run.flow)
    ui, execution = links.run(run.flow, run.run_id), links.execution(run.execution_arn)
    metadata: dict[str, dg.MetadataValue] = {
        "run_id": dg.MetadataValue.text(run.run_id),
        "status": dg.MetadataValue.text(run.status),
        "owner": dg.MetadataValue.text(run.owner or "unknown"),
        "branch": dg.MetadataValue.text(run.branch or "none"),
        "stopped_at": dg.MetadataValue.timestamp(run.stopped_at),
        "execution": dg.MetadataValue.url(execution),
    }
    if run.duration is not None:
        metadata["duration_seconds"] = dg.MetadataValue.float(run.duration.total_seconds())
    if ui is not None:
        metadata["metaflow_ui"] = dg.MetadataValue.url(ui)
    if run.status == "SUCCEEDED":
        return dg.AssetMaterialization(
            key, description=f"{run.run_id} succeeded", metadata=metadata
        )
    return dg.AssetObservation(key, description=f"{run.run_id}: {run.status}", metadata=metadata)
