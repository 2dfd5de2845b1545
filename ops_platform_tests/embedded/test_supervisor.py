"""A signal stops us once, in order, and a second one does not break that off."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

_WAITS = """
import sys, time
from ops_platform.embedded.supervisor import ignore_signals, stop_on_signals

with stop_on_signals():
    try:
        print("waiting", flush=True)
        time.sleep(60)
    finally:
        ignore_signals()
        print("stopping", flush=True)
        time.sleep(0.5)
        print("stopped", flush=True)
print("orderly", flush=True)
"""
_ENDS_ALONE = """
import time
from ops_platform.embedded.supervisor import ignore_signals, stop_on_signals

with stop_on_signals():
    ignore_signals()
    print("stopping", flush=True)
    time.sleep(0.5)
print("orderly", flush=True)
"""

# The signal comes during the fork of a program's start, where Python drops what a handler raises.
_DROPS = """
import os, signal, sys
from pathlib import Path
from ops_platform.embedded.processes import Program, guarded_programs
from ops_platform.embedded.supervisor import stop_on_signals, watch


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    sum(range(9))


sys.unraisablehook = lambda dropped: print(dropped.exc_type.__name__, flush=True)
folder = Path(sys.argv[1])
command = [sys.executable, "-c", "import time; time.sleep(60)"]
with stop_on_signals() as stop, guarded_programs(require_wanted=stop.require_none) as programs:
    os.register_at_fork(after_in_parent=interrupt)
    programs.start(Program("it", command, {}, folder=folder, log=folder / "it.log"))
    watch(programs)
print("orderly", flush=True)
"""


def started(code: str) -> subprocess.Popen[str]:
    """Start Python code whose lines can be read."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_break_off_the_stop(number: signal.Signals) -> None:
    """Who presses ^C twice is in a hurry, and still wants nothing left behind."""
    with started(_WAITS) as waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "waiting\n"
        waiting.send_signal(number)
        assert waiting.stdout.readline() == "stopping\n"
        waiting.send_signal(number)
        assert waiting.stdout.read() == "stopped\norderly\n"
    assert waiting.returncode == 0


def test_a_signal_does_not_break_off_a_stop_that_began_without_one() -> None:
    """A program has died, everything is being stopped, and now ^C comes as well."""
    with started(_ENDS_ALONE) as stopping:
        assert stopping.stdout is not None
        assert stopping.stdout.readline() == "stopping\n"
        stopping.send_signal(signal.SIGINT)
        assert stopping.stdout.read() == "orderly\n"
    assert stopping.returncode == 0


def test_a_signal_that_python_drops_is_noticed_by_whoever_waits(tmp_path: Path) -> None:
    """A program is being started when it comes: nothing may run on as if it had not."""
    told = subprocess.run(
        [sys.executable, "-c", _DROPS, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=30,
        cwd=Path(__file__).parents[2],
    ).stdout
    assert told == "StopRequested\norderly\n"
