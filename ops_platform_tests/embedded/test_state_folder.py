"""One folder has all that an embedded edition keeps, and one `up` at a time."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ops_platform.embedded.state_folder import StateFolder, StateFolderError, state_folder

_CLAIM = """
import sys, time
from pathlib import Path
from ops_platform.embedded.state_folder import StateFolder

with StateFolder(Path(sys.argv[1])).claim():
    print("claimed", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """A folder that is made."""
    made = StateFolder(tmp_path / "deep" / "state")
    made.make()
    return made


@pytest.mark.parametrize(
    ("chosen", "environ", "expected"),
    [
        (None, {}, ".ops-platform"),
        (None, {"OPS_STATE_DIR": "elsewhere"}, "elsewhere"),
        (None, {"OPS_STATE_DIR": ""}, ".ops-platform"),
        (Path("given"), {"OPS_STATE_DIR": "elsewhere"}, "given"),
    ],
)
def test_the_folder_is_what_was_given_or_set_or_the_default(
    chosen: Path | None, environ: dict[str, str], expected: str
) -> None:
    """An option beats the environment, which beats the default; all are made absolute."""
    assert state_folder(chosen, environ).root == Path.cwd() / expected


def test_only_its_user_can_look_into_it(state: StateFolder) -> None:
    """It holds logs, messages and a database without a password."""
    assert state.root.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The sentence says what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(StateFolderError, match=r"file/state cannot be used: .* --state"):
        StateFolder(tmp_path / "file" / "state").make()


def test_a_second_up_is_refused_with_the_pid_of_the_first(state: StateFolder) -> None:
    """Two of them would write the same files."""
    with state.claim(), pytest.raises(StateFolderError, match=rf"already up.*{os.getpid()}"):
        state.claim().__enter__()
    with state.claim():
        pass


def test_a_killed_up_is_in_nobodys_way(state: StateFolder) -> None:
    """Its pid is still written there; that nobody has it any more counts."""
    with subprocess.Popen(
        [sys.executable, "-c", _CLAIM, state.root],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        other.send_signal(signal.SIGKILL)
        other.wait()
    with state.claim():
        assert state.lock.read_text() == f"{os.getpid()}\n"


def test_the_addresses_are_there_while_it_is_up(state: StateFolder) -> None:
    """Other commands read them; what nobody listens on must not be found."""
    with state.claim():
        state.write_addresses({"slack_url": "http://127.0.0.1:3001/api/"})
        assert json.loads(state.addresses.read_text())["slack_url"].endswith(":3001/api/")
    assert not state.addresses.exists()
