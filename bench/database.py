"""A Postgres of the benchmarks' own, with a fresh ledger for each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from psycopg import sql

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.embedded.postgres import PostgresServer, running_postgres


@dataclass(frozen=True, slots=True)
class Bench:
    """The server the benchmarks share."""

    server: PostgresServer

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Create a database with an empty ledger; drop it afterwards."""
        name = f"bench_{uuid4().hex[:12]}"
        with self.server.connect("postgres") as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            ledger = Ledger(self.server.url(name))
            try:
                with ledger.transaction():  # The first one makes the tables.
                    pass
                yield ledger
            finally:
                ledger.close()
                admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


@contextmanager
def running() -> Iterator[Bench]:
    """Run a server in a temporary folder."""
    with TemporaryDirectory(prefix="bench-") as folder, running_postgres(Path(folder)) as server:
        yield Bench(server)
