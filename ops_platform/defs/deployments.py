"""What runs in production by our record: an asset looked at each hour, with a check for drift."""

from collections.abc import Iterator, Sequence

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.findings import Verdict
from ops_platform.domain.flow_locks import FlowLock
from ops_platform.domain.words import counted
from ops_platform.operations.look_at_deployments import (
    Locks,
    Seen,
    look_for_drift,
    release_done_locks,
)
from ops_platform.operations.promotion_tools import Promotions
from ops_platform.settings.model import Settings

JOB = "look_at_deployments"
KEY = dg.AssetKey(["deployments"])
CHECK = "as_deployed"
# Not the minute at which all the others begin.
CRON = "41 * * * *"


def deployment_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Return the asset of what runs in production; none where that could be several accounts."""
    if not settings.has_production:
        return []

    @dg.asset(
        key=KEY,
        group_name="promotion",
        kinds={"aws", "python"},
        owners=["team:ops_platform"],
        description="What runs in production by the record of promotions, and whether it is still"
        " so. Each flow has an asset of its own below this one, made by each promotion.",
        check_specs=[
            dg.AssetCheckSpec(
                CHECK, asset=KEY, description="Does production run what was last deployed?"
            )
        ],
    )
    def deployments(
        ledger: dg.ResourceParam[Ledger], promotions: dg.ResourceParam[Promotions]
    ) -> Iterator[dg.MaterializeResult[None]]:
        account = promotions.account
        seen = look_for_drift(ledger, promotions.production(), account)
        locks = release_done_locks(ledger, promotions.pulls(), account)
        yield materialization(seen, locks)

    return [deployments]


def deployment_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedule, with its job, that looks at it."""
    if not settings.has_production:
        return []
    own = dg.AssetSelection.checks(dg.AssetCheckKey(KEY, CHECK))
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(KEY).without_checks() | own,
        executor_def=dg.in_process_executor,
        description="Holds production against the record, and releases locks that are done with.",
    )
    return [
        dg.ScheduleDefinition(
            job=job,
            cron_schedule=CRON,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ]


def materialization(seen: Sequence[Seen], locks: Locks) -> dg.MaterializeResult[None]:
    """Return what a look found, and what it released."""
    drifted = [each for each in seen if each.finding.verdict is Verdict.FAILED]
    unknown = [each for each in seen if each.finding.verdict is Verdict.UNCHECKED]
    metadata: dict[str, dg.MetadataValue] = {
        "deployments": dg.MetadataValue.int(len(seen)),
        "drifted": dg.MetadataValue.int(len(drifted)),
        "not_known": dg.MetadataValue.int(len(unknown)),
        "locks_released": dg.MetadataValue.text(_machines(locks.released)),
        "locks_not_known": dg.MetadataValue.text(_machines(locks.unknown)),
        "table": dg.MetadataValue.table([_row(each) for each in seen], schema=_SCHEMA),
    }
    return dg.MaterializeResult(
        asset_key=KEY, metadata=metadata, check_results=[_checked(drifted, unknown)]
    )


def _machines(locks: Sequence[FlowLock]) -> str:
    return ", ".join(each.machine for each in locks) or "none"


def _checked(drifted: Sequence[Seen], unknown: Sequence[Seen]) -> dg.AssetCheckResult:
    told = "\n".join(each.finding.message for each in (*drifted, *unknown))
    machines = counted(len(drifted), "machine is", "machines are")
    return dg.AssetCheckResult(
        asset_key=KEY,
        check_name=CHECK,
        passed=not drifted and not unknown,
        # A machine that was changed by hand does run; nobody's promotion goes over it unseen.
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{machines} not as deployed." if drifted else None,
        metadata={"found": dg.MetadataValue.md(told or "All is as it was deployed.")},
    )


_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("machine", "string"),
        dg.TableColumn("commit", "string"),
        dg.TableColumn("since", "string"),
        dg.TableColumn("by", "string"),
        dg.TableColumn("drift", "string"),
    ]
)


def _row(seen: Seen) -> dg.TableRecord:
    made = seen.deployment
    told = {
        "machine": made.machine,
        "commit": (made.commit or "none")[:12],
        "since": f"{made.deployed_at:%F %T}",
        "by": made.deployed_by,
        "drift": seen.finding.reason,
    }
    return dg.TableRecord(told)
