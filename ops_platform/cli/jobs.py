"""``ops-platform jobs``: what the ledger knows of Batch jobs."""

import sys
from typing import Unpack

import click

from ops_platform.adapters.ledger import jobs as known
from ops_platform.cli.explained_jobs import explain_in
from ops_platform.cli.filters import Narrowing, filter_options, narrowing
from ops_platform.cli.job_record import record, show_job_record
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import cell, json_option, show_json, show_rows
from ops_platform.domain.lifecycle import JOB_STATES

_COLUMNS = ("account", "job_id", "status", "flow", "step", "run_id", "queue", "owner", "changed_at")


@click.group()
def jobs() -> None:
    """List and explain jobs of AWS Batch."""


@jobs.command("list")
@filter_options(*JOB_STATES)
@json_option
def list_jobs(*, as_json: bool, **given: Unpack[Narrowing]) -> None:
    """List them, the last changed first."""
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        rows = known.recent(tx, narrowing(given, opened.settings))
    show_rows(rows, columns=_COLUMNS, none="No jobs.", as_json=as_json)


@jobs.command("explain")
@click.argument("job_id")
@click.option("--account", help="The account it is in, by its name in the settings.")
@json_option
def explain_job(job_id: str, *, account: str | None, as_json: bool) -> None:
    """Explain how a job stands: why it does not start and what to change, or how it ended.

    The exit code is 1 if something could not be asked, and 2 if nobody knows the job.
    """
    with open_ledger() as opened:
        found = explain_in(opened, job_id, account)
        shown = record(found, opened.settings, opened.ledger.now())
    if as_json:
        show_json(shown)
    else:
        show_job_record(shown)
    for sentence in found.trouble:
        click.echo(cell(f"Warning: {sentence}", widest=None), err=True)
    if found.trouble:
        sys.exit(1)
