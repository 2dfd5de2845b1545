"""``ops-platform deployments``: what runs in production, from which commit, since when."""

from dataclasses import asdict
from typing import Any

import click
import msgspec

from ops_platform.adapters.ledger import deployments as record
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_rows
from ops_platform.domain.deployments import Deployment

_COLUMNS = (
    "id", "account", "machine", "commit", "kind", "deployed_at", "deployed_by", "owner", "drift",
)  # fmt: skip
_HISTORY = (
    "id", "commit", "kind", "deployed_at", "deployed_by", "promotion_id", "replaced", "version_arn",
)  # fmt: skip


@click.group()
def deployments() -> None:
    """List what was deployed to production."""


@deployments.command("list")
@click.option("--account", help="Only this account, by its name in the settings.")
@click.option("--machine", help="All deployments of this state machine, the last first.")
@json_option
def list_deployments(*, account: str | None, machine: str | None, as_json: bool) -> None:
    """List what runs by our record, and whether it drifted from that when last looked at.

    With --machine, list what ran before as well: what can be rolled back to.
    """
    with open_ledger() as opened, opened.ledger.transaction() as tx:
        if account is not None:
            opened.settings.account(account)
        names = [account] if account else [each.name for each in opened.settings.accounts]
        if machine is not None:
            found = [_row(each) for name in names for each in record.history(tx, name, machine)]
        else:
            found = [
                {**_row(each.deployment), "drift": each.drift, "looked_at": each.looked_at}
                for each in record.current(tx, account)
            ]
    columns = _COLUMNS if machine is None else _HISTORY
    show_rows(found, columns=columns, none="No deployments.", as_json=as_json)


def _row(deployment: Deployment) -> dict[str, Any]:
    row = msgspec.structs.asdict(deployment)
    rule = deployment.rule
    schedule = rule and {"rule": rule.name, "expression": rule.expression, "enabled": rule.enabled}
    return {**row, "rule": None if rule is None else asdict(rule), "schedule": schedule}
