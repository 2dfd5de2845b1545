"""What `up` starts is watched while it runs, and ended with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ops_platform.embedded.guard import marked
from ops_platform.embedded.processes import (
    Program,
    ProgramError,
    Programs,
    Running,
    guarded_programs,
)
from ops_platform_tests.embedded.postgres_holders import eventually

_SLEEP = "import time; time.sleep(60)"
# Ends neither by SIGTERM nor with its parent, and has a child like that in a session of its own.
_STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "child"], start_new_session=True)
print("here", flush=True)
time.sleep(60)
"""
# What `up` does, as a process that can be killed.
_UP = """
import sys, time
from pathlib import Path
from ops_platform.embedded.processes import Program, guarded_programs

folder = Path(sys.argv[1])
with guarded_programs() as programs:
    for name in ("one", "two"):
        command = [sys.executable, str(folder / "stubborn.py")]
        programs.start(Program(name, command, {}, folder=folder, log=folder / f"{name}.log"))
    print(programs.mark, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def programs() -> Iterator[Programs]:
    """A place to start programs in."""
    with guarded_programs() as started:
        yield started


def python(folder: Path, *arguments: str, name: str = "it", **more: object) -> Program:
    """Return a program in Python."""
    command: Sequence[str] = [sys.executable, *arguments]
    given = Program(name, command, dict(os.environ), folder=folder, log=folder / f"{name}.log")
    return Program(**{field: getattr(given, field) for field in Program.__slots__} | more)


def test_ready_programs_are_told_in_the_order_they_get_ready(
    programs: Programs, tmp_path: Path
) -> None:
    """Who is quick is told first, whatever the order of their start."""
    told: list[Running] = []
    late = time.monotonic() + 0.5
    slow = python(tmp_path, "-c", _SLEEP, name="slow", is_ready=lambda: time.monotonic() > late)
    quick = python(tmp_path, "-c", _SLEEP, name="quick")
    programs.await_ready([programs.start(slow), programs.start(quick)], told.append)
    assert [running.program.name for running in told] == ["quick", "slow"]


def test_a_program_that_ends_well_was_ready_if_it_was_to_end(
    programs: Programs, tmp_path: Path
) -> None:
    """A deployment is done when it has ended, and is not missed afterwards."""
    done = programs.start(python(tmp_path, "-c", "", ends=True))
    programs.await_ready([done], lambda _: None)
    programs.require_all_well()


@pytest.mark.parametrize(
    ("code", "ends", "told"),
    [
        ("print('alas'); raise SystemExit(3)", False, "ended with exit code 3"),
        ("print('alas'); raise SystemExit(3)", True, "ended with exit code 3"),
        ("print('alas')", False, "ended with exit code 0"),
        ("print('alas', flush=True); import os; os.kill(os.getpid(), 9)", False, "by signal 9"),
    ],
)
def test_a_program_that_should_have_run_on_is_named_with_the_end_of_its_log(
    programs: Programs, tmp_path: Path, *, code: str, ends: bool, told: str
) -> None:
    """Which one, how it ended, and what it had to say."""
    started = programs.start(python(tmp_path, "-c", code, ends=ends, is_ready=lambda: False))
    with pytest.raises(ProgramError, match=rf"^it .*{told}(?s:.*)alas"):
        programs.await_ready([started], lambda _: None)


def test_waiting_for_a_program_has_an_end(programs: Programs, tmp_path: Path) -> None:
    """One that runs but does not get ready is named as well."""
    program = python(tmp_path, "-c", _SLEEP, is_ready=lambda: False, ready_within=0.2)
    with pytest.raises(ProgramError, match="it was not ready within 0 s"):
        programs.await_ready([programs.start(program)], lambda _: None)


def test_what_does_not_end_when_asked_is_ended_with_its_children(tmp_path: Path) -> None:
    """Children of children in sessions of their own included, within the bound."""
    (tmp_path / "stubborn.py").write_text(_STUBBORN)
    with guarded_programs() as programs:
        stubborn = python(tmp_path, str(tmp_path / "stubborn.py"))
        programs.start(stubborn)
        assert eventually(lambda: stubborn.log.read_text().count("here") == 2)
        assert len(marked(programs.mark)) == 2
        began = time.monotonic()
    assert marked(programs.mark) == []
    assert time.monotonic() - began < 7


def test_what_ends_when_asked_is_not_waited_for(tmp_path: Path) -> None:
    """Stopping takes as long as the programs take, not as long as it may take."""
    with guarded_programs() as programs:
        programs.start(python(tmp_path, "-c", _SLEEP))
        began = time.monotonic()
    assert time.monotonic() - began < 3.4


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_programs_do_not_outlive_a_killed_up(tmp_path: Path, number: signal.Signals) -> None:
    """Nobody stopped them in order, and yet they and their children end."""
    (tmp_path / "stubborn.py").write_text(_STUBBORN)
    with subprocess.Popen(
        [sys.executable, "-c", _UP, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as up:
        assert up.stdout is not None
        mark = up.stdout.readline().strip()
        assert eventually(lambda: len(marked(mark)) == 4)
        up.send_signal(number)
        up.wait(timeout=60)
        assert eventually(lambda: marked(mark) == [], seconds=8)


def test_killing_the_guard_is_noticed_and_nothing_is_left(tmp_path: Path) -> None:
    """Without its guard `up` must not run on; and ends the programs itself."""
    with guarded_programs() as programs:
        programs.start(python(tmp_path, "-c", _SLEEP))
        os.kill(programs.guard.pid, signal.SIGKILL)
        programs.guard.wait()
        with pytest.raises(ProgramError, match="guard"):
            programs.require_all_well()
    assert marked(programs.mark) == []
