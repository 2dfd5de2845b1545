"""What is read, from where, and what wins."""

from pathlib import Path

import pytest

from ops_platform.settings.load import load
from ops_platform.settings.problems import SettingsError
from ops_platform_tests.settings.files import ACCOUNT, load_file


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    """Everything but the account has a default."""
    settings = load_file(tmp_path, ACCOUNT)

    assert settings.edition == "aws"
    assert [account.name for account in settings.accounts] == ["staging"]
    assert settings.timing.settle_seconds == 60
    assert settings.slack.base_url == "https://slack.com/api/"


def test_accounts_may_be_tables_by_name(tmp_path: Path) -> None:
    """The table's name is the account's."""
    text = ACCOUNT.replace("[[accounts]]", "[accounts.staging]").replace('name = "staging"', "")

    assert load_file(tmp_path, text).accounts == load_file(tmp_path, ACCOUNT).accounts


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    """From any folder; a relative path starts at the current one."""
    (tmp_path / "elsewhere.toml").write_text(ACCOUNT)

    settings = load({"OPS_PLATFORM_CONFIG": "elsewhere.toml"}, cwd=tmp_path)

    assert settings.file == tmp_path / "elsewhere.toml"


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    """A slip in the variable does not quietly start the embedded edition."""
    with pytest.raises(SettingsError, match=r"gone\.toml: cannot be read .*OPS_PLATFORM_CONFIG"):
        load({"OPS_PLATFORM_CONFIG": "gone.toml"}, cwd=tmp_path)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """With a sentence, not with a traceback."""
    (tmp_path / "ops_platform.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        load({}, cwd=tmp_path)


def test_secrets_come_from_the_variables_that_are_named(tmp_path: Path) -> None:
    """The environment wins over the file."""
    text = f"""{ACCOUNT}
        [slack]
        token_env = "OUR_TOKEN"
        [database]
        url_env = "OUR_DATABASE"
        url = "postgresql://file/x"
        """

    settings = load_file(
        tmp_path, text, OUR_TOKEN="xoxb-1", OUR_DATABASE="postgresql://environment/x"
    )

    assert settings.slack.token is not None
    assert settings.slack.token.get_secret_value() == "xoxb-1"
    assert settings.require_database_url() == "postgresql://environment/x"
