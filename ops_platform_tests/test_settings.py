"""Settings: what is read, what is refused, and with which words."""

import json
from pathlib import Path

import pytest

from ops_platform.settings.load import load
from ops_platform.settings.model import Settings
from ops_platform.settings.problems import SettingsError

ACCOUNT = """
[[accounts]]
name = "staging"
aws_account_id = "111122223333"
region = "eu-central-1"
event_queue_url = "https://sqs.eu-central-1.amazonaws.com/111122223333/events"
alerts = "observe"
"""


def _load(folder: Path, text: str, **environ: str) -> Settings:
    (folder / "ops_platform.toml").write_text(text)
    return load(environ, cwd=folder)


def _problems(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        _load(folder, text, **environ)
    prefix = f"{folder / 'ops_platform.toml'}: "
    lines = str(caught.value).splitlines()
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    """Everything but the account has a default."""
    settings = _load(tmp_path, ACCOUNT)

    assert settings.edition == "aws"
    assert [account.name for account in settings.accounts] == ["staging"]
    assert settings.timing.settle_seconds == 60
    assert settings.slack.base_url == "https://slack.com/api/"


def test_accounts_may_be_tables_by_name(tmp_path: Path) -> None:
    """The table's name is the account's."""
    text = ACCOUNT.replace("[[accounts]]", "[accounts.staging]").replace('name = "staging"', "")

    assert _load(tmp_path, text).accounts == _load(tmp_path, ACCOUNT).accounts


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    """From any folder; a relative path starts at the current one."""
    (tmp_path / "elsewhere.toml").write_text(ACCOUNT)

    settings = load({"OPS_PLATFORM_CONFIG": "elsewhere.toml"}, cwd=tmp_path)

    assert settings.file == tmp_path / "elsewhere.toml"


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    """A slip in the variable does not quietly start the embedded edition."""
    with pytest.raises(SettingsError, match=r"gone\.toml: cannot be read .*OPS_PLATFORM_CONFIG"):
        load({"OPS_PLATFORM_CONFIG": "gone.toml"}, cwd=tmp_path)


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    """Values, missing and unknown keys, and rules between keys, in one go."""
    problems = _problems(
        tmp_path,
        """
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
        """,
    )

    assert problems == [
        (
            "accounts[0].aws_account_id: 111122223333 is not allowed;"
            ' give twelve digits in quotes, such as "123456789012"'
        ),
        "accounts[0].region: missing; give an AWS region, such as eu-central-1",
        "accounts[0].regoin: unknown key; did you mean region?",
        'accounts[1].region: "eu" is not allowed; give an AWS region, such as eu-central-1',
        'accounts[1].alerts: "loud" is not allowed; give "send" or "observe"',
        'slack.default_mention: "ana" is not allowed; give a Slack user\'s id, such as U0123ABCD',
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
        pytest.param("accounts = []", "accounts: an array is not allowed; give an", id="none"),
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
            "slack.owners.ana: a table is not allowed; give a Slack user's id or an e-mail",
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
    found = [line for line in _problems(tmp_path, text) if line.startswith(problem)]

    assert len(found) == 1


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """With a sentence, not with a traceback."""
    (tmp_path / "ops_platform.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        load({}, cwd=tmp_path)


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
    assert "hunter2" not in "\n".join(_problems(tmp_path, f"{ACCOUNT}\n{text}"))


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """A log line with the settings in it gives nothing away."""
    settings = _load(
        tmp_path,
        ACCOUNT,
        SLACK_BOT_TOKEN="xoxb-hunter2",
        OPS_PLATFORM_DATABASE_URL="postgresql://me:hunter2@host/x",
    )

    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_secrets_come_from_the_variables_that_are_named(tmp_path: Path) -> None:
    """The environment wins over the file."""
    text = f"""{ACCOUNT}
        [slack]
        token_env = "OUR_TOKEN"
        [database]
        url_env = "OUR_DATABASE"
        url = "postgresql://file/x"
        """

    settings = _load(tmp_path, text, OUR_TOKEN="xoxb-1", OUR_DATABASE="postgresql://environment/x")

    assert settings.slack.token is not None
    assert settings.slack.token.get_secret_value() == "xoxb-1"
    assert settings.require_database_url() == "postgresql://environment/x"


def test_a_wrong_url_in_the_environment_is_refused_too(tmp_path: Path) -> None:
    """It is held to the same rule as one in the file."""
    problems = _problems(tmp_path, ACCOUNT, OPS_PLATFORM_DATABASE_URL="hunter2")

    assert problems[0].startswith("database.url: its value (hidden) is not allowed; give")


def test_a_command_without_its_database_says_so(tmp_path: Path) -> None:
    """Rather than showing an empty platform."""
    settings = _load(tmp_path, ACCOUNT)

    with pytest.raises(SettingsError, match="set the environment variable OPS_PLATFORM_DATABASE"):
        settings.require_database_url()


def test_an_unknown_account_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """The user can pick from the sentence."""
    with pytest.raises(SettingsError, match="there is no 'prod'; known are: staging"):
        _load(tmp_path, ACCOUNT).account("prod")


def test_an_account_without_a_channel_uses_the_default(tmp_path: Path) -> None:
    """An own channel comes first."""
    both = ACCOUNT.replace("observe", "send") + '[slack]\ndefault_channel = "#all"'
    own = both.replace("alerts =", 'slack_channel = "#own"\nalerts =')

    assert _load(tmp_path, both).channel("staging") == "#all"
    assert _load(tmp_path, own).channel("staging") == "#own"


def test_without_a_file_it_is_the_embedded_edition(tmp_path: Path) -> None:
    """Both accounts are there before it was ever started, and lead nowhere."""
    settings = load({"SLACK_BOT_TOKEN": "xoxb-real"}, cwd=tmp_path)

    assert settings.edition == "embedded"
    assert settings.state_dir == tmp_path / ".ops-platform"
    assert [(a.name, a.aws_account_id, a.event_queue_url) for a in settings.accounts] == [
        ("staging", "111111111111", None),
        ("production", "222222222222", None),
    ]
    assert {a.endpoint_url for a in settings.accounts} == {"http://127.0.0.1:1/"}
    assert settings.timing.settle_seconds == 20
    assert settings.channel("production") == "#alerts-production"


def test_the_embedded_slack_never_sees_a_real_token(tmp_path: Path) -> None:
    """Whatever the developer's shell holds."""
    settings = load({"SLACK_BOT_TOKEN": "xoxb-real"}, cwd=tmp_path)

    assert settings.slack.token is not None
    assert settings.slack.token.get_secret_value() == "xoxb-embedded"
    assert settings.slack.base_url.startswith("http://127.0.0.1")


def test_the_embedded_edition_is_found_through_its_state_folder(tmp_path: Path) -> None:
    """Its addresses change with each start."""
    addresses = {
        "accounts": {
            "staging": {
                "aws_account_id": "111111111111",
                "endpoint_url": "http://127.0.0.1:5001",
                "event_queue_url": "http://127.0.0.1:5001/111111111111/events",
            }
        },
        "slack_url": "http://127.0.0.1:5003/api/",
        "dagster_url": "http://127.0.0.1:3000",
    }
    (tmp_path / "state").mkdir()
    (tmp_path / "state/embedded.json").write_text(json.dumps(addresses))

    settings = load({"OPS_STATE_DIR": "state"}, cwd=tmp_path)

    assert settings.account("staging").endpoint_url == "http://127.0.0.1:5001"
    assert settings.slack.base_url == "http://127.0.0.1:5003/api/"
    assert settings.dagster.url == "http://127.0.0.1:3000"


@pytest.mark.parametrize("text", ["{", "[]", '{"accounts": []}', "\ud800"])
def test_a_broken_state_folder_says_what_to_do(tmp_path: Path, text: str) -> None:
    """The file can be made again at any time."""
    (tmp_path / "embedded.json").write_bytes(text.encode(errors="surrogatepass"))

    with pytest.raises(SettingsError, match=r"delete it and start `ops-platform embedded up`"):
        load({"OPS_STATE_DIR": str(tmp_path)}, cwd=tmp_path)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    """They are shared by threads."""
    settings = _load(tmp_path, ACCOUNT)

    with pytest.raises(ValueError, match="frozen"):
        settings.timing.settle_seconds = 1


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
