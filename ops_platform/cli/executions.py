"""``ops-platform executions``: what the ledger knows of Step Functions executions."""

from typing import Unpack

import click

from ops_platform.adapters.ledger import executions as known
from ops_platform.cli.filters import Narrowing, filter_options, narrowing
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_rows
from ops_platform.domain.lifecycle import EXECUTION_STATES

_COLUMNS = ("account", "status", "flow", "run_id", "owner", "started_at", "stopped_at")


@click.group()
def executions() -> None:
    """List runs of flows on Step Functions."""


@executions.command("list")
@filter_options(*EXECUTION_STATES)
@json_option
def list_executions(*, as_json: bool, **given: Unpack[Narrowing]) -> None:
    """List them, the last changed first."""
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        rows = known.recent(tx, narrowing(given, opened.settings))
    show_rows(rows, columns=_COLUMNS, none="No executions.", as_json=as_json)
