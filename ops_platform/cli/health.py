"""``ops-platform health``: does the platform do its work?"""

import sys
import time
from collections.abc import Mapping
from datetime import timedelta

import click

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.ledger import incidents
from ops_platform.adapters.sqs import SqsEventQueue
from ops_platform.cli.ledger import Opened, open_ledger
from ops_platform.cli.output import json_option, show_rows
from ops_platform.clock import now
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.health import Check, Health, State, Subject
from ops_platform.domain.incidents import State as IncidentState
from ops_platform.domain.ports import EventQueue
from ops_platform.operations.check_health import Examiner, judge

_COLUMNS = ("check", "account", "state")
_NOT_CHECKED = "not checked"
_SENSORS = Subject(Check.AUTOMATIONS)


@click.command()
@click.option(
    "--patience",
    type=click.FloatRange(0, 600),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait before looking again at what seems wrong.",
)
@json_option
def health(*, patience: float, as_json: bool) -> None:
    """Check that the platform does its work.

    Events have to come in, alerts to go out, and Step Functions to be asked for what events
    missed. What seems wrong is looked at twice. Sensors and schedules only Dagster knows: what it
    found wrong with them is shown while its incident is open. The exit code is 1 if a check fails.
    """
    with open_ledger() as opened:
        found = _look(opened, patience)
        rows = [*map(_row, found), _sensors(opened)]
    show_rows(rows, columns=_COLUMNS, none="No checks.", as_json=as_json)
    failing = [row for row in rows if row["state"] == State.FAILS]
    if not as_json:
        for row in rows:
            if row["sentence"]:
                click.echo(f"{row['check']}: {row['sentence']}", err=True)
    sys.exit(1 if failing else 0)


def _look(opened: Opened, patience: float) -> list[Health]:
    """Look once, and again at what seems wrong: a message may have come just now."""
    clients = {each.name: AccountClients(each) for each in opened.settings.accounts}

    def queue(account: str) -> EventQueue:
        url = opened.settings.account(account).event_queue_url
        if url is None:
            raise PlatformError("Its address is not known; is `ops-platform embedded up` running?")
        return SqsEventQueue(clients[account].sqs, url)

    examiner, began = Examiner(opened.ledger, opened.settings, queue), now()
    found = examiner.examine(None, now=began)
    since = {subject: began for subject, findings in found.items() if findings}
    if since:
        time.sleep(patience)
        found = examiner.examine(None, now=now())
    return judge(found, since, now=now(), limit=timedelta(0))


def _row(health: Health) -> dict[str, object]:
    return {
        "check": health.subject.check,
        "account": health.subject.account,
        "state": health.state,
        "found": [finding.what for finding in health.findings],
        "sentence": health.sentence,
    }


def _sensors(opened: Opened) -> Mapping[str, object]:
    """Return what Dagster found wrong with its sensors and schedules when it last looked."""
    with opened.ledger.transaction() as tx:
        known = incidents.load(tx, _SENSORS.incident_id)
    is_open = known is not None and known.state is IncidentState.OPEN
    return {
        "check": _SENSORS.check,
        "account": None,
        "state": State.FAILS if is_open else _NOT_CHECKED,
        "found": [],
        "sentence": known.error if known is not None and is_open else "Dagster shows it.",
    }
