"""Hostile code in a sandbox: nothing leaks, all is bounded, and the outcome says what was."""

import os
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ops_platform.adapters.process_memory import memory_below
from ops_platform.adapters.sandbox import LocalSandbox
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.sandboxes import MEGABYTE, Ended, Isolation, Limits, Outcome, Task

SECRET = "a-secret-of-the-platform"
QUICK = Limits(seconds=20.0)


@pytest.fixture(params=[True, False], ids=["isolated", "own-code"])
def sandbox(request: pytest.FixtureRequest) -> LocalSandbox:
    """Each kind that this machine has."""
    return LocalSandbox(isolated=request.param)


@pytest.fixture
def isolated() -> LocalSandbox:
    """One that keeps tasks apart as well as it can be done."""
    found = LocalSandbox()
    if found.isolation is not Isolation.FULL:
        pytest.skip("only root, with the right to unshare, can isolate a task")
    return found


def _run(sandbox: LocalSandbox, folder: Path, code: str, limits: Limits = QUICK) -> Outcome:
    (folder / "code.py").write_text(textwrap.dedent(code))
    readable = (sys.prefix, sys.base_prefix)
    command = (sys.executable, "-I", "-u", "code.py")
    return sandbox.run(Task(command=command, folder=str(folder), readable=readable, limits=limits))


