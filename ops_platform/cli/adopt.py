"""``soteria adopt``: take over state machines that people deployed by hand before us."""

from typing import Any

import click

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.deployed_machines import AwsDeployedMachines
from ops_platform.adapters.ledger import deployments
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.cli.by_hand import who_option, why_option
from ops_platform.cli.ledger import Opened, open_ledger
from ops_platform.cli.output import json_option, show_rows
from ops_platform.cli.progress import Progress
from ops_platform.domain.deployed_machines import DeployedMachines
from ops_platform.domain.deployments import judge_drift
from ops_platform.domain.identity import parse_machine_name, rule_name
from ops_platform.domain.promotions import Kind, Request, Status, request_id
from ops_platform.operations.adopt_flow import Adoption
from ops_platform.operations.policy import alert_policy
from ops_platform.operations.promotion_tools import promoter_account
from ops_platform.settings.accounts import Account
from ops_platform.settings.model import Settings

_COLUMNS = ("machine", "status", "message")


@click.command(short_help="Take over state machines that were deployed by hand.")
@click.argument("machine", required=False)
@click.option("--all", "every", is_flag=True, help="All that Metaflow deployed and we did not.")
@click.option("--account", help="The account; by default the one whose stage is production.")
@click.option("--owner", help="Whom alerts mention; by default whom the deployment names.")
@click.option("--dry-run", is_flag=True, help="Tell what would be adopted, and record nothing.")
@why_option()
@who_option
@json_option
def adopt(
    *,
    machine: str | None,
    every: bool,
    account: str | None,
    owner: str | None,
    dry_run: bool,
    who: str,
    why: str,
    as_json: bool,
) -> None:
    """Take over the state machine MACHINE as it runs, or all of them.

    Its definition, schedule, owner and production token become the deployment that drift is
    measured from and that can be rolled back to. Production itself is not touched, but for a
    version that is published of what runs.

    Exit code: 0 done, 1 one of them was refused or failed, 2 it could not be tried.
    """
    if every == bool(machine):
        raise click.UsageError("Give either the name of a state machine or --all.")
    with open_ledger(calls_aws=True) as opened:
        chosen = _account(opened.settings, account)
        production = AwsDeployedMachines(
            AccountClients(_promoter(opened.settings, chosen)),
            region=chosen.region,
            aws_account_id=chosen.aws_account_id,
        )
        names = [machine] if machine else _unadopted(opened, production, chosen)
        asked = {"actor": who, "reason": why, "owner": owner, "account": chosen.name}
        rows = (
            [{"machine": name, "status": "would be adopted", "message": ""} for name in names]
            if dry_run
            else _adopted(opened, production, names, asked)
        )
    show_rows(rows, columns=_COLUMNS, none="Nothing to adopt.", as_json=as_json)
    if any(row["status"] in {Status.REFUSED, Status.FAILED} for row in rows):
        click.get_current_context().exit(1)


def _account(settings: Settings, named: str | None) -> Account:
    return settings.account(named) if named else settings.of_stage("production")


def _promoter(settings: Settings, chosen: Account) -> Account:
    """Return the account as it is reached by what publishes versions in it."""
    is_target = settings.has_production and settings.of_stage("production").name == chosen.name
    return promoter_account(settings) if is_target else chosen


def _unadopted(opened: Opened, production: DeployedMachines, account: Account) -> list[str]:
    found = []
    with Progress("state machines") as progress:
        for count, name in enumerate(production.names()):
            progress.show(count)
            with opened.ledger.transaction() as tx:
                last = deployments.latest(tx, account.name, name)
            machine = production.machine(name)
            if machine is None or '"metaflow.flow_name"' not in machine.definition:
                continue
            drift = judge_drift(last, machine, production.rule(rule_name(name)))
            if drift.reason == "unadopted":
                found.append(name)
    return found


def _adopted(
    opened: Opened, production: DeployedMachines, names: list[str], asked: dict[str, Any]
) -> list[dict[str, Any]]:
    adoption = Adoption(
        ledger=opened.ledger,
        production=production,
        alerts=alert_policy(opened.settings),
        clock=opened.ledger.now,
    )
    rows = []
    with Progress("adopted") as progress:
        for count, name in enumerate(names):
            progress.show(count)
            request = _request(name, opened, asked)
            rows.append(_row(name, adoption.adopt(request, rule=rule_name(name))))
    return rows


def _request(machine: str, opened: Opened, asked: dict[str, Any]) -> Request:
    now = opened.ledger.now()
    return Request(
        id=request_id(Kind.ADOPT, asked["account"], machine, now),
        kind=Kind.ADOPT,
        machine=machine,
        project=parse_machine_name(machine).project,
        requested_at=now,
        **asked,
    )


def _row(machine: str, recorded: Recorded) -> dict[str, Any]:
    last = recorded.entries[-1]
    return {
        "machine": machine,
        "status": recorded.status,
        "message": last.message,
        "promotion": recorded.request.id,
    }
