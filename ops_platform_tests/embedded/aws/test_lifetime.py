"""An account ends when it should, and no process of a job outlives it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops_platform.embedded.aws.account import EmbeddedAccount, command, is_ready
from ops_platform_tests.embedded.aws.accounts import (
    AccountNotReadyError,
    Aws,
    eventually,
    running,
    staging_on_free_port,
    wait_until_ready,
)

# A child in a session of its own, and a grandchild, as Metaflow's tasks have.
SCRIPT = "setsid sleep 600 & echo $!; (sleep 600 & echo $!; wait) & echo $$; wait"


def _job_processes(aws: Aws) -> list[int]:
    job_id = aws.submit(SCRIPT)
    job = aws.until(job_id, "RUNNING")
    return [int(line) for line in eventually(lambda: _three(aws.log_of(job)))]


def _three(lines: list[str]) -> list[str]:
    return lines if len(lines) == 3 else []


def _alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if _state(pid) not in {"", "Z"}]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.mark.slow
def test_sigkill_of_the_account_leaves_no_job_process(tmp_path: Path) -> None:
    """The worst end: nobody is left to clean up but the warden."""
    account = staging_on_free_port()
    with running(account, tmp_path) as process:
        pids = _job_processes(Aws(account, tmp_path))
        assert _alive(pids) == pids
        process.send_signal(signal.SIGKILL)
        eventually(lambda: not _alive(pids), seconds=3, what="the end of the job")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_account_and_its_jobs_promptly(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Even where the signals are ignored at the start, as in the background of a script."""
    account = staging_on_free_port()
    with _ignoring_signals(account, tmp_path) as process:
        pids = _job_processes(Aws(account, tmp_path))
        process.send_signal(number)
        assert process.wait(timeout=5) == 0
        assert not _alive(pids)
        assert not is_ready(account)
        assert list((tmp_path / "jobs").iterdir()) == []


@contextmanager
def _ignoring_signals(
    account: EmbeddedAccount, folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    start = "trap '' INT TERM HUP; exec \"$@\""
    line = ["sh", "-c", start, "sh", *command(account, folder, parent=os.getpid())]
    process = subprocess.Popen(line)
    try:
        wait_until_ready(account, process)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_the_account_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Nobody has to tell it: it looks."""
    account = staging_on_free_port()
    starter = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(600)"
    parent = subprocess.Popen([sys.executable, "-c", starter, *command(account, tmp_path)])
    try:
        wait_until_ready(account, parent)
    finally:
        parent.kill()
        parent.wait()
    eventually(lambda: not is_ready(account), seconds=4, what="the end of the account")


def test_a_taken_port_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """Exit code 2, and what to do about it."""
    account = staging_on_free_port()
    with socket.create_server(("127.0.0.1", account.port)):
        refused = subprocess.run(
            command(account, tmp_path), capture_output=True, text=True, timeout=20, check=False
        )
    assert refused.returncode == 2
    assert f"Port {account.port} is taken" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_waiting_for_an_account_that_ended_says_so() -> None:
    """Rather than waiting for the whole time."""
    account = staging_on_free_port()
    ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
    ended.wait()
    begun = time.monotonic()
    with pytest.raises(AccountNotReadyError, match="exit code 7"):
        wait_until_ready(account, ended)
    assert time.monotonic() - begun < 5
