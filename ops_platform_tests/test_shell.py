"""The commands a newcomer types, and what CI runs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_TARGETS = ["run", "test", "test-slow", "check", "bench", "contract-aws", "lock", "clean", "help"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, and a lock that asks for nothing."""
    shutil.copy(_ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


def _make(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_command() -> None:
    """With a line on each, and nothing is installed for it."""
    done = _make(_ROOT, "help")

    assert re.findall(r"^  make ([a-z-]+) +\S", done.stdout, re.MULTILINE) == _TARGETS


def test_run_takes_options_such_as_other_ports() -> None:
    """Where something else listens on the usual ones."""
    done = _make(_ROOT, "-n", "run", "OPTIONS=--port-base 4000")

    assert "ops-platform embedded up --demo --port-base 4000\n" in done.stdout


def test_a_missing_python_is_said_in_a_sentence(checkout: Path) -> None:
    """With what to do about it."""
    done = _make(checkout, ".venv/.locked", "PYTHON=no-such-python false")

    assert done.returncode != 0
    assert "No Python 3.11 or newer" in done.stderr
    assert "make PYTHON=/path/to/python3.12" in done.stderr
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_passed_over(checkout: Path) -> None:
    """The first one that is new enough is taken."""
    old, new = checkout / "old", checkout / "new"
    old.write_text("#!/bin/sh\nexit 1\n")
    new.write_text('#!/bin/sh\ncase "$1" in -c) exit 0;; *) echo "$0 $*" >> calls;; esac\n')
    old.chmod(0o755)
    new.chmod(0o755)

    _make(checkout, ".venv/.locked", f"PYTHON={old} {new}")

    assert f"{new} -m venv --clear .venv" in (checkout / "calls").read_text()


def test_pinning_needs_a_tool_and_says_which(checkout: Path) -> None:
    """It is not part of the lock itself."""
    tools = checkout / "tools"
    tools.mkdir()
    for name in ("make", "bash"):
        (tools / name).symlink_to(str(shutil.which(name)))

    done = _make(checkout, "lock", PATH=str(tools))

    assert done.returncode != 0
    assert "uv is not installed; get it with" in done.stderr


def test_clean_removes_the_state_and_the_caches(checkout: Path) -> None:
    """And leaves the environment, which takes minutes to make."""
    for folder in (".ops-platform/postgres", "a/__pycache__", ".mypy_cache", ".venv/__pycache__"):
        (checkout / folder).mkdir(parents=True)

    done = _make(checkout, "clean")

    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in checkout.iterdir() if path.is_dir()) == [".venv", "a"]
    assert (checkout / ".venv/__pycache__").exists()
    assert not (checkout / "a/__pycache__").exists()


def test_clean_leaves_a_running_edition_alone(checkout: Path) -> None:
    """Its Postgres would lose the ground under its feet."""
    (checkout / ".ops-platform").mkdir()
    lock = checkout / ".ops-platform/up.lock"
    holder = subprocess.Popen(["flock", lock, "sh", "-c", "echo; cat"], stdin=-1, stdout=-1)
    with holder:
        assert holder.stdout
        holder.stdout.readline()
        done = _make(checkout, "clean")

    assert done.returncode != 0
    assert "is running on .ops-platform/; stop it first." in done.stderr
    assert lock.exists()


def test_ci_runs_everything() -> None:
    """The script can be started as it is, and is sound shell."""
    script = _ROOT / ".ci/run"
    text = script.read_text()

    assert os.access(script, os.X_OK)
    assert re.findall(r"^step (.*)$", text, re.MULTILINE) == [
        "install_missing",
        "make test",
        "make check",
        "make test-slow",
    ]
    assert "export CI=true" in text
    subprocess.run(["bash", "-n", script], check=True)
