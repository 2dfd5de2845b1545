"""``soteria adopt`` on an account with machines that people deployed by hand."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops_platform.adapters.accounts import AccountClients
from ops_platform.cli.group import group_of
from ops_platform.cli.soteria import PROGRAM
from ops_platform.settings.accounts import Account
from ops_platform_tests.compiled_flows import CompiledFlow
from ops_platform_tests.embedded.aws.accounts import running, staging_on_free_port

WORD = ("--by", "ana", "--reason", "before us")
ROLE = "arn:aws:iam::111111111111:role/metaflow"
SETTINGS = """
[[accounts]]
name = "production"
aws_account_id = "111111111111"
region = "us-east-1"
endpoint_url = "{url}"
event_queue_url = "{url}/events"
alerts = "observe"
"""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Give an account with two flows of Metaflow's and a machine of somebody else's."""
    made = staging_on_free_port()
    with running(made, tmp_path_factory.mktemp("aws")):
        settings = Account(
            name="production",
            aws_account_id=made.account_id,
            region=made.region,
            endpoint_url=made.endpoint_url,
        )
        client = AccountClients(settings).step_functions
        other = '{"StartAt":"a","States":{"a":{"Type":"Pass","End":true}}}'
        flows = {"shop.prod.A": CompiledFlow().text(), "B": CompiledFlow().text(), "other": other}
        for name, text in flows.items():
            client.create_state_machine(name=name, definition=text, roleArn=ROLE)
        yield settings


@pytest.fixture
def environment(account: Account, ledger_url: str, tmp_path: Path) -> dict[str, str]:
    """Give the settings, and a ledger that is empty."""
    file = tmp_path / "ops_platform.toml"
    file.write_text(SETTINGS.format(url=account.endpoint_url))
    return {"OPS_PLATFORM_CONFIG": str(file), "OPS_PLATFORM_DATABASE_URL": ledger_url}


def _soteria(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(group_of(PROGRAM), ["adopt", *arguments, *WORD], env=environment)


def _rows(done: Result) -> list[dict[str, Any]]:
    rows = json.loads(done.stdout)
    assert isinstance(rows, list)
    return rows


def test_all_flows_are_adopted_once(environment: dict[str, str]) -> None:
    """But nothing that is not Metaflow's; a second time there is nothing left."""
    dry = _rows(_soteria(environment, "--all", "--dry-run", "--json"))
    assert sorted(row["machine"] for row in dry) == ["B", "shop.prod.A"]
    done = _soteria(environment, "--all", "--json")
    assert (done.exit_code, {row["status"] for row in _rows(done)}) == (0, {"succeeded"})
    assert _soteria(environment, "--all").stdout == "Nothing to adopt.\n"


def test_one_is_adopted_by_name(environment: dict[str, str]) -> None:
    """And is refused once more, since it is as it was deployed."""
    assert "shop.prod.A is adopted as it runs." in _soteria(environment, "shop.prod.A").stdout
    again = _soteria(environment, "shop.prod.A", "--json")
    assert again.exit_code == 1
    assert "nothing to adopt" in _rows(again)[0]["message"]


def test_what_cannot_be_adopted_is_told(environment: dict[str, str]) -> None:
    """No machine of that name, or none of Metaflow's."""
    assert "There is no state machine none." in _soteria(environment, "none").stdout
    assert "was not deployed by Metaflow" in _soteria(environment, "other").stdout


@pytest.mark.parametrize("arguments", [(), ("B", "--all")])
def test_either_one_or_all(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    """Anything else is refused."""
    done = _soteria(environment, *arguments)
    assert done.exit_code == 2
    assert "Give either the name of a state machine or --all." in done.stderr