def test_a_task_runs_and_tells(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """Its output and its exit code."""
    code = "import sys; print('said'); print('wrong', file=sys.stderr); sys.exit(3)"
    outcome = _run(sandbox, tmp_path, code)
    assert (outcome.ended, outcome.exit_code) == (Ended.EXITED, 3)
    assert (outcome.stdout, outcome.stderr) == (b"said\n", b"wrong\n")
    assert outcome.seconds < QUICK.seconds


def test_the_environment_of_the_platform_stays_with_it(
    sandbox: LocalSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task has a HOME of its own, and no variable that was not given to it."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    code = "import os, pathlib; print(dict(os.environ)); print(list(pathlib.Path.home().iterdir()))"
    printed = _run(sandbox, tmp_path, code).stdout.decode()
    assert SECRET not in printed
    assert os.environ["HOME"] not in printed.split("work")[0].split()
    assert "sandbox-" in printed


def test_no_file_and_no_process_of_ours_is_seen(isolated: LocalSandbox, tmp_path: Path) -> None:
    """Neither what stands beside its folder, nor our environment in /proc, nor root's files."""
    folder = tmp_path / "flow"
    folder.mkdir()
    (tmp_path / "secret").write_text(SECRET)
    code = f"""
        import os, pathlib
        print(sorted(each for each in os.listdir("/proc") if each.isdigit()))
        print(os.getuid() > 65536, os.getgroups())
        ours = {str(tmp_path / "secret")!r}
        for path in (ours, "/etc/shadow", "/proc/1/environ", "/var", "/run"):
            try:
                print(path, pathlib.Path(path).read_bytes())
            except OSError as error:
                print(type(error).__name__)
    """
    printed = _run(isolated, folder, code).stdout.decode()
    assert printed.splitlines()[:2] == ["['1', '2']", "True []"]
    assert SECRET not in printed
    assert printed.splitlines()[2:] == [
        "FileNotFoundError", "FileNotFoundError", "PermissionError", "FileNotFoundError",
        "FileNotFoundError",
    ]  # fmt: skip


def test_no_address_is_reached_but_its_own(isolated: LocalSandbox, tmp_path: Path) -> None:
    """Not the one that hands out credentials, nor anything that listens on this machine."""
    code = """
        import socket
        for host in ("169.254.169.254", "169.254.170.2", "10.0.0.1"):
            try:
                socket.create_connection((host, 80), timeout=5)
            except OSError as error:
                print(error.strerror)
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname())
            print("its own")
    """
    assert _run(isolated, tmp_path, code).stdout.decode().splitlines() == [
        "Network is unreachable", "Network is unreachable", "Network is unreachable", "its own",
    ]  # fmt: skip


def test_what_is_not_its_own_cannot_be_written(isolated: LocalSandbox, tmp_path: Path) -> None:
    """Its interpreter, say; nor does a link in its folder lead anywhere."""
    (tmp_path / "out").symlink_to("/etc/shadow")
    code = """
        import pathlib, sys
        for path in (sys.prefix + "/x", "/usr/x", "/x", "out"):
            try:
                pathlib.Path(path).write_text("x")
            except OSError as error:
                print(error.strerror)
    """
    assert set(_run(isolated, tmp_path, code).stdout.decode().splitlines()) <= {
        "Read-only file system", "No such file or directory", "Permission denied",
    }  # fmt: skip


def test_what_it_rewrites_is_a_copy(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """The checkout stays as it was."""
    code = "import pathlib; p = pathlib.Path('code.py'); p.unlink(); p.write_text('bad')"
    assert _run(sandbox, tmp_path, code).exit_code == 0
    assert (tmp_path / "code.py").read_text() == code


def test_one_that_never_ends_is_ended(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """With all that it started, though it listens to no signal."""
    code = """
        import os, signal, time
        for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
        print(os.getpid(), flush=True)
        time.sleep(600)
    """
    began = time.monotonic()
    outcome = _run(sandbox, tmp_path, code, Limits(seconds=2.0))
    assert (outcome.ended, outcome.exit_code) == (Ended.TIMED_OUT, None)
    assert time.monotonic() - began < 15
    assert not _still_there()


def test_what_it_leaves_behind_ends_with_it(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """A daemon that holds neither its streams nor its session."""
    code = """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                null = os.open(os.devnull, os.O_RDWR)
                for stream in range(3):
                    os.dup2(null, stream)
                time.sleep(600)
            os._exit(0)
        os.wait()
        print("done")
    """
    outcome = _run(sandbox, tmp_path, code)
    assert (outcome.exit_code, outcome.stdout) == (0, b"done\n")
    assert not _still_there()


def _still_there() -> list[str]:
    """Return what still runs of a task, by the names of its script and its home."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
            home = (process / "environ").read_bytes()
        except OSError:
            continue
        if b"code.py" in line and b"sandbox-" in home:
            found.append(line.decode())
    return found


def test_one_that_eats_memory_is_refused_it(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """Python tells it, or it is killed."""
    limits = Limits(seconds=20.0, memory=256 * MEGABYTE)
    outcome = _run(sandbox, tmp_path, "x = bytearray(1 << 30)", limits)
    assert outcome.exit_code == 1
    assert b"MemoryError" in outcome.stderr


def test_many_that_eat_memory_together_are_ended(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """Each stays below what one may have."""
    code = """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                break
        held = bytearray(os.urandom(1 << 20)) * 100
        time.sleep(60)
    """
    limits = Limits(seconds=30.0, memory=512 * MEGABYTE, total_memory=300 * MEGABYTE)
    outcome = _run(sandbox, tmp_path, code, limits)
    assert outcome.ended is Ended.TOOK_TOO_MUCH_MEMORY
    assert outcome.peak_memory > limits.total_memory


def test_one_that_forks_without_end_is_bounded(isolated: LocalSandbox, tmp_path: Path) -> None:
    """The kernel refuses it, and all that it has made ends with it."""
    code = """
        import os, time
        made = 0
        try:
            while True:
                if os.fork() == 0:
                    time.sleep(600)
                made += 1
        except OSError as error:
            print(made, error.strerror, flush=True)
    """
    outcome = _run(isolated, tmp_path, code, Limits(seconds=20.0, processes=20))
    assert outcome.ended is Ended.EXITED
    assert outcome.stdout == b"19 Resource temporarily unavailable\n"
    assert not _still_there()


def test_one_that_prints_a_gigabyte_is_ended(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """Its beginning and its end so far are kept."""
    code = """
        import sys
        print("first")
        for _ in range(1024):
            sys.stdout.write("x" * (1 << 20))
    """
    outcome = _run(sandbox, tmp_path, code, Limits(seconds=30.0, output=100_000))
    assert outcome.ended is Ended.TALKED_TOO_MUCH
    assert outcome.stdout.startswith(b"first\n")
    assert b"[...]" in outcome.stdout
    assert len(outcome.stdout) < 110_000


def test_one_that_fills_the_disk_finds_it_full(isolated: LocalSandbox, tmp_path: Path) -> None:
    """Its home is a file system of its own."""
    code = """
        try:
            for number in range(100):
                open(str(number), "wb").write(bytes(1 << 20))
        except OSError as error:
            print(number, error.strerror)
    """
    limits = Limits(seconds=20.0, disk=10 * MEGABYTE)
    printed = _run(isolated, tmp_path, code, limits).stdout.decode()
    assert printed.endswith("No space left on device\n")
    assert int(printed.split()[0]) < 11


def test_too_large_a_file_kills_its_writer(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """Or tells it, as Python has it."""
    limits = Limits(seconds=20.0, written=MEGABYTE)
    outcome = _run(sandbox, tmp_path, "open('x', 'wb').write(bytes(1 << 22))", limits)
    assert outcome.exit_code != 0


def test_one_that_is_killed_is_told_apart(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """By no exit code."""
    outcome = _run(sandbox, tmp_path, "import os; os.kill(os.getpid(), 9)")
    assert (outcome.ended, outcome.exit_code) == (Ended.KILLED, None)


def test_a_program_that_is_not_there_is_told(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """By the exit code that shells have for it."""
    outcome = sandbox.run(Task(command=("/no/such/program",), folder=str(tmp_path)))
    assert outcome.exit_code == 127
    assert b"cannot be started" in outcome.stderr


def test_a_folder_that_is_not_there_is_no_outcome(sandbox: LocalSandbox, tmp_path: Path) -> None:
    """It is our mistake, not the task's."""
    task = Task(command=("/bin/true",), folder=str(tmp_path / "none"))
    with pytest.raises(PlatformError, match="sandbox could not be made"):
        sandbox.run(task)


def test_nothing_is_left_on_the_disk(
    sandbox: LocalSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even after an end by force."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / "flow"
    folder.mkdir()
    _run(sandbox, folder, "import time; open('x', 'w'); time.sleep(60)", Limits(seconds=1.0))
    assert [each.name for each in tmp_path.iterdir()] == ["flow"]


def test_memory_is_counted_with_that_of_descendants() -> None:
    """Ours is some of that of the process that started us."""
    assert memory_below(os.getppid()) >= memory_below(os.getpid()) > MEGABYTE
    assert memory_below(1 << 30) == 0
