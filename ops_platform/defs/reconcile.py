"""A job for each account, by a schedule, that fills what its events missed."""

from collections.abc import Iterator

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.intervals import each_interval
from ops_platform.defs.missed_schedules import missed_observation
from ops_platform.defs.resources import Accounts
from ops_platform.operations.check_account_schedules import check_account_schedules
from ops_platform.operations.reconcile_account import reconcile_account
from ops_platform.operations.reconcile_executions import Reconciled
from ops_platform.settings.model import Settings

# Of an interval; the rest is for the start of the run.
_SHARE_OF_INTERVAL = 0.8
_SHOWN_TROUBLE = 5


def reconcile_job(account: str, settings: Settings) -> dg.JobDefinition:
    """Return the job that reconciles one account."""
    name = _name(account)
    seconds = settings.timing.reconcile_minutes * 60 * _SHARE_OF_INTERVAL

    @dg.op(name=f"read_{name}", out=dg.Out(dg.Nothing))
    def reconcile_executions(
        ledger: dg.ResourceParam[Ledger], accounts: dg.ResourceParam[Accounts]
    ) -> Iterator[dg.AssetObservation | dg.Output[None]]:
        # What is yielded stands even if the run fails afterwards.
        api = accounts.executions(account)
        done = reconcile_account(
            account, settings, ledger=ledger, api=api, clock=ledger.now, seconds=seconds
        )
        yield observation(done)
        missed = check_account_schedules(
            account,
            settings,
            ledger=ledger,
            schedules=accounts.schedules(account),
            starts=accounts.starts(account),
            now=ledger.now(),
        )
        yield missed_observation(missed)
        if trouble := (*done.trouble, *missed.trouble):
            raise dg.Failure(_shown(trouble), allow_retries=False)
        yield dg.Output(None)

    @dg.job(
        name=name,
        description=f"Reads the executions of {account}, fills what events missed, and looks for"
        " flows that should have started.",
        executor_def=dg.in_process_executor,
    )
    def reconcile() -> None:
        reconcile_executions()

    return reconcile


def reconcile_schedule(job: dg.JobDefinition, settings: Settings) -> dg.ScheduleDefinition:
    """Return the schedule that reconciles one account."""
    return each_interval(job, minutes=settings.timing.reconcile_minutes)


def observation(done: Reconciled) -> dg.AssetObservation:
    """Return what one reconciliation came to, as Dagster shows it."""
    numbers = {
        "machines": done.machines,
        "read": done.read,
        "filled": done.filled,
        "unfinished": done.unfinished,
    }
    summary = (
        f"Read {done.read} executions of {done.machines} state machines:"
        f" {done.filled} had been missed, {done.unfinished} machines are unfinished."
    )
    return dg.AssetObservation(["executions", done.account], description=summary, metadata=numbers)


def _shown(trouble: tuple[str, ...]) -> str:
    left = len(trouble) - _SHOWN_TROUBLE
    more = f" And {left} more." if left > 0 else ""
    return " ".join(trouble[:_SHOWN_TROUBLE]) + more


def _name(account: str) -> str:
    return f"reconcile_executions_{account}".replace("-", "_")
