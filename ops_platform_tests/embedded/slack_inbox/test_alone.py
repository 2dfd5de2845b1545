"""The inbox as a process of its own: how it starts, and that it always ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from slack_sdk import WebClient

from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform_tests.embedded.slack_inbox.conftest import TOKEN

COMMAND = (sys.executable, "-m", "ops_platform.embedded.slack_inbox")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start commands that end with the test at the latest."""
    started: list[subprocess.Popen[str]] = []

    def run(*command: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def address(process: "subprocess.Popen[str]") -> str:
    """Return the address that a process says it is ready at."""
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("Slack inbox ready at http://127.0.0.1:")
    return line.split()[-1]


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("ignored", [False, True])
def test_a_signal_ends_it_even_where_ignored(
    start: Start, name: signal.Signals, *, ignored: bool
) -> None:
    """As under nohup, or in the background of a script."""
    shell = f"trap '' {name.name[3:]}; exec {' '.join(COMMAND)}"
    process = start("sh", "-c", shell) if ignored else start(*COMMAND)
    address(process)
    process.send_signal(name)
    assert process.wait(5) == 0


def test_messages_outlive_a_kill(start: Start, tmp_path: Path) -> None:
    """What Slack's client was told is stored is there after SIGKILL."""
    process = start(*COMMAND, "--folder", str(tmp_path))
    slack = WebClient(TOKEN, base_url=f"{address(process)}/api/", retry_handlers=[])
    slack.chat_postMessage(channel="brand-new", text="keep me")
    process.kill()
    process.wait(5)
    with SlackInbox(tmp_path) as inbox:
        assert [message.text for message in inbox.messages("brand-new")] == ["keep me"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_ends_with_its_parent(start: Start) -> None:
    """A parent that is killed leaves no inbox behind."""
    code = (
        "import subprocess, sys, time;"
        f"child = subprocess.Popen({list(COMMAND)!r}, stdout=subprocess.PIPE, text=True);"
        "print(child.pid, flush=True); print(child.stdout.readline(), end='', flush=True);"
        "time.sleep(60)"
    )
    parent = start(sys.executable, "-c", code)
    assert parent.stdout
    child = int(parent.stdout.readline())
    with urlopen(address(parent)) as answer:
        assert answer.status == 200
    parent.kill()
    assert ends_within(child, seconds=5)


def ends_within(pid: int, *, seconds: float) -> bool:
    """Return whether a process is gone before the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return False


def test_a_taken_port_is_named(start: Start) -> None:
    """It says which port it cannot have, without a traceback."""
    with SlackInbox() as inbox:
        port = inbox.url.rpartition(":")[2]
        process = start(*COMMAND, "--port", port)
        _, complaint = process.communicate(timeout=10)
    assert complaint == f"Cannot listen on 127.0.0.1:{port}: Address already in use.\n"
    assert process.returncode == 1


def test_a_folder_in_use_is_named(start: Start, tmp_path: Path) -> None:
    """It says that another inbox is there, without a traceback."""
    with SlackInbox(tmp_path):
        process = start(*COMMAND, "--folder", str(tmp_path))
        _, complaint = process.communicate(timeout=10)
    assert "stop it or choose another folder" in complaint
    assert process.returncode == 1
