"""How commands reach the ledger, and what they say when they cannot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops_platform_tests.cli.command_line import Platform, platform_in
from ops_platform_tests.defs.dagster_world import NO_DATABASE
from ops_platform_tests.embedded.postgres_holders import keepers, servers

COMMANDS = (
    ("events", "replay", "-"),
    ("jobs", "list", "--json"),
    ("executions", "list"),
    ("flows", "list"),
    ("incidents", "list", "--json"),
    ("incidents", "show", "0123456789abcdef"),
    ("incidents", "resolve", "0123456789abcdef", "--reason", "gone"),
    ("alerts", "list"),
    ("alerts", "dead", "--json"),
    ("alerts", "show", "1"),
    ("alerts", "preview", "0123456789abcdef", "--json"),
    ("alerts", "retry", "1"),
    ("silences", "add", "--flow", "A", "--for", "2h", "--reason", "late"),
    ("silences", "list", "--json"),
    ("silences", "expire", "1", "--reason", "over"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_settings_file_without_a_database_url_stops_every_command(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """An empty platform is not shown in its place."""
    done = platform_in(tmp_path, None).run(*command, stdin=b"")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the database URL is missing" in done.stderr
    assert "set the environment variable OPS_PLATFORM_DATABASE_URL" in done.stderr


@pytest.mark.parametrize("command", COMMANDS[1:3], ids=" ".join)
def test_a_database_that_does_not_answer_is_said_in_a_sentence(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Without a traceback and without the password."""
    url = NO_DATABASE.replace("nobody@", "nobody:secret@")
    done = platform_in(tmp_path, url).run(*command)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: The ledger's database does not answer: " in done.stderr
    assert "Error: Check that it runs and that the database URL is right." in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "url", ["postgresql://", "postgresql://user:pass word@host:port/x", "mysql://root@127.0.0.1/x"]
)
def test_a_database_url_that_is_none_is_said_in_a_sentence(tmp_path: Path, url: str) -> None:
    """Whatever is wrong with it, its text is not repeated."""
    done = platform_in(tmp_path, url).run("jobs", "list", "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert "pass word" not in done.stderr


def test_the_embedded_edition_has_to_be_up_for_its_aws_to_be_asked(tmp_path: Path) -> None:
    """Nothing is made in a folder that is the wrong one."""
    state = tmp_path / "state"

    done = Platform({"OPS_STATE_DIR": str(state)}).run("reconcile")

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"Error: {_not_up(state)}"
    assert not state.exists()


@pytest.mark.parametrize("files", [(), ("embedded.json",)])
def test_that_the_embedded_edition_is_not_up_is_said(
    database_url: str, tmp_path: Path, files: tuple[str, ...]
) -> None:
    """Beside the list, which tells next to nothing then."""
    for name in files:
        (tmp_path / name).write_text("{}")
    environ = {"OPS_STATE_DIR": str(tmp_path), "OPS_PLATFORM_DATABASE_URL": database_url}

    done = Platform(environ).run("jobs", "list")

    assert (done.exit_code, done.stdout) == (0, "No jobs.\n")
    assert done.stderr == ("" if files else _not_up(tmp_path))


@pytest.mark.slow
def test_without_a_settings_file_commands_share_the_embedded_postgres(tmp_path: Path) -> None:
    """Two at once start it together, the next finds what they left, and no process stays."""
    state = tmp_path / "state"
    first = [_command(tmp_path, state, "jobs"), _command(tmp_path, state, "flows")]
    not_up = _not_up(state)
    assert [_printed(command) for command in first] == [([], not_up), ([], not_up)]
    assert _printed(_command(tmp_path, state, "incidents")) == ([], not_up)
    assert (keepers(state), servers(state)) == ([], [])
    assert (state / "postgres" / "data" / "PG_VERSION").exists()


def _command(folder: Path, state: Path, noun: str) -> subprocess.Popen[bytes]:
    main = "from ops_platform.cli.main import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", main, noun, "list", "--json"],
        cwd=folder,
        env={**os.environ, "OPS_STATE_DIR": str(state)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _printed(command: subprocess.Popen[bytes]) -> tuple[object, str]:
    with command:
        stdout, stderr = command.communicate(timeout=100)
    assert command.returncode == 0
    return json.loads(stdout), stderr.decode()


def _not_up(state: Path) -> str:
    return (
        f"The embedded edition in {state} is not up; start it with `ops-platform embedded up`,"
        " or set OPS_STATE_DIR.\n"
    )
