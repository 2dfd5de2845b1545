"""The keeper: runs the Postgres of one state folder for as long as anybody holds it.

Every holder keeps one connection to the keeper's door. The kernel closes it however a holder
ends, so the keeper always knows when the last one is gone; then it stops the server and ends.
Should the keeper itself be killed, the kernel stops the server. It imports the standard library
and this package only: it starts with the first command of a day, and that one should feel quick.
"""

import contextlib
import selectors
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ops_platform.embedded.postgres_folder import SOCKET_NAME, PostgresFolder
from ops_platform.embedded.postgres_user import ServerUser, server_user

# What a holder hears: when it is taken, and when it leaves but others remain.
HELD = b"h"
STAYS = b"s"
_FIRST_HOLDER_SECONDS = 10.0
_LOOK_SECONDS = 0.2
_INITDB_OPTIONS = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--wal-segsize=4",
    "--no-instructions",
)
_SETTINGS = (
    "--listen_addresses=",
    "--unix_socket_permissions=0700",
    "--max_connections=100",
    "--shared_buffers=64MB",
    "--timezone=UTC",
    "--log_timezone=UTC",
    "--log_checkpoints=off",
)


def main(state: str, binaries: str, lock: str) -> int:
    """Keep the server of a state folder; return 1 if it failed, 0 if it was stopped or killed.

    ``lock`` is the inherited descriptor of the server's lock.
    """
    # Whoever started us may have ignored it, and our children are told by it to stop.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    folder, user = PostgresFolder.of_state(Path(state)), server_user()
    with _open_door(folder) as door:
        if not folder.data.exists():
            _make_cluster(folder, user, initdb=Path(binaries, "initdb"), lock=int(lock))
        user.give(folder.data)
        _forget_last_server(folder)
        settings = [f"--unix_socket_directories={folder.sockets}", *_SETTINGS]
        postgres = Path(binaries, "postgres")
        server = user.start([postgres, "-D", folder.data, *settings], lock=int(lock))
        try:
            # Held until this process has ended: the last one to leave waits for that.
            last = _serve(door, server)
        finally:
            failed = (server.poll() or 0) > 0
            # Out of reach before the server stops: who comes now waits for the next server.
            folder.door.unlink(missing_ok=True)
            door.close()
            _stop(server)
            _remove_borrowed_folder(folder)
    del last
    return int(failed)


@contextlib.contextmanager
def _open_door(folder: PostgresFolder) -> Iterator[socket.socket]:
    """Listen for holders; a socket that a killed keeper left is in the way and goes."""
    folder.door.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(folder.door))
        door.listen(128)
        yield door


def _make_cluster(folder: PostgresFolder, user: ServerUser, *, initdb: Path, lock: int) -> None:
    """Make the cluster; a half-made one never gets the real name."""
    shutil.rmtree(folder.unfinished, ignore_errors=True)
    folder.unfinished.mkdir(mode=0o700)
    user.give(folder.unfinished)
    code = user.start([initdb, *_INITDB_OPTIONS, "-D", folder.unfinished], lock=lock).wait()
    if code:
        sys.exit(int(code > 0))
    folder.unfinished.rename(folder.data)


def _forget_last_server(folder: PostgresFolder) -> None:
    """Remove what a killed server left, beside which Postgres would refuse to start.

    These files hold its pid. Whoever has the lock knows that no process of it lives; but the pid
    may be a stranger's by now, or that of a dead process whom nobody has buried yet.
    """
    for left in (folder.data / "postmaster.pid", folder.sockets / f"{SOCKET_NAME}.lock"):
        left.unlink(missing_ok=True)


def _serve(door: socket.socket, server: subprocess.Popen[bytes]) -> set[socket.socket]:
    """Take and release holders until all have left, or the server is dead; return the last."""
    door.settimeout(_FIRST_HOLDER_SECONDS)
    holders: set[socket.socket] = set()
    with selectors.DefaultSelector() as watched, contextlib.suppress(TimeoutError):
        watched.register(door, selectors.EVENT_READ)
        _take(door, holders, watched)
        while server.poll() is None:
            ready = {key.fileobj for key, _ in watched.select(_LOOK_SECONDS)}
            # Newcomers first: one who came before the last one left keeps the server.
            if door in ready:
                _take(door, holders, watched)
            left = holders & ready
            if left == holders:
                break
            for holder in left:
                holders.remove(holder)
                watched.unregister(holder)
                _say(holder, STAYS)
                holder.close()
    return holders


def _take(
    door: socket.socket, holders: set[socket.socket], watched: selectors.BaseSelector
) -> None:
    """Accept a holder and tell it so: from now on the server is also its."""
    holder, _ = door.accept()
    _say(holder, HELD)
    holders.add(holder)
    watched.register(holder, selectors.EVENT_READ)


def _say(holder: socket.socket, word: bytes) -> None:
    """Say a word to a holder, which may be dead."""
    with contextlib.suppress(OSError):
        holder.sendall(word)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server: at first in order, then at once."""
    for order, seconds in ((signal.SIGINT, 4.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 5.0)):
        server.send_signal(order)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(seconds)
            return


def _remove_borrowed_folder(folder: PostgresFolder) -> None:
    """Leave nothing in /tmp."""
    if folder.sockets != folder.root:
        with contextlib.suppress(OSError):
            folder.sockets.rmdir()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
