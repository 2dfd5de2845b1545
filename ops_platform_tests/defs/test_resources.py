"""What the sensors are given."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import dagster as dg
import pytest
from moto.server import ThreadedMotoServer

from ops_platform.adapters.sqs import SqsEventQueue
from ops_platform.defs.resources import Accounts, Slack, resources
from ops_platform.domain.errors import PlatformError
from ops_platform.settings.load import load
from ops_platform.settings.problems import SettingsError
from ops_platform_tests.defs.dagster_world import SETTINGS, settings_in

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@pytest.fixture
def slack(tmp_path: Path) -> Slack:
    """Give the resource as the settings make it."""
    made = resources(settings_in(tmp_path))["slack"]
    assert isinstance(made, Slack)
    return made


def test_slack_is_asked_once_at_the_address_of_the_settings(
    slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No handler of the client's own may post a second time."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    with dg.build_resources({"slack": slack}) as built:
        client = built.slack.get_client()
    assert client.base_url == "http://127.0.0.1:1/"
    assert (client.retry_handlers, client.timeout) == ([], 10)
    assert client.token == "xoxb-secret"


def test_the_token_is_read_from_the_environment_and_never_shown(
    slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster's pages and logs get the name of the variable."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    assert "xoxb-secret" not in repr(slack)
    schema = slack.get_resource_definition().config_schema
    assert "xoxb-secret" not in repr(schema.default_value)
    assert "SLACK_BOT_TOKEN" in repr(schema.default_value)


def test_a_missing_token_is_named(slack: Slack) -> None:
    """Who forgot it is told which variable to set."""
    with (
        pytest.raises(dg.DagsterInvalidConfigError) as refused,
        dg.build_resources({"slack": slack}),
    ):
        pass
    assert "SLACK_BOT_TOKEN" in str(refused.value)


def test_each_account_has_its_queue(tmp_path: Path) -> None:
    """Nothing is connected before it is used."""
    queue = Accounts(settings_in(tmp_path)).queue("staging")
    assert isinstance(queue, SqsEventQueue)


def test_an_account_without_a_queue_is_named(tmp_path: Path) -> None:
    """In the embedded edition that is so until it is up."""
    with pytest.raises(SettingsError, match=r"accounts\.staging\.event_queue_url: is not set"):
        Accounts(load({}, cwd=tmp_path)).queue("staging")


def test_the_code_location_asks_for_the_database(tmp_path: Path) -> None:
    """An empty platform is not shown in its place."""
    (tmp_path / "ops_platform.toml").write_text(SETTINGS)
    with pytest.raises(SettingsError, match="set the environment variable OPS_PLATFORM_DATABASE"):
        resources(load({}, cwd=tmp_path))


SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nothing"


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator["SecretsManagerClient"]:
    """Give an emulated Secrets Manager, where the environment's AWS is."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield boto3.client("secretsmanager", region_name="eu-west-1")
    server.stop()


def test_a_token_that_secrets_manager_keeps_is_read_when_it_is_used(
    secrets: "SecretsManagerClient",
) -> None:
    """A rotated token is taken up without a restart; the region is that of the secret."""
    arn = secrets.create_secret(Name="rotated", SecretString="xoxb-first")["ARN"]
    slack = Slack(token="", base_url="http://127.0.0.1:1/", token_secret=arn)
    assert slack.get_client().token == "xoxb-first"
    secrets.put_secret_value(SecretId=arn, SecretString="xoxb-second")
    assert slack.get_client().token == "xoxb-second"


def test_a_secret_that_is_no_token_is_not_sent_to_slack(secrets: "SecretsManagerClient") -> None:
    """Nor is it shown."""
    arn = secrets.create_secret(Name="pairs", SecretString='{"token": "xoxb-first"}')["ARN"]
    slack = Slack(token="", base_url="http://127.0.0.1:1/", token_secret=arn)
    with pytest.raises(PlatformError, match="is no Slack token") as refused:
        slack.get_client()
    assert "xoxb-first" not in str(refused.value)


def test_a_secret_that_is_missing_is_named(secrets: "SecretsManagerClient") -> None:
    """The sentence has AWS's word for it."""
    assert "nothing" not in str(secrets.list_secrets())
    slack = Slack(token="", base_url="http://127.0.0.1:1/", token_secret=SECRET)
    with pytest.raises(PlatformError, match=r"read the secret .* ResourceNotFoundException"):
        slack.get_client()


def test_where_nothing_is_sent_no_token_is_asked_for(tmp_path: Path) -> None:
    """Dagster asks for it in every run of an asset, such as the cleanup of stale jobs."""
    text = SETTINGS.replace('alerts = "send"', 'alerts = "observe"')

    assert resources(settings_in(tmp_path, text))["slack"].token == ""
