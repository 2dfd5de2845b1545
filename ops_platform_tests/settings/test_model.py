"""What the settings answer once they are loaded."""

from pathlib import Path

import pytest

from ops_platform.domain.errors import PlatformError
from ops_platform.settings.problems import SettingsError
from ops_platform_tests.settings.files import ACCOUNT, load_file


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """A log line with the settings in it gives nothing away."""
    settings = load_file(
        tmp_path,
        ACCOUNT,
        SLACK_BOT_TOKEN="xoxb-hunter2",
        OPS_PLATFORM_DATABASE_URL="postgresql://me:hunter2@host/x",
    )

    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_a_command_without_its_database_says_so(tmp_path: Path) -> None:
    """Rather than showing an empty platform."""
    settings = load_file(tmp_path, ACCOUNT)

    with pytest.raises(SettingsError, match="set the environment variable OPS_PLATFORM_DATABASE"):
        settings.require_database_url()


def test_an_unknown_account_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """The user can pick from the sentence."""
    with pytest.raises(PlatformError, match="There is no account 'prod'; known are: staging"):
        load_file(tmp_path, ACCOUNT).account("prod")


def test_an_account_without_a_channel_uses_the_default(tmp_path: Path) -> None:
    """An own channel comes first."""
    both = ACCOUNT.replace("observe", "send") + '[slack]\ndefault_channel = "#all"'
    own = both.replace("alerts =", 'slack_channel = "#own"\nalerts =')

    assert load_file(tmp_path, both).channel("staging") == "#all"
    assert load_file(tmp_path, own).channel("staging") == "#own"


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    """They are shared by threads."""
    settings = load_file(tmp_path, ACCOUNT)

    with pytest.raises(ValueError, match="frozen"):
        settings.timing.settle_seconds = 1
