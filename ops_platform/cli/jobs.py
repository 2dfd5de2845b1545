"""``ops-platform jobs``: what the ledger knows of Batch jobs."""

from typing import Unpack

import click

from ops_platform.adapters.ledger import jobs as known
from ops_platform.cli.filters import Narrowing, filter_options, narrowing
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_rows
from ops_platform.domain.lifecycle import JOB_STATES

_COLUMNS = ("account", "job_id", "status", "flow", "step", "run_id", "queue", "owner", "changed_at")


@click.group()
def jobs() -> None:
    """List jobs of AWS Batch."""


@jobs.command("list")
@filter_options(*JOB_STATES)
@json_option
def list_jobs(*, as_json: bool, **given: Unpack[Narrowing]) -> None:
    """List them, the last changed first."""
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        rows = known.recent(tx, narrowing(given, opened.settings))
    show_rows(rows, columns=_COLUMNS, none="No jobs.", as_json=as_json)
