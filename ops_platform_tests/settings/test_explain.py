"""What is refused, and with which words."""

from pathlib import Path

import pytest

from ops_platform.settings.load import load
from ops_platform.settings.problems import SettingsError
from ops_platform_tests.settings.files import ACCOUNT, problems_of

BROKEN = """
[[accounts]]
name = "staging"
aws_account_id = 111122223333
regoin = "eu-central-1"
profile = "watcher"
endpoint_url = "http://127.0.0.1:5000"
event_queue_url = "https://queue"
alerts = "send"
[[accounts]]
name = "staging"
aws_account_id = "111122223333"
region = "eu"
alerts = "loud"
external_id = "x"
[slack]
token = "xoxb-1"
default_mention = "ana"
[timing]
settle_seconds = "60"
ingest_budget_seconds = 55
"""


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    """Values, missing and unknown keys, and rules between keys, in one go."""
    problems = problems_of(tmp_path, BROKEN)

    assert problems == [
        (
            "accounts[0].aws_account_id: 111122223333 is not allowed;"
            ' give twelve digits in quotes, such as "123456789012"'
        ),
        "accounts[0].region: missing; give an AWS region, such as eu-central-1",
        "accounts[0].regoin: unknown key; did you mean region?",
        'accounts[1].region: "eu" is not allowed; give an AWS region, such as eu-central-1',
        'accounts[1].alerts: "loud" is not allowed; give "send" or "observe"',
        (
            'slack.default_mention: "ana" is not allowed;'
            " give the id of a Slack user or user group, such as U0123ABCD"
        ),
        'timing.settle_seconds: "60" is not allowed; give a whole number from 0 to 3600',
        "timing.ingest_budget_seconds: 55 is not allowed; give a whole number from 1 to 50",
        'accounts[0].name: "staging" stands for several accounts; give each its own',
        'accounts[1].name: "staging" stands for several accounts; give each its own',
        "accounts[0].endpoint_url: profile is set too; give one of role_arn, profile, endpoint_url",
        "accounts[1].external_id: it goes with a role; give role_arn too",
        "accounts[1].event_queue_url: missing; give the address of the SQS queue of events",
        (
            "accounts[0].slack_channel: missing; give a channel here or in slack.default_channel,"
            ' or set alerts = "observe"'
        ),
        (
            "slack.token: a token does not belong in a file;"
            " token_env names the variable that holds it"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "accounts: missing; give an [[accounts]] table for", id="empty"),
        pytest.param("accounts = []", "accounts: an empty array is not allowed; give", id="none"),
        pytest.param("accounts = 3", "accounts: 3 is not allowed; give an [[acc", id="number"),
        pytest.param("accounts = [3]", "accounts[0]: a single value is not allowed", id="item"),
        pytest.param(
            '[accounts]\nregion = "x"', "accounts.region: a single value is not", id="one table"
        ),
        pytest.param(
            ACCOUNT.replace("[[accounts]]", "[accounts.staging]"),
            "accounts.staging.name: the table has the name already; leave it out",
            id="named twice",
        ),
        pytest.param(
            ACCOUNT.replace("[[accounts]]", "[accounts.Staging]").replace("name =", "#"),
            'accounts.Staging.name: "Staging" is not allowed; give a lower-case letter',
            id="bad table name",
        ),
        pytest.param(
            f"{ACCOUNT}\n[slack]\nowners = {{ ana = 'ana@x' }}",
            'slack.owners.ana: "ana@x" is not allowed; give an e-mail address',
            id="owner as text",
        ),
        pytest.param(
            f"{ACCOUNT}\n[slack.owners.ana]\nslak_user = 'U0123'",
            "slack.owners.ana.slak_user: unknown key; did you mean slack_user?",
            id="owner as table",
        ),
        pytest.param(
            f"{ACCOUNT}\n[slack.owners]\nana = {{}}",
            "slack.owners.ana: a table is not allowed; give the id of a Slack user or user",
            id="owner without address",
        ),
        pytest.param(
            f"{ACCOUNT}\n[tming]\nx = 1", "tming: unknown key; did you mean timing?", id="table"
        ),
        pytest.param(
            f"{ACCOUNT}\n[timing]\nsettle_seconds = true",
            "timing.settle_seconds: true is not allowed; give a whole number",
            id="bool for number",
        ),
        pytest.param(
            f"{ACCOUNT}\n[dagster]\nurl = 'https://me:secret@dagster'",
            "dagster.url: ",
            id="password in an address",
        ),
        pytest.param("[[accounts]", "is not TOML: ", id="syntax"),
    ],
)
def test_a_problem_names_the_key_and_what_is_allowed(
    tmp_path: Path, text: str, problem: str
) -> None:
    """In the words the user wrote the file with."""
    found = [line for line in problems_of(tmp_path, text) if line.startswith(problem)]

    assert len(found) == 1


@pytest.mark.parametrize(
    "text",
    [
        '[database]\nurl = "mysql://me:hunter2@host/x"',
        'database = "postgresql://me:hunter2@host/x"',
        '[slack]\ntoken = "hunter2"',
        '[slack]\ntokn = "hunter2"',
        '[database.url]\nx = "hunter2"',
    ],
)
def test_an_error_shows_no_secret(tmp_path: Path, text: str) -> None:
    """Neither from its own key nor from a wrong one beside it."""
    assert "hunter2" not in "\n".join(problems_of(tmp_path, f"{ACCOUNT}\n{text}"))


def test_a_wrong_url_in_the_environment_is_refused_too(tmp_path: Path) -> None:
    """It is held to the same rule as one in the file."""
    problems = problems_of(tmp_path, ACCOUNT, OPS_PLATFORM_DATABASE_URL="hunter2")

    assert problems[0].startswith("database.url: its value (hidden) is not allowed; give")


def test_names_that_dagster_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    """The sensors of both accounts would have one name."""
    text = "".join(
        f'[[accounts]]\nname = "{name}"\naws_account_id = "{number * 12}"\nregion = "eu-west-1"\n'
        'event_queue_url = "https://sqs/q"\nalerts = "observe"\n'
        for name, number in (("ml-staging", "1"), ("ml_staging", "2"))
    )
    (tmp_path / "ops_platform.toml").write_text(text)

    with pytest.raises(SettingsError, match=r"differs from .* only by - and _"):
        load({}, cwd=tmp_path)
