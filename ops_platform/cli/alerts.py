"""``ops-platform alerts``: the outbox, what it would say, and another try of what failed."""

from datetime import datetime
from typing import Any, Unpack

import click
import msgspec

from ops_platform.adapters.ledger import alerts as known
from ops_platform.adapters.ledger import incidents, outbox_lists
from ops_platform.adapters.ledger.alerts import Alert
from ops_platform.cli.alert_words import for_people, next_in_words, told_in_words
from ops_platform.cli.by_hand import show_outcomes, who_option, why_option
from ops_platform.cli.filters import Narrowing, filter_options, narrowing
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_json, show_record, show_rows
from ops_platform.cli.previews import previews, show_previews
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import State
from ops_platform.operations.compose_alert import incident_of
from ops_platform.operations.policy import alert_policy
from ops_platform.operations.retry_alerts import retry as retry_alerts
from ops_platform.operations.retry_alerts import unsent_of

_COLUMNS = (
    "id", "state", "account", "flow", "run_id", "channel", "part", "why", "reason", "due_at",
    "sent_at",
)  # fmt: skip
_SUBJECT = ("account", "flow", "run_id", "kind", "state", "opened_at", "resolved_at", "resolved_by")


@click.group()
def alerts() -> None:
    """List, preview and retry messages to Slack."""


@alerts.command("list")
@filter_options(*State)
@json_option
def list_alerts(*, as_json: bool, **given: Unpack[Narrowing]) -> None:
    """List messages, the last touched first; an edit that is due is pending again."""
    _list(given, none="No alerts.", as_json=as_json)


@alerts.command("dead")
@filter_options()
@json_option
def list_dead(*, as_json: bool, **given: Unpack[Narrowing]) -> None:
    """List messages that nothing will deliver, and why."""
    _list({**given, "status": State.DEAD}, none="No alert is dead.", as_json=as_json)


@alerts.command()
@click.argument("alert_id", metavar="ID", type=int)
@json_option
def show(alert_id: int, *, as_json: bool) -> None:
    """Show one message: its incident, what Slack was told, and what is next."""
    with open_ledger() as opened:
        now = opened.ledger.now()
        with opened.ledger.transaction() as tx:
            alert = known.load(tx, alert_id)
            if alert is None:
                raise PlatformError(
                    f"There is no alert {alert_id}; `ops-platform alerts list` shows them."
                )
            incident = incident_of(tx, alert)
    words = {"slack": told_in_words(alert), "next": next_in_words(alert, now)}
    show_record(_record(alert, incident, as_json=as_json) | words, as_json=as_json)


@alerts.command()
@click.argument("incident_id", metavar="INCIDENT")
@json_option
def preview(incident_id: str, *, as_json: bool) -> None:
    """Show the messages of an incident as they would be sent; sends nothing.

    In each channel the message comes first, then what its thread has. Owners who are found by
    e-mail address are not looked up, so the default is mentioned in their place.
    """
    with open_ledger() as opened:
        now = opened.ledger.now()
        with opened.ledger.transaction() as tx:
            incident = incidents.load(tx, incident_id)
            if incident is None:
                raise PlatformError(
                    f"There is no incident {incident_id!r}; `ops-platform incidents list` shows"
                    " them."
                )
            found = previews(tx, incident, opened.settings, now)
    if as_json:
        show_json(found)
    else:
        show_previews(found)


@alerts.command()
@click.argument("alert_ids", metavar="[ID]...", type=int, nargs=-1)
@click.option(
    "--incident", "incident_ids", metavar="INCIDENT", multiple=True, help="All messages of it."
)
@why_option(required=False)
@who_option
@json_option
def retry(
    alert_ids: tuple[int, ...],
    *,
    incident_ids: tuple[str, ...],
    who: str,
    why: str | None,
    as_json: bool,
) -> None:
    """Send messages now that are dead, wait for another attempt, or were withheld.

    Exit code 1 if one of them stays as it is.
    """
    with open_ledger() as opened:
        outcomes = retry_alerts(
            opened.ledger,
            [*alert_ids, *unsent_of(opened.ledger, incident_ids)],
            who=who,
            why=why,
            policy=alert_policy(opened.settings),
            now=opened.ledger.now(),
        )
    show_outcomes(outcomes, as_json=as_json)


def _list(given: Narrowing, *, none: str, as_json: bool) -> None:
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        rows = outbox_lists.recent(tx, narrowing(given, opened.settings))
    shown = rows if as_json else [for_people(row) for row in rows]
    show_rows(shown, columns=_COLUMNS, none=none, as_json=as_json)


def _record(alert: Alert, incident: Incident, *, as_json: bool) -> dict[str, Any]:
    subject = {name: getattr(incident, name) for name in _SUBJECT}
    if as_json:
        whole: dict[str, Any] = msgspec.to_builtins(alert, builtin_types=(datetime,))
        return whole | {"incident": subject}
    row = for_people(msgspec.structs.asdict(alert))
    shown = {name: row[name] for name in row if row[name] and name not in {"told", "telling"}}
    return shown | {f"incident_{name}": value for name, value in subject.items() if value}
