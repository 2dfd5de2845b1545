"""What is installed from a wheel runs without the checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_LOCK = _ROOT / "requirements.lock"
_SHIPPED = """
from importlib.resources import files
import ops_platform
from ops_platform.adapters.ledger import migrations
from ops_platform.shipped import shipped

print(files(ops_platform))
print(shipped("deploy/event-forwarding.yaml"))
print(shipped("dagster.yaml"))
print(*sorted(path.name for path in (files(migrations) / "versions").iterdir()))
"""


def _run(*command: str | Path, folder: Path, **environ: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds the package as a wheel brings it."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    # Everything is there already: no index is asked.
    build = ("wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w", folder)
    _run(*pip, *build, _ROOT, folder=folder)
    [wheel] = folder.glob("*.whl")
    _run(*pip, "install", "--no-index", "--no-deps", "--target", "site", wheel, folder=folder)
    return folder / "site"


@pytest.mark.slow
def test_the_command_runs_from_a_wheel(installed: Path, tmp_path: Path) -> None:
    """In another folder, where nothing of the checkout is."""
    command = installed / "bin/ops-platform"

    overview = _run(command, "--help", folder=tmp_path, PYTHONPATH=str(installed))
    shown = _run(command, "config", "show", folder=tmp_path, PYTHONPATH=str(installed))

    assert "Usage: ops-platform" in overview
    assert "#alerts-production" in shown


@pytest.mark.slow
def test_what_is_needed_at_run_time_is_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    """Found by the functions that look for it."""
    lines = _run(
        sys.executable, "-c", _SHIPPED, folder=tmp_path, PYTHONPATH=str(installed)
    ).splitlines()

    package = installed / "ops_platform"
    assert lines[:3] == [
        str(package),
        str(package / "shipped/deploy/event-forwarding.yaml"),
        str(package / "shipped/dagster.yaml"),
    ]
    assert "v0001_ledger.py" in lines[3].split()


@pytest.mark.slow
def test_every_file_of_the_package_is_in_the_wheel(installed: Path) -> None:
    """Pages, templates and flows as well as modules."""
    tracked = _run("git", "ls-files", "ops_platform", folder=_ROOT).splitlines()

    assert [name for name in tracked if not (installed / name).exists()] == []


def test_every_pin_has_a_hash_and_no_address() -> None:
    """The lock works with whatever index a machine has."""
    lines = _LOCK.read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith(" ")]

    assert "://" not in _LOCK.read_text()
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert sum("--hash=sha256:" in line for line in lines) >= len(pins)
