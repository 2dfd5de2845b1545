"""The rules that hold for every test, tested themselves."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_SKIPPED = "import pytest\n\n@pytest.mark.skip\ndef test_one(): pass\n\ndef test_two(): pass\n"


def _pytest(
    folder: Path, text: str, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(text)
    plugins = ("-p", "ops_platform_tests.conftest", "-p", "no:cacheprovider")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", folder, *plugins, *arguments, folder],
        env={**clean, "CI": "", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_skip_fails_on_ci(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """With or without workers."""
    done = _pytest(tmp_path, _SKIPPED, *workers, CI="true")

    assert done.returncode == 1
    assert "1 skipped: on CI every test must run." in done.stdout


def test_a_skip_is_fine_elsewhere(tmp_path: Path) -> None:
    """A developer may lack a browser."""
    assert _pytest(tmp_path, _SKIPPED).returncode == 0


def test_the_environment_of_a_developer_is_not_seen(tmp_path: Path) -> None:
    """No credentials, no proxy, no settings."""
    names = ["AWS_PROFILE", "OPS_STATE_DIR", "METAFLOW_PROFILE", "HTTPS_PROXY", "SLACK_BOT_TOKEN"]
    text = f"import os\n\ndef test_it(): assert not set({names}) & set(os.environ)\n"

    done = _pytest(tmp_path, text, **dict.fromkeys(names, "x"))

    assert done.returncode == 0, done.stdout


def test_a_test_cannot_leave_a_variable_behind(tmp_path: Path) -> None:
    """Not even through a library it calls."""
    text = (
        "import os\n\n"
        "def test_one(): os.environ['LEFT'] = 'x'\n\n"
        "def test_two(): assert 'LEFT' not in os.environ\n"
    )

    done = _pytest(tmp_path, text, "-p", "no:randomly")

    assert done.returncode == 0, done.stdout


def test_what_may_take_long_comes_first(tmp_path: Path) -> None:
    """Then two workers end at about the same time."""
    text = (
        "import pytest\n\n"
        "def test_quick(): pass\n\n"
        "@pytest.mark.timeout(300)\n"
        "def test_long(): pass\n\n"
        "@pytest.mark.timeout(700)\n"
        "def test_longest(): pass\n"
    )

    done = _pytest(tmp_path, text, "-vv", "-p", "no:xdist")

    found = re.findall(r"test_it.py::(\w+)", done.stdout)
    assert found == ["test_longest", "test_long", "test_quick"]
