"""`ops-platform embedded up`: what keeps it from starting, and that nothing outlives it."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from ops_platform.embedded.dagster_instance import answers
from ops_platform_tests.embedded.up_process import DEAF, Up, left_over, pid_of, up

_RUNNING = "Running."
_MAIN = "from ops_platform.cli.main import main; main()"
_WITHOUT = """
import sys
from importlib.machinery import PathFinder


class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name == "moto" else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = Without
from ops_platform.cli.main import main

main()
"""


def test_a_taken_port_is_named_with_the_option_to_change_it(tmp_path: Path) -> None:
    """Exit code 2, before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        tried = Up(tmp_path / "state", "--port-base", "0", "--slack-port", port)
        assert tried.process.wait(timeout=30) == 2
    assert f"Port {port} for slack cannot be used" in tried.said()
    assert "--slack-port" in tried.said()
    assert "Traceback" not in tried.said()


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    """Exit code 2 and the command that installs it."""
    tried = subprocess.run(
        [sys.executable, "-c", _WITHOUT, "embedded", "up", "--state", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert tried.returncode == 2
    assert "needs moto: pip install 'ops-platform[embedded]'" in tried.stderr


def test_the_help_names_every_option() -> None:
    """Without starting anything."""
    told = subprocess.run(
        [
            *(sys.executable, "-c", "from ops_platform.cli.main import main; main()"),
            "embedded",
            "up",
            "--help",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    ).stdout
    for option in ("--demo", "--state", "--port-base", "--dagster-port", "--production-port"):
        assert option in told


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_even_if_it_was_ignored_before(
    tmp_path: Path, number: signal.Signals
) -> None:
    """All of it is gone within 8 seconds, and the exit code says that this was in order."""
    with up(tmp_path / "state", prefix=DEAF) as edition:
        edition.await_words(_RUNNING)
        assert answers(edition.address("dagster_url"))
        code, seconds = edition.end(number)
        assert code == 0
        assert left_over(edition.state) == []
        assert seconds < 8
        assert edition.said().endswith("Everything is stopped.\n")
        assert not (edition.state / "embedded.json").exists()


@pytest.mark.slow
def test_a_signal_while_it_starts_ends_it_too(tmp_path: Path) -> None:
    """Half of it is running then."""
    with up(tmp_path / "state") as edition:
        edition.await_words("starting Dagster's code server")
        code, seconds = edition.end(signal.SIGINT)
        assert (code, left_over(edition.state)) == (0, [])
        assert seconds < 8


@pytest.mark.slow
def test_nothing_outlives_a_killed_up(tmp_path: Path) -> None:
    """SIGKILL in the middle of the demo: servers, Postgres and the jobs of flows all end."""
    with up(tmp_path / "state", "--demo") as edition:
        edition.await_words(_RUNNING, seconds=110)
        _, seconds = edition.end(signal.SIGKILL)
        assert left_over(edition.state) == []
        assert seconds < 12


@pytest.mark.slow
def test_a_program_that_dies_is_named_and_takes_the_rest_along(tmp_path: Path) -> None:
    """Exit code 1; half an edition would only mislead."""
    with up(tmp_path / "state") as edition:
        edition.await_words(_RUNNING)
        os.kill(pid_of(edition.state, "slack_inbox"), signal.SIGKILL)
        assert edition.process.wait(timeout=20) == 1
        assert left_over(edition.state) == []
    assert "Slack inbox was killed by signal 9" in edition.said()
    assert "slack.log" in edition.said()


@pytest.mark.slow
def test_two_editions_run_side_by_side_but_not_in_one_folder(tmp_path: Path) -> None:
    """Each has its own ports, database and Slack; a second `up` in a folder is refused."""
    with up(tmp_path / "one") as one, up(tmp_path / "two") as two:
        for edition in (one, two):
            edition.await_words(_RUNNING)
        assert one.address("slack_url") != two.address("slack_url")
        third = Up(tmp_path / "one", "--port-base", "0")
        assert third.process.wait(timeout=20) == 2
        with urllib.request.urlopen(two.address("dagster_url") + "/server_info") as response:
            assert response.status == 200
        assert one.end(signal.SIGINT)[0] == 0
        assert two.process.poll() is None
        assert answers(two.address("dagster_url"))
