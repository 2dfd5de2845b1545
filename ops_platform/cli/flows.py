"""``ops-platform flows``: each flow with its runs by outcome."""

from typing import Unpack

import click

from ops_platform.adapters.ledger import executions as known
from ops_platform.cli.filters import Narrowing, filter_options, narrowing
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_rows
from ops_platform.domain.lifecycle import EXECUTION_STATES

_COLUMNS = (
    "account",
    "project",
    "flow",
    "owner",
    "status",
    "runs",
    "succeeded",
    "failed",
    "running",
    "changed_at",
)


@click.group()
def flows() -> None:
    """List flows and how they are doing."""


@flows.command("list")
@filter_options(*EXECUTION_STATES)
@json_option
def list_flows(*, as_json: bool, **given: Unpack[Narrowing]) -> None:
    """List them, the last changed first."""
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        rows = known.flows(tx, narrowing(given, opened.settings))
    show_rows(rows, columns=_COLUMNS, none="No flows.", as_json=as_json)
