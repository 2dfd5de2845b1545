"""The command as a whole: what it costs, and how it says no."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ops_platform.cli.group import group_of
from ops_platform.cli.main import PROGRAM
from ops_platform.cli.program import Command, Program, overview
from ops_platform.cli.soteria import PROGRAM as SOTERIA
from ops_platform.domain.errors import PlatformError

_COMMAND = Path(sys.executable).with_name("ops-platform")
_HEAVY = {"boto3", "click", "dagster", "importlib.metadata", "pydantic", "sqlalchemy"}


@click.command()
def failing() -> None:
    """Fail as an operation does."""
    raise PlatformError("first: cannot be\nsecond: neither")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_COMMAND, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_the_overview_is_printed_however_it_is_asked_for(arguments: tuple[str, ...]) -> None:
    """With every command in it."""
    done = _run(*arguments)

    assert done.returncode == 0
    assert done.stdout == overview(PROGRAM)
    assert all(f"  {name} " in done.stdout for name in PROGRAM.commands)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("--help",), ("config", "show")])
def test_a_reader_who_has_gone_is_no_traceback(
    arguments: tuple[str, ...], unbuffered: str, tmp_path: Path
) -> None:
    """As when the output goes into ``head``."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [_COMMAND, *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env={"PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    finally:
        os.close(writing)

    assert (done.returncode, done.stderr) == (1, b"")


def test_help_imports_next_to_nothing() -> None:
    """The time to the overview is the time of what is imported for it."""
    script = (
        "import sys, ops_platform.cli.main as m; m.main(); print(*sys.modules, file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=True
    )

    assert not _HEAVY & set(done.stderr.split())


@pytest.mark.parametrize(
    ("program", "name"),
    [(program, name) for program in (PROGRAM, SOTERIA) for name in sorted(program.commands)],
)
def test_every_command_exists(program: Program, name: str) -> None:
    """And says of itself what the overview says."""
    done = CliRunner().invoke(group_of(program), [name, "--help"])

    assert done.exit_code == 0, done.output
    command = group_of(program).get_command(click.Context(click.Command(name)), name)
    assert command is not None
    summary = program.commands[name].summary.rstrip(".")
    assert summary in f"{done.output} {command.short_help}"


def test_an_unknown_command_is_refused() -> None:
    """With the exit code of a wrong call."""
    done = _run("nonsense")

    assert done.returncode == 2
    assert "No such command 'nonsense'" in done.stderr
    assert "Did you mean" not in done.stderr


@pytest.mark.parametrize(
    ("slip", "meant"), [("alert", "alerts"), ("exec", "executions"), ("silense", "silences")]
)
def test_a_command_that_was_nearly_right_is_suggested(slip: str, meant: str) -> None:
    """Whatever follows it."""
    done = CliRunner().invoke(group_of(PROGRAM), [slip, "list", "--json"])

    assert (done.exit_code, done.stdout) == (2, "")
    assert f"No such command '{slip}'. Did you mean '{meant}'?" in done.stderr


def test_a_suggestion_imports_no_command() -> None:
    """What is said at once stays quick."""
    script = (
        "import sys, atexit, ops_platform.cli.main as m;"
        " atexit.register(lambda: print(*sys.modules)); m.main()"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, "alert"], capture_output=True, text=True, check=False
    )

    assert "Did you mean 'alerts'?" in done.stderr
    assert not (_HEAVY - {"click"}) & set(done.stdout.split())


def test_the_version_is_the_package_s() -> None:
    """Read only when it is asked for."""
    assert _run("--version").stdout.startswith("ops-platform, version 0.")


def test_what_a_user_can_put_right_is_said_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On standard error, line by line, with exit code 2."""
    monkeypatch.setitem(PROGRAM.commands, "fail", Command(f"{__name__}:failing", "Fail."))

    done = CliRunner().invoke(group_of(PROGRAM), ["fail"])

    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr == "Error: first: cannot be\nError: second: neither\n"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(PROGRAM.commands, "far", Command("nowhere_to_be_found:x", "Be far."))

    done = CliRunner().invoke(group_of(PROGRAM), ["far"])

    assert done.exit_code == 2
    assert "needs nowhere_to_be_found" in done.stderr
    assert "pip install 'ops-platform[embedded]'" in done.stderr


def test_the_overview_knows_the_options_of_the_group() -> None:
    """It is written by hand, so that it costs nothing."""
    context = click.Context(group_of(PROGRAM), info_name="ops-platform")
    options = [name for option in group_of(PROGRAM).get_params(context) for name in option.opts]

    assert all(name in overview(PROGRAM) for name in options)
