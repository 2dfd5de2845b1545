"""``ops-platform reconcile``: the accounts are asked, and each tells what it came to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops_platform_tests.adapters.canned_aws import Answer, Request, canned_aws
from ops_platform_tests.adapters.metaflow_definition import metaflow_definition
from ops_platform_tests.build import ACCOUNT_ID, EXECUTION_ARN, MACHINE_ARN, NOON, REGION
from ops_platform_tests.cli.command_line import Platform

_NOON = NOON.timestamp()
_HEADINGS = ("MACHINES", "READ", "FILLED", "UNFINISHED", "SCHEDULED", "MISSED", "RESOLVED")
_RULE = f"arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/odd"


def _account(name: str, number: str, url: str) -> str:
    return f"""
[accounts.{name}]
aws_account_id = "{number}"
region = "{REGION}"
endpoint_url = "{url}"
event_queue_url = "{url}/{number}/events"
alerts = "observe"
"""


@pytest.fixture
def platform(database_url: str, tmp_path: Path) -> Callable[..., Platform]:
    """Give the command line on accounts at these addresses."""

    def on(*urls: str) -> Platform:
        numbers = (ACCOUNT_ID, "111111111111")
        names = ("production", "staging")
        given = zip(names, numbers, urls, strict=False)
        file = tmp_path / "ops_platform.toml"
        file.write_text("".join(_account(*each) for each in given))
        return Platform(
            {"OPS_PLATFORM_CONFIG": str(file), "OPS_PLATFORM_DATABASE_URL": database_url}
        )

    return on


def _one_failure(request: Request) -> Answer:
    """Answer as an account with one flow, of which a run failed, and with an odd schedule."""
    action = request.headers["X-Amz-Target"].rpartition(".")[2]
    execution = {
        "executionArn": EXECUTION_ARN,
        "stateMachineArn": MACHINE_ARN,
        "name": EXECUTION_ARN.rpartition(":")[2],
        "status": "FAILED",
        "startDate": _NOON,
        "stopDate": _NOON + 4_000_000_000,  # whenever one looks, it has just ended
    }
    machine = {"stateMachineArn": MACHINE_ARN, "name": "m", "creationDate": _NOON}
    definition = json.dumps(metaflow_definition(flow="TrainFlow", owner="ana"))
    failed = request.fields.get("statusFilter") == "FAILED"
    answers: dict[str, dict[str, Any]] = {
        "ListStateMachines": {"stateMachines": [machine | {"type": "STANDARD"}]},
        "DescribeStateMachine": {"stateMachineArn": MACHINE_ARN, "definition": definition},
        "ListExecutions": {"executions": [execution] if failed else []},
        "DescribeExecution": execution | {"input": "{}"},
        "ListRuleNamesByTarget": {"RuleNames": ["odd"]},
        "DescribeRule": {"Arn": _RULE, "ScheduleExpression": "at(noon)", "State": "ENABLED"},
    }
    return Answer.of(answers[action])


def test_what_was_missed_is_filled(platform: Callable[..., Platform]) -> None:
    """As an array with one object for each account; the second time nothing is missing."""
    with canned_aws(_one_failure) as aws:
        called = platform(aws.url)
        first, again = (called.run("reconcile", "--json") for _ in range(2))
        assert first.exit_code == 0
        assert first.stderr.startswith("Warning: production: Nobody can tell when ")
        assert again.stderr == ""
        assert json.loads(first.stdout) == [
            {
                "account": "production",
                "machines": 1,
                "read": 1,
                "filled": 1,
                "unfinished": 0,
                "scheduled": 1,
                "missed": 0,
                "resolved": 0,
                "unreadable": [first.stderr.removeprefix("Warning: production: ").strip()],
                "trouble": [],
            }
        ]
        assert json.loads(again.stdout)[0]["filled"] == 0
        (incident,) = called.rows("incidents")
        assert (incident["flow"], incident["owner"]) == ("TrainFlow", None)


def test_an_account_that_cannot_be_read_does_not_hide_the_others(
    platform: Callable[..., Platform],
) -> None:
    """It is named with what to do, and the exit code tells programs."""
    with (
        canned_aws(lambda _: Answer.error("AccessDeniedException")) as broken,
        canned_aws(_one_failure) as sound,
    ):
        done = platform(broken.url, sound.url).run("reconcile")

    assert done.exit_code == 1
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["ACCOUNT", *_HEADINGS],
        ["production", "0", "0", "0", "0", "0", "0", "0"],
        ["staging", "1", "1", "1", "0", "1", "0", "0"],
    ]
    assert done.stderr.startswith("Error: production: Could not list the state machines: ")
    assert "policy of the platform's role" in done.stderr


def test_one_account_can_be_asked_alone(platform: Callable[..., Platform]) -> None:
    """The others are not called."""
    with canned_aws(_one_failure) as sound, canned_aws(_one_failure) as other:
        done = platform(sound.url, other.url).run("reconcile", "--account", "production", "--json")

        assert [each["account"] for each in json.loads(done.stdout)] == ["production"]
        assert other.requests == []


def test_an_account_that_is_not_in_the_settings_is_an_error(
    platform: Callable[..., Platform],
) -> None:
    """The text names those that there are."""
    done = platform("http://127.0.0.1:1/").run("reconcile", "--account", "nothing")

    assert done.exit_code == 2
    assert "There is no account 'nothing'; known are: production" in done.stderr
