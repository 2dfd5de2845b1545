"""``ops-platform embedded``: what it tells to type works where it is typed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops_platform.cli.embedded import how_to_go_on

_PROGRAMS = str(Path(sys.executable).parent)
_SYSTEM = os.defpath


@pytest.mark.parametrize("search_path", [_SYSTEM, f"{_PROGRAMS}{os.pathsep}{_SYSTEM}"])
def test_what_to_type_finds_the_command(search_path: str, tmp_path: Path) -> None:
    """Also after `make run`, which leaves the command in a virtual environment."""
    state = tmp_path / "a folder"
    told = how_to_go_on(state, search_path=search_path).splitlines()
    exports = [line for line in told if "export " in line]

    done = subprocess.run(
        ["sh", "-ec", "\n".join([*exports, "ops-platform config show --json"])],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": search_path},
        check=True,
    )

    assert f'"state_dir": "{state}"' in done.stdout
    assert len(exports) == (2 if search_path == _SYSTEM else 1)
