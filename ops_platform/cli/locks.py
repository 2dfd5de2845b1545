"""``ops-platform locks``: which pull request holds which flow."""

import click
import msgspec

from ops_platform.adapters.ledger import flow_locks
from ops_platform.cli.by_hand import who_option, why_option
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_json, show_rows
from ops_platform.operations.unlock_flow import unlock

_COLUMNS = ("account", "machine", "repository", "pull_request", "taken_by", "taken_at")


@click.group()
def locks() -> None:
    """List and release the locks on flows."""


@locks.command("list")
@click.option("--account", help="Only this account, by its name in the settings.")
@json_option
def list_locks(*, account: str | None, as_json: bool) -> None:
    """List the locks, the first taken first.

    A pull request that was promoted keeps its flow until it is merged or closed: another one, which
    lacks its change, would else take the change back.
    """
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        if account is not None:
            opened.settings.account(account)
        rows = [msgspec.structs.asdict(each) for each in flow_locks.held(tx, account)]
    show_rows(rows, columns=_COLUMNS, none="No locks.", as_json=as_json)


@locks.command()
@click.argument("machine", metavar="MACHINE")
@click.option("--account", required=True, help="The account, by its name in the settings.")
@why_option()
@who_option
@json_option
def release(*, machine: str, account: str, who: str, why: str, as_json: bool) -> None:
    """Release the lock on a state machine, whoever has it; who did so and why is recorded."""
    with open_ledger() as opened:
        opened.settings.account(account)
        held = unlock(opened.ledger, account, machine, who=who, why=why)
    if as_json:
        show_json({**msgspec.structs.asdict(held), "released": True})
        return
    click.echo(f"{held.holder} no longer holds {machine}.")
