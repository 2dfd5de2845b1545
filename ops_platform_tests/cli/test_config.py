"""``ops-platform config``: the file judged and shown."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops_platform.cli.group import group_of
from ops_platform.cli.main import PROGRAM
from ops_platform_tests.settings.files import ACCOUNT


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(group_of(PROGRAM), ["config", *arguments], env=environ)


def test_a_right_file_is_called_valid(folder: Path) -> None:
    """And what is still missing is noted."""
    (folder / "ops_platform.toml").write_text(ACCOUNT)

    done = _run("check")

    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "The settings are valid. Accounts: staging.",
        "Note: No database URL: set OPS_PLATFORM_DATABASE_URL; what needs the ledger stops.",
    ]


def test_a_wrong_file_is_refused(folder: Path) -> None:
    """With every problem on standard error."""
    (folder / "ops_platform.toml").write_text(f"{ACCOUNT}\n[timing]\nsettle_seconds = -1")

    done = _run("check")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "timing.settle_seconds: -1 is not allowed; give a whole number" in done.stderr


def test_a_program_can_read_the_problems(folder: Path) -> None:
    """JSON alone is printed, and the exit code says the same."""
    (folder / "ops_platform.toml").write_text(f"{ACCOUNT}\n[timing]\nsettle_seconds = -1")

    done = _run("check", "--json")

    assert done.exit_code == 2
    assert json.loads(done.stdout) == {
        "valid": False,
        "problems": [
            {
                "key": "timing.settle_seconds",
                "message": "-1 is not allowed; give a whole number from 0 to 3600",
            }
        ],
        "notes": [],
    }
    assert done.stderr == ""


def test_a_slip_in_a_variable_is_noticed() -> None:
    """A misspelt name of the file would quietly start the embedded edition."""
    notes = json.loads(_run("check", "--json", OPS_PLATFORM_CONFG="x.toml").stdout)["notes"]

    assert notes == [
        "No ops_platform.toml here and no OPS_PLATFORM_CONFIG: this is the embedded edition.",
        (
            "The environment variable OPS_PLATFORM_CONFG means nothing to the platform;"
            " did you mean OPS_PLATFORM_CONFIG?"
        ),
    ]


def test_a_missing_token_is_noted_where_alerts_are_sent(folder: Path) -> None:
    """An account that only observes needs none."""
    text = ACCOUNT.replace("observe", "send") + '[slack]\ndefault_channel = "#all"'
    (folder / "ops_platform.toml").write_text(text)

    assert "No Slack token: set SLACK_BOT_TOKEN" in _run("check").stdout
    assert "No Slack token" not in _run("check", SLACK_BOT_TOKEN="xoxb-1").stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_show_hides_every_secret(folder: Path, form: tuple[str, ...]) -> None:
    """Wherever it comes from."""
    (folder / "ops_platform.toml").write_text(
        f'{ACCOUNT}\n[database]\nurl = "postgresql://me:hunter2@host/x"'
    )

    done = _run("show", *form, SLACK_BOT_TOKEN="xoxb-hunter2")

    assert done.exit_code == 0
    assert "hunter2" not in done.output
    assert "********" in done.output


def test_show_says_where_a_value_comes_from(folder: Path) -> None:
    """File, environment, or default."""
    (folder / "ops_platform.toml").write_text(ACCOUNT)

    shown = json.loads(_run("show", "--json", SLACK_BOT_TOKEN="xoxb-1").stdout)

    assert shown["edition"] == "aws"
    assert shown["accounts"][0]["region"] == "eu-central-1"
    assert shown["origins"]["accounts[0].region"] == "ops_platform.toml"
    assert shown["origins"]["slack.token"] == "SLACK_BOT_TOKEN"
    assert shown["origins"]["timing.settle_seconds"] == "default"


def test_show_works_without_a_file() -> None:
    """People see one line for each setting."""
    lines = _run("show").stdout.splitlines()

    assert lines[0].split() == ["KEY", "VALUE", "ORIGIN"]
    assert ["timing.settle_seconds", "20", "embedded", "edition"] in [ln.split() for ln in lines]
