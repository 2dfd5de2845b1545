"""``ops-platform health``: what seems wrong is looked at twice, and the exit code tells."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ops_platform.adapters.ledger import incidents
from ops_platform.clock import now
from ops_platform.domain.health import Check, Finding, Health, State, Subject, What, incident_of
from ops_platform_tests.adapters.canned_aws import Answer, Request, canned_aws
from ops_platform_tests.build import ACCOUNT_ID, REGION
from ops_platform_tests.cli.command_line import Platform
from ops_platform_tests.ledger_world import open_ledger

Aws = Callable[[Request], Answer]


def queue_with(*counts: int) -> Aws:
    """Answer as SQS, each time with the next number of waiting messages, the last one for ever."""
    left = list(counts)

    def answer(_: Request) -> Answer:
        count = left.pop(0) if len(left) > 1 else left[0]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return Answer.of({"Attributes": dict(zip(names, (str(count), "0"), strict=True))})

    return answer


@pytest.fixture
def called(ledger_url: str, tmp_path: Path) -> Callable[..., tuple[int, Any, str]]:
    """Give a way to call it for one account: exit code, what it printed, and what of errors."""

    def call(aws: Aws, *options: str) -> tuple[int, Any, str]:
        with canned_aws(aws) as served:
            file = tmp_path / "ops_platform.toml"
            file.write_text(f"""
[accounts.production]
aws_account_id = "{ACCOUNT_ID}"
region = "{REGION}"
endpoint_url = "{served.url}"
event_queue_url = "{served.url}/{ACCOUNT_ID}/events"
alerts = "observe"
""")
            environ = {"OPS_PLATFORM_CONFIG": str(file), "OPS_PLATFORM_DATABASE_URL": ledger_url}
            done = Platform(environ).run("health", "--patience", "0", *options)
        return done.exit_code, done.stdout, done.stderr

    return call


def states(printed: str) -> dict[str, str]:
    """Return the state of each check that JSON tells."""
    return {row["check"]: row["state"] for row in json.loads(printed)}


def test_while_all_is_well_the_exit_code_is_zero(
    called: Callable[..., tuple[int, str, str]],
) -> None:
    """And it says that Dagster's ticks are for Dagster to tell."""
    code, printed, errors = called(queue_with(0))
    assert (code, errors) == (0, "automations: Dagster shows it.\n")
    assert [line.split() for line in printed.splitlines()] == [
        ["CHECK", "ACCOUNT", "STATE"],
        ["ingest", "production", "passes"],
        ["reconciliation", "production", "passes"],
        ["delivery", "production", "passes"],
        ["cleanup", "production", "passes"],
        ["parsing", "-", "passes"],
        ["automations", "-", "not", "checked"],
    ]


def test_what_is_wrong_twice_fails(called: Callable[..., tuple[int, str, str]]) -> None:
    """The sentence says how much, and what to do."""
    code, printed, errors = called(queue_with(7))
    assert code == 1
    assert ["ingest", "production", "fails"] in [line.split() for line in printed.splitlines()]
    assert "ingest: 7 messages wait in the queue of production" in errors


def test_what_is_over_when_one_looks_again_is_well(
    called: Callable[..., tuple[int, str, str]],
) -> None:
    """A message that came just before is no backlog."""
    code, printed, _ = called(queue_with(1, 0), "--json")
    assert (code, states(printed)["ingest"]) == (0, "passes")


def test_a_queue_that_cannot_be_read_fails(called: Callable[..., tuple[int, str, str]]) -> None:
    """With AWS's reason; the other checks are made all the same."""
    code, printed, _ = called(lambda _: Answer.error("AccessDenied", status=403), "--json")
    row = json.loads(printed)[0]
    assert (code, row["found"]) == (1, ["queue cannot be read"])
    assert "AccessDenied" in row["sentence"]
    assert states(printed)["delivery"] == "passes"


def test_what_dagster_found_is_told_while_its_incident_is_open(
    called: Callable[..., tuple[int, str, str]], ledger_url: str
) -> None:
    """So the command line knows of a dead sensor, too."""
    finding = Finding(What.SILENT, "The sensor x has not ticked.", "x")
    failed = Health(Subject(Check.AUTOMATIONS), State.FAILS, (finding,), now() - timedelta(hours=1))
    incident = incident_of(failed, account="production", now=now())
    with open_ledger(ledger_url) as ledger:
        with ledger.transaction() as tx:
            incidents.save(tx, incident)
        code, printed, errors = called(queue_with(0))
        assert (code, "automations: The sensor x has not ticked." in errors) == (1, True)
        with ledger.transaction() as tx:
            incidents.resolve(tx, incident.id, by="the check passes again", now=now())
    code, printed, _ = called(queue_with(0), "--json")
    assert (code, states(printed)["automations"]) == (0, "not checked")
    assert msgspec.json.decode(printed)[-1]["sentence"] == "Dagster shows it."
