"""Put this process out of reach of everything, then run a command: ``python -I launch.py PLAN``.

The plan is a JSON object: ``command``, ``environment``, ``folder`` (to be copied), ``home`` (an
empty folder), ``readable`` (further folders), ``own_user`` (only root can give it one),
``isolated``, ``report`` (a file descriptor), and the limits ``memory``, ``processes``, ``written``,
``files`` and ``disk``, in bytes where they are sizes. Two lines of JSON go to ``report``: one when
all is ready, one when the command has ended, with ``exit_code`` or ``signal``.

Isolated, the command has a process table, a network and a file system of its own: it finds there
the programs of this machine, what is readable, and its home, which alone it may write.
Sources: unshare(2), pid_namespaces(7), mount_setattr(2), chroot(2), prctl(2), netdevice(7).
"""

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

_NEW_MOUNTS, _NEW_IPC, _NEW_PROCESSES, _NEW_NETWORK = 0x20000, 0x8000000, 0x20000000, 0x40000000
_NO_SUID, _NO_DEVICES, _BIND, _RECURSIVE, _PRIVATE = 2, 4, 0x1000, 0x4000, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
# Users that nobody has: each sandbox takes the one of its own process's number.
_FIRST_USER = 1_000_000
_WORK = "work"
_NOT_STARTED = 127
_LINUX = sys.platform == "linux"
_SYSTEM = (
    "/bin", "/lib", "/lib32", "/lib64", "/sbin", "/usr",
    "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero",
    "/etc/alternatives", "/etc/group", "/etc/hosts", "/etc/ld.so.cache", "/etc/localtime",
    "/etc/nsswitch.conf", "/etc/passwd", "/etc/ssl",
)  # fmt: skip

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Run the plan; this process ends when the command has, and everything it started."""
    plan = json.loads(sys.argv[1])
    plan["user"] = _FIRST_USER + os.getpid() if plan["own_user"] else None
    _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if plan["isolated"]:
        _leave_everything(plan)
    else:
        _control(_PR_SET_CHILD_SUBREAPER, 1)
    _copy(plan)
    # The first process of a process table: when it ends, the kernel ends all the others.
    first = os.fork()
    if first == 0:
        _be_first(plan)
    if not plan["isolated"]:
        signal.signal(signal.SIGTERM, lambda *_: _end_all(first))
    _, status = os.waitpid(first, 0)
    if not plan["isolated"]:
        _end_all(first)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _leave_everything(plan: dict[str, Any]) -> None:
    kinds = _NEW_MOUNTS | _NEW_IPC | _NEW_PROCESSES | _NEW_NETWORK
    _called("unshare", _libc.unshare(kinds))
    _raise_loopback()
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)
    root, home = plan["home"], f"{plan['home']}{plan['home']}"
    _mount("tmpfs", root, "tmpfs", _NO_SUID | _NO_DEVICES, "size=1m,mode=0755")
    _fill(root, [*_SYSTEM, *plan["readable"]])
    for folder in (home, f"{root}/proc"):
        Path(folder).mkdir(parents=True)
    _make_read_only(root)
    options = f"size={plan['disk']},mode=0700,uid={plan['user']},gid={plan['user']}"
    _mount("tmpfs", home, "tmpfs", _NO_SUID | _NO_DEVICES, options)
    plan["root"] = root


def _fill(root: str, paths: Iterable[str]) -> None:
    """Show files, folders and links of this machine under another root, at the same paths."""
    shown: list[Path] = []
    for path in map(Path, sorted(set(paths), key=len)):
        there = Path(f"{root}{path}")
        if any(path.is_relative_to(each) for each in shown) or not path.exists():
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            there.symlink_to(path.readlink())
            continue
        there.mkdir() if path.is_dir() else there.touch()
        _mount(str(path), str(there), None, _BIND)
        shown.append(path)


def _copy(plan: dict[str, Any]) -> None:
    """Copy the folder; links stay links, and devices and pipes are left out."""
    home = Path(plan.get("root", "") + plan["home"])
    work = home / _WORK
    shutil.copytree(plan["folder"], work, symlinks=True, ignore=_special)
    if plan["user"] is None:
        return
    os.chown(home, plan["user"], plan["user"])
    for folder, folders, files in os.walk(work):
        for name in (".", *folders, *files):
            os.chown(Path(folder, name), plan["user"], plan["user"], follow_symlinks=False)


def _special(folder: str, names: list[str]) -> list[str]:
    """Return what is not copied: history, environments, and what is no file."""
    paths = {name: Path(folder, name) for name in names}
    return [
        name
        for name, path in paths.items()
        if name in {".git", ".venv"} or not (path.is_symlink() or path.is_file() or path.is_dir())
    ]


def _be_first(plan: dict[str, Any]) -> NoReturn:
    """Run the command, take in what it leaves behind, and report how it ended."""
    _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    if plan["isolated"]:
        _mount("proc", f"{plan['root']}/proc", "proc", _NO_SUID | _NO_DEVICES)
        os.chroot(plan["root"])
    os.chdir(Path(plan["home"], _WORK))
    _report(plan, {"ready": True})
    command = os.fork()
    if command == 0:
        _run(plan)
    status = None
    while status is None:
        pid, ended = os.wait()
        status = ended if pid == command else None
    code = os.waitstatus_to_exitcode(status)
    _report(plan, {"exit_code": code} if code >= 0 else {"signal": -code})
    os._exit(0)


def _run(plan: dict[str, Any]) -> NoReturn:
    os.close(plan["report"])
    _limit(plan)
    if plan["user"] is not None:
        os.setgroups([])
        os.setresgid(plan["user"], plan["user"], plan["user"])
        os.setresuid(plan["user"], plan["user"], plan["user"])
    _control(_PR_SET_NO_NEW_PRIVS, 1)
    os.umask(0o077)
    try:
        os.execve(plan["command"][0], plan["command"], plan["environment"])  # noqa: S606
    except OSError as error:
        os.write(2, f"{plan['command'][0]} cannot be started: {error.strerror}\n".encode())
    os._exit(_NOT_STARTED)


def _limit(plan: dict[str, Any]) -> None:
    limits = {resource.RLIMIT_FSIZE: plan["written"], resource.RLIMIT_CORE: 0}
    limits[resource.RLIMIT_NOFILE] = plan["files"]
    if _LINUX:
        # A user's processes are counted together, so one without a user of its own gets some more.
        others = 0 if plan["user"] is not None else _processes_of_mine()
        limits |= {
            resource.RLIMIT_AS: plan["memory"],
            resource.RLIMIT_NPROC: plan["processes"] + others,
        }
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))


def _processes_of_mine() -> int:
    """Return how many threads the user of this process has."""
    mine = os.getuid()
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == mine:
                total += sum(1 for _ in (process / "task").iterdir())
        except OSError:
            continue  # it has ended
    return total


def _end_all(first: int) -> None:
    """End whatever the command left behind, which has become ours."""
    with contextlib.suppress(OSError):  # it has ended
        os.killpg(first, signal.SIGKILL)
    while _LINUX and (children := Path("/proc/thread-self/children").read_text().split()):
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        os.wait()
    os._exit(0)


def _report(plan: dict[str, Any], line: dict[str, Any]) -> None:
    os.write(plan["report"], json.dumps(line).encode() + b"\n")


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))


def _make_read_only(root: str) -> None:
    attributes = struct.pack("QQQQ", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    done = _libc.syscall(
        _MOUNT_SETATTR, _AT_FDCWD, root.encode(), _AT_RECURSIVE, attributes, len(attributes)
    )
    _called("mount_setattr", done)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    name = kind.encode() if kind else None
    done = _libc.mount(source.encode(), target.encode(), name, flags, options.encode())
    _called(f"mount {target}", done)


def _control(option: int, value: int) -> None:
    if _LINUX:
        _called("prctl", _libc.prctl(option, value, 0, 0, 0))


def _called(what: str, done: int) -> None:
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
