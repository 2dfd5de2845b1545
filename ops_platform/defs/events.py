"""A sensor for each account that takes its events from the queue into the ledger."""

from datetime import datetime

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.pace import minimum_interval
from ops_platform.defs.resources import Accounts
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.ports import EventQueue
from ops_platform.operations.identify_runs import identify_runs
from ops_platform.operations.ingest_events import Ingested, ingest
from ops_platform.operations.policy import alert_policy, queue_accounts
from ops_platform.settings.model import Settings


def ingest_sensor(account: str, settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that ingests the events of one account."""

    @dg.sensor(
        name=f"ingest_events_{account}".replace("-", "_"),
        description=f"Takes the events of {account} from its queue into the ledger.",
        minimum_interval_seconds=minimum_interval(settings.timing.ingest_interval_seconds),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def ingest_events(
        ledger: dg.ResourceParam[Ledger], accounts: dg.ResourceParam[Accounts]
    ) -> dg.SensorResult | dg.SkipReason:
        queue, policy = accounts.queue(account), alert_policy(settings)
        done = ingest(
            queue,
            ledger,
            accounts=queue_accounts(settings, account),
            policy=policy,
            clock=ledger.now,
            seconds=settings.timing.ingest_budget_seconds,
        )
        trouble = _identify(account, ledger, accounts, policy)
        if not done.recorded.read:
            return dg.SkipReason(f"The queue is empty.{trouble}")
        return _report(account, done, queue, trouble, now=ledger.now())

    return ingest_events


def _identify(account: str, ledger: Ledger, accounts: Accounts, policy: AlertPolicy) -> str:
    """Identify runs; return what stood in the way, which is no reason to hide the rest."""
    try:
        machines = accounts.machines(account)
        identify_runs(ledger, machines, account=account, policy=policy, now=ledger.now())
    except PlatformError as error:
        return f" {error}"
    return ""


def _report(
    account: str, done: Ingested, queue: EventQueue, trouble: str, *, now: datetime
) -> dg.SensorResult:
    recorded = done.recorded
    lag = (now - recorded.newest).total_seconds() if recorded.newest else 0.0
    numbers = {
        "read": recorded.read,
        "new": recorded.new,
        "duplicates": recorded.duplicates,
        "rejected": recorded.rejected,
        "undeleted": done.undeleted,
        "lag_seconds": lag,
    }
    shown = f"{lag:.0f} s behind"
    try:
        numbers["backlog"] = waiting = queue.backlog().visible
        shown += f", {waiting} waiting"
    except PlatformError as error:
        trouble += f" {error}"
    observed = dg.AssetObservation(["events", account], metadata=numbers)
    summary = (
        f"Read {recorded.read}: {recorded.new} new, {recorded.duplicates} duplicates, "
        f"{recorded.rejected} rejected; {shown}."
    )
    return dg.SensorResult(skip_reason=summary + trouble, asset_events=[observed])
