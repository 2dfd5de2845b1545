"""Connections to the ledger."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Lock

import sqlalchemy as sa
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from ops_platform.adapters.ledger.migrate import upgrade
from ops_platform.domain.errors import PlatformError

Transaction = sa.Connection
"""A connection within ``Ledger.transaction``: what all functions over the ledger take."""


# A network or a process that hangs must not hold a thread, or the lock of an account, for hours.
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}
_MOMENT = "3s"
_SESSION = (
    "timezone=UTC",
    "lock_timeout=50s",
    "idle_in_transaction_session_timeout=60s",
    "temp_buffers=64MB",  # taken as it is needed: what rollups are computed from
    "tcp_keepalives_idle=20",
    "tcp_keepalives_interval=10",
    "tcp_keepalives_count=3",
)


class LedgerError(PlatformError):
    """The ledger cannot be reached."""


class Ledger:
    """The ledger at one address; opens connections as they are needed.

    The first transaction of a process brings the tables up to date.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._migrating = Lock()
        self._migrated = False

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Yield a connection whose work is committed as a whole, or not at all."""
        with self._connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self, *, alone: str, beside: str) -> Iterator[Transaction]:
        """Yield a transaction that sees the ledger as it is now, however long it takes.

        Nobody else is meanwhile within a snapshot that is ``alone`` under the same name, or holds
        the lock that this is ``beside``. The wait for them comes first, so that what they did is
        seen.

        Raises:
            LedgerError: Somebody else is at it for longer than locks are waited for.
        """
        own, shared = (sa.func.hashtextextended(name, 0) for name in (alone, beside))
        with self._connect() as connection:
            try:
                with _said_who_is_at_it(f"{alone} or {beside}"), connection.begin():
                    connection.execute(sa.select(sa.func.pg_advisory_lock(own)))
                    connection.execute(sa.select(sa.func.pg_advisory_lock_shared(shared)))
                frozen = connection.execution_options(isolation_level="REPEATABLE READ")
                with frozen.begin():
                    yield frozen
                with connection.begin():
                    connection.execute(sa.select(sa.func.pg_advisory_unlock_shared(shared)))
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(own)))
            except BaseException:
                connection.invalidate()  # whose end is the end of its lock
                raise

    @contextmanager
    def alone(self, name: str) -> Iterator[Callable[[], None]]:
        """Keep everybody else out of what has this name, until the block or this process ends.

        Yields what raises ``LedgerError`` if the connection was lost, as when Postgres fails over:
        somebody else may be at it then.

        Raises:
            LedgerError: Somebody else is at it.
        """
        own = sa.func.hashtextextended(name, 0)
        with self._connect() as connection:
            held = connection.execution_options(isolation_level="AUTOCOMMIT")
            # Of a process that was killed just now, Postgres hears a moment later.
            held.execute(sa.text(f"SET lock_timeout = '{_MOMENT}'"))
            try:
                with _said_who_is_at_it(name):
                    held.execute(sa.select(sa.func.pg_advisory_lock(own)))
                yield lambda: _refuse_lost(held, name)
                with suppress(SQLAlchemyError):  # if it was lost, so is the lock
                    held.execute(sa.select(sa.func.pg_advisory_unlock(own)))
            finally:
                held.invalidate()  # whose end is the end of its lock, at the latest

    def _connect(self) -> sa.Connection:
        try:
            with self._migrating:
                if not self._migrated:
                    upgrade(self._engine)
                    self._migrated = True
            return self._engine.connect()
        except OperationalError as error:
            said = " ".join(str(error.orig).split())
            raise LedgerError(
                f"The ledger's database does not answer: {said}\n"
                "Check that it runs and that the database URL is right."
            ) from error

    def now(self) -> datetime:
        """Return the time by the database's clock, the one that all hosts share."""
        with self.transaction() as tx:
            clock = sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
            return tx.execute(sa.select(clock)).scalar_one().astimezone(UTC)

    def close(self) -> None:
        """Close the connections that are open."""
        self._engine.dispose()


def _refuse_lost(held: sa.Connection, name: str) -> None:
    try:
        held.execute(sa.select(1))
    except SQLAlchemyError:
        raise LedgerError(
            f"The connection that kept others from {name} was lost. Run it again."
        ) from None


@contextmanager
def _said_who_is_at_it(names: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        raise LedgerError(
            f"Somebody else is at it: {names}. Nothing was changed here; run it"
            " again when that has ended. Dagster's runs, and `ops-platform` commands in other"
            " terminals, show who it is."
        ) from error


def open_engine(url: str) -> sa.Engine:
    """Return an engine for psycopg 3, whatever driver the URL names."""
    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:  # the latter for a port that is no number
        raise LedgerError(
            "The database URL cannot be read. Write it as postgresql://USER:PASSWORD@HOST/NAME."
        ) from error
    if address.get_backend_name() not in {"postgresql", "postgres"}:
        raise LedgerError(
            f"The ledger needs Postgres, but the database URL names {address.get_backend_name()!r}."
        )
    return sa.create_engine(
        address.set(drivername="postgresql+psycopg"),
        pool_size=2,
        pool_pre_ping=True,
        hide_parameters=True,  # an error is shown in Dagster, and messages may hold secrets
        connect_args={**_PATIENCE, "options": " ".join(f"-c {each}" for each in _SESSION)},
    )
