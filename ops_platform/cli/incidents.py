"""``ops-platform incidents``: failed runs, what broke them, and whom we told."""

from typing import Unpack

import click

from ops_platform.adapters.ledger import incidents as known
from ops_platform.cli.by_hand import show_outcomes, who_option, why_option
from ops_platform.cli.filters import Narrowing, filter_options, narrowing
from ops_platform.cli.incident_record import linked, record, show_incident_record
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_json, show_rows
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.incidents import State
from ops_platform.operations.policy import alert_policy
from ops_platform.operations.resolve_incidents import resolve as resolve_incidents

_COLUMNS = (
    "id", "state", "kind", "account", "flow", "run_id", "owner", "reason", "failed_jobs",
    "collateral_jobs", "alerts_sent", "opened_at",
)  # fmt: skip


@click.group()
def incidents() -> None:
    """List, show and resolve failed runs."""


@incidents.command("list")
@filter_options(*State)
@json_option
def list_incidents(*, as_json: bool, **given: Unpack[Narrowing]) -> None:
    """List incidents, the last opened first."""
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        found = known.recent(tx, narrowing(given, opened.settings))
        rows = [linked(row, opened.settings) for row in found]
    show_rows(rows, columns=_COLUMNS, none="No incidents.", as_json=as_json)


@incidents.command("show")
@click.argument("incident_id", metavar="ID")
@json_option
def show_incident(incident_id: str, *, as_json: bool) -> None:
    """Show one incident: what broke, its alerts, and the messages it makes, sent or not."""
    with open_ledger() as opened:
        now = opened.ledger.now()
        with opened.ledger.transaction() as tx:
            row, incident = known.find(tx, incident_id), known.load(tx, incident_id)
            if row is None or incident is None:
                raise PlatformError(
                    f"There is no incident {incident_id!r}; `ops-platform incidents list` shows"
                    " them."
                )
            found = record(tx, row, incident, opened.settings, now)
    if as_json:
        show_json(found)
    else:
        show_incident_record(found)


@incidents.command("resolve")
@click.argument("incident_ids", metavar="ID...", nargs=-1, required=True)
@why_option()
@who_option
@json_option
def resolve_by_hand(incident_ids: tuple[str, ...], *, who: str, why: str, as_json: bool) -> None:
    """Resolve incidents that no later run will; their messages in Slack say so.

    A run that fails anew opens its incident again. Exit code 1 if one of them was resolved already.
    """
    with open_ledger() as opened:
        outcomes = resolve_incidents(
            opened.ledger,
            incident_ids,
            who=who,
            why=why,
            policy=alert_policy(opened.settings),
            now=opened.ledger.now(),
        )
    show_outcomes(outcomes, as_json=as_json)
