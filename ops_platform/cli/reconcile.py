"""``ops-platform reconcile``: ask Step Functions what became of executions, now."""

import sys

import click
import msgspec

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.ledger.queries import Row
from ops_platform.adapters.schedules import EventBridgeSchedules
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform.cli.ledger import Opened, open_ledger
from ops_platform.cli.output import json_option, show_rows
from ops_platform.cli.progress import Progress
from ops_platform.operations.check_account_schedules import check_account_schedules
from ops_platform.operations.find_missed_schedules import MissedSchedules
from ops_platform.operations.reconcile_account import reconcile_account
from ops_platform.operations.reconcile_executions import Reconciled
from ops_platform.settings.accounts import Account

_COLUMNS = (
    "account", "machines", "read", "filled", "unfinished", "scheduled", "missed", "resolved",
)  # fmt: skip


@click.command()
@click.option("--account", help="Only this account.")
@json_option
def reconcile(*, account: str | None, as_json: bool) -> None:
    """Find what the events of AWS missed.

    Read the executions of Metaflow's state machines and fill in what the ledger lacks; then look
    for flows that EventBridge should have started and did not. Dagster does the same by a schedule;
    this works until all is read. The exit code is 1 if an account could not be read whole.
    """
    with open_ledger(calls_aws=True) as opened:
        known = opened.settings.accounts
        wanted = known if account is None else [opened.settings.account(account)]
        rows = [_reconcile(opened, each) for each in wanted]
    show_rows(rows, columns=_COLUMNS, none="No accounts.", as_json=as_json)
    for row in rows:
        for sentence in row["unreadable"]:
            click.echo(f"Warning: {row['account']}: {sentence}", err=True)
        for sentence in row["trouble"]:
            click.echo(f"Error: {row['account']}: {sentence}", err=True)
    if any(row["trouble"] for row in rows):
        sys.exit(1)


def _reconcile(opened: Opened, account: Account) -> Row:
    """Reconcile one account; what stands in the way is no reason to leave out the others."""
    done, missed = Reconciled(account.name), MissedSchedules(account.name)
    trouble: tuple[str, ...] = ()
    try:
        clients = AccountClients(account)
        done = _fill(opened, account, clients)
        missed = _find_missed(opened, account, clients)
    except AwsError as error:
        trouble = (str(error),)
    return {
        **msgspec.to_builtins(done),
        "scheduled": missed.scheduled,
        "missed": len(missed.opened),
        "resolved": len(missed.resolved),
        "unreadable": list(missed.unreadable),
        "trouble": [*done.trouble, *missed.trouble, *trouble],
    }


def _fill(opened: Opened, account: Account, clients: AccountClients) -> Reconciled:
    with Progress(f"executions of {account.name} read") as progress:
        return reconcile_account(
            account.name,
            opened.settings,
            ledger=opened.ledger,
            api=StepFunctions(clients.step_functions),
            clock=opened.ledger.now,
            show=progress.show,
        )


def _find_missed(opened: Opened, account: Account, clients: AccountClients) -> MissedSchedules:
    return check_account_schedules(
        account.name,
        opened.settings,
        ledger=opened.ledger,
        schedules=EventBridgeSchedules(clients.events),
        starts=StepFunctions(clients.step_functions),
        now=opened.ledger.now(),
    )
