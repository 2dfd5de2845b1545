"""``ops-platform incidents``: failed runs, what broke them, and whom we told."""

from collections.abc import Mapping
from typing import Any, Unpack

import click
import msgspec

from ops_platform.adapters.ledger import alerts
from ops_platform.adapters.ledger import incidents as known
from ops_platform.cli.filters import Narrowing, filter_options, narrowing
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_record, show_rows
from ops_platform.clock import now
from ops_platform.domain.alert_message import render
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.incidents import State
from ops_platform.domain.story import Story
from ops_platform.operations.find_owner import OwnerFinder
from ops_platform.operations.policy import account_links
from ops_platform.settings.model import Settings

_COLUMNS = (
    "id", "account", "state", "flow", "run_id", "owner", "reason", "failed_jobs",
    "collateral_jobs", "alerts_sent", "opened_at",
)  # fmt: skip


@click.group()
def incidents() -> None:
    """List and show failed runs."""


@incidents.command("list")
@filter_options(*State)
@json_option
def list_incidents(*, as_json: bool, **given: Unpack[Narrowing]) -> None:
    """List incidents, the last opened first."""
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        found = known.recent(tx, narrowing(given))
        rows = [_linked(row, opened.settings) for row in found]
    show_rows(rows, columns=_COLUMNS, none="No incidents.", as_json=as_json)


@incidents.command("show")
@click.argument("incident_id")
@json_option
def show_incident(incident_id: str, *, as_json: bool) -> None:
    """Show one incident with its alerts, and the message it makes, sent or not."""
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        row, incident = known.find(tx, incident_id), known.load(tx, incident_id)
        if row is None or incident is None:
            raise PlatformError(
                f"There is no incident {incident_id!r}; `ops-platform incidents list` shows them."
            )
        told = [msgspec.structs.asdict(each) for each in alerts.of_incident(tx, incident_id)]
        record = {**_linked(row, opened.settings), "alerts": told}
        links = account_links(opened.settings, incident.account)
        mention = OwnerFinder(opened.settings.slack).mention(incident.owner)
    message = render(Story(incident, links, mention), now())
    shown = {"text": message.text, "blocks": message.blocks} if as_json else message.text
    show_record({**record, "message": shown}, as_json=as_json)


def _linked(row: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    links = account_links(settings, row["account"])
    return {
        **row,
        "log_url": links.log(row["log_stream"]) if row["log_stream"] else None,
        "execution_url": links.execution(row["execution_arn"]),
        "run_url": links.run(row["flow"], row["run_id"]),
    }
