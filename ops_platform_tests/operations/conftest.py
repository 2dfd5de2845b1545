"""A real ledger for each test, a copy of one that was migrated once."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.embedded.postgres import PostgresServer
from ops_platform_tests.ledger_world import migrated_database, open_ledger
from ops_platform_tests.postgres_fixture import fresh_database


@pytest.fixture(scope="session")
def empty_ledger(postgres: PostgresServer) -> Iterator[str]:
    """Give the name of a database with the ledger's tables."""
    with migrated_database(postgres) as name:
        yield name


@pytest.fixture
def ledger_url(postgres: PostgresServer, empty_ledger: str) -> Iterator[str]:
    """Give the address of an empty ledger."""
    with fresh_database(postgres, template=empty_ledger) as name:
        yield postgres.url(name)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """Give an empty ledger."""
    with open_ledger(ledger_url) as opened:
        yield opened
