"""Fixtures: a real Postgres for the whole test session, and an empty database for each test."""

import contextlib
import os
import uuid
from collections.abc import Iterator

import pytest
from psycopg import sql

from ops_platform.embedded.postgres import PostgresServer, running_postgres


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Give one server to the session; xdist's workers find each other in the folder above."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with running_postgres(folder / "state") as server:
        yield server


@contextlib.contextmanager
def fresh_database(server: PostgresServer, *, template: str = "template0") -> Iterator[str]:
    """Make a database, yield its name, and drop it whoever is still connected.

    ``template`` names a database to copy, to which nobody may be connected meanwhile.
    """
    name = f"test_{uuid.uuid4().hex}"
    with server.connect("postgres") as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        try:
            yield name
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """Give a test an empty database of its own, as a SQLAlchemy URL."""
    with fresh_database(postgres) as name:
        yield postgres.url(name)
