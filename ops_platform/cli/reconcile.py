"""``ops-platform reconcile``: ask Step Functions what became of executions, now."""

import sys

import click
import msgspec

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform.cli.ledger import Opened, open_ledger
from ops_platform.cli.output import json_option, show_rows
from ops_platform.cli.progress import Progress
from ops_platform.clock import now
from ops_platform.operations.reconcile_account import reconcile_account
from ops_platform.operations.reconcile_executions import Reconciled
from ops_platform.settings.accounts import Account

_COLUMNS = ("account", "machines", "read", "filled", "unfinished")


@click.command()
@click.option("--account", help="Only this account.")
@json_option
def reconcile(*, account: str | None, as_json: bool) -> None:
    """Read the executions of Metaflow's state machines and fill what events missed.

    Dagster does the same by a schedule; this works until all is read. The exit code is 1 if an
    account could not be read whole.
    """
    with open_ledger() as opened:
        known = opened.settings.accounts
        wanted = known if account is None else [opened.settings.account(account)]
        done = [_reconcile(opened, each) for each in wanted]
    rows = [msgspec.to_builtins(each) for each in done]
    show_rows(rows, columns=_COLUMNS, none="No accounts.", as_json=as_json)
    for each in done:
        for sentence in each.trouble:
            click.echo(f"Error: {each.account}: {sentence}", err=True)
    if any(each.trouble for each in done):
        sys.exit(1)


def _reconcile(opened: Opened, account: Account) -> Reconciled:
    """Reconcile one account; what stands in the way is no reason to leave out the others."""
    with Progress(f"executions of {account.name} read") as progress:
        try:
            return reconcile_account(
                account.name,
                opened.settings,
                ledger=opened.ledger,
                api=StepFunctions(AccountClients(account).step_functions),
                clock=now,
                show=progress.show,
            )
        except AwsError as error:
            return Reconciled(account.name, trouble=(str(error),))
