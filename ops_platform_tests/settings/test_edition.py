"""The settings of the embedded edition, which has no file."""

import json
from pathlib import Path

import pytest

from ops_platform.settings.load import load
from ops_platform.settings.problems import SettingsError


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


def test_a_state_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    """With the variable that names another."""
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(SettingsError, match=rf"^{file}: is no folder; .*OPS_STATE_DIR"):
        load({"OPS_STATE_DIR": str(file)}, cwd=tmp_path)
