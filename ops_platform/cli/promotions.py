"""``ops-platform promotions``: who promoted what, on which evidence, and what came of it."""

from typing import Any, Unpack

import click
import msgspec

from ops_platform.adapters.ledger import promotions as record
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.cli.filters import Narrowing, filter_options, narrowing
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_json, show_record, show_rows, table
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.promotions import Status

_COLUMNS = (
    "requested_at", "id", "kind", "account", "machine", "pull_request", "commit", "actor", "status",
)  # fmt: skip
_ENTRIES = ("at", "what", "message")


@click.group()
def promotions() -> None:
    """List and show what was promoted, on which evidence."""


@promotions.command("list")
@filter_options(*Status)
@json_option
def list_promotions(*, as_json: bool, **given: Unpack[Narrowing]) -> None:
    """List promotions, roll backs and adoptions, the last first."""
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        found = record.newest(tx, narrowing(given, opened.settings))
    rows = [_row(each) for each in found]
    show_rows(rows, columns=_COLUMNS, none="No promotions.", as_json=as_json)


@promotions.command()
@click.argument("promotion_id", metavar="ID")
@json_option
def show(*, promotion_id: str, as_json: bool) -> None:
    """Show all there is of a promotion: who asked, each thing done, and what shows it."""
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        found = record.get(tx, promotion_id)
    if found is None:
        raise PlatformError(
            f"There is no promotion {promotion_id}; see `ops-platform promotions list`."
        )
    entries = [msgspec.structs.asdict(each) for each in found.entries]
    if as_json:
        show_json({**_row(found), "entries": entries})
        return
    show_record(_row(found), as_json=False)
    for line in table(entries, _ENTRIES) if entries else ():
        click.echo(line)


def _row(found: Recorded) -> dict[str, Any]:
    return {**msgspec.structs.asdict(found.request), "status": found.status}
