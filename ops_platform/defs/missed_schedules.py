"""The step of an account's reconciliation that looks for flows which did not start."""

from datetime import timedelta

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.defs.resources import Accounts
from ops_platform.operations.find_missed_schedules import MissedSchedules, find_missed_schedules
from ops_platform.operations.policy import alert_policy
from ops_platform.settings.model import Settings


def missed_schedules_op(account: str, settings: Settings) -> dg.OpDefinition:
    """Return the step for one account."""
    grace = timedelta(minutes=settings.timing.schedule_grace_minutes)

    @dg.op(name=f"find_missed_schedules_{account}".replace("-", "_"))
    def find(
        context: dg.OpExecutionContext,
        ledger: dg.ResourceParam[Ledger],
        accounts: dg.ResourceParam[Accounts],
    ) -> None:
        found = find_missed_schedules(
            ledger,
            account=account,
            schedules=accounts.schedules(account),
            starts=accounts.starts(account),
            policy=alert_policy(settings),
            now=now(),
            grace=grace,
        )
        context.log_event(missed_observation(found))
        if found.trouble:
            raise dg.Failure(" ".join(found.trouble), allow_retries=False)

    return find


def missed_observation(found: MissedSchedules) -> dg.AssetObservation:
    """Return what a look at an account's schedules came to, as Dagster shows it."""
    opened, resolved = len(found.opened), len(found.resolved)
    numbers: dict[str, dg.MetadataValue] = {
        "machines": dg.MetadataValue.int(found.machines),
        "scheduled": dg.MetadataValue.int(found.scheduled),
        "missed": dg.MetadataValue.int(opened),
        "made_up_for": dg.MetadataValue.int(resolved),
    }
    if found.unreadable:
        numbers["unreadable"] = dg.MetadataValue.text("\n".join(found.unreadable))
    summary = (
        f"Of {found.machines} state machines {found.scheduled} are started by the clock:"
        f" {opened} were missed, {resolved} are made up for."
    )
    return dg.AssetObservation(["schedules", found.account], description=summary, metadata=numbers)
