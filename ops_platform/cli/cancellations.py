"""``ops-platform cancellations``: what was done to stale jobs, why, and what came of it."""

from typing import Unpack

import click
import msgspec

from ops_platform.adapters.ledger import cancellations as known
from ops_platform.cli.filters import Narrowing, filter_options, narrowing
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_rows
from ops_platform.domain.cancelling import Outcome

_COLUMNS = (
    "judged_at", "account", "queue", "job_id", "flow", "step", "run_id", "verdict", "reason",
    "outcome", "diagnosis",
)  # fmt: skip


@click.group()
def cancellations() -> None:
    """List what was done to stale jobs."""


@cancellations.command("list")
@filter_options(*Outcome)
@click.option("--queue", help="Only jobs of this queue.")
@json_option
def list_cancellations(*, queue: str | None, as_json: bool, **given: Unpack[Narrowing]) -> None:
    """List every judgement that was acted on, the last first.

    The outcome tells what came of it: CancelJob succeeds as well when the job has started.
    """
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        found = known.recent(tx, narrowing(given, opened.settings), queue=queue)
    rows = [msgspec.structs.asdict(each) for each in found]
    show_rows(rows, columns=_COLUMNS, none="No cancellations.", as_json=as_json)
