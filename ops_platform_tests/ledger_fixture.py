"""Fixtures: a real ledger, one for each test or, which is quicker, one that is emptied for it."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.embedded.postgres import PostgresServer
from ops_platform_tests.ledger_world import empty, open_ledger
from ops_platform_tests.postgres_fixture import fresh_database


@pytest.fixture(scope="session")
def empty_ledger(postgres: PostgresServer) -> Iterator[str]:
    """Give the name of a database with the ledger's tables, to be copied."""
    with fresh_database(postgres) as name:
        with open_ledger(postgres.url(name)) as migrated, migrated.transaction():
            pass
        yield name


@pytest.fixture
def ledger_url(postgres: PostgresServer, empty_ledger: str) -> Iterator[str]:
    """Give the address of an empty ledger."""
    with fresh_database(postgres, template=empty_ledger) as name:
        yield postgres.url(name)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """Give an empty ledger that no other test has."""
    with open_ledger(ledger_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def _shared_ledger(postgres: PostgresServer, empty_ledger: str) -> Iterator[Ledger]:
    with (
        fresh_database(postgres, template=empty_ledger) as name,
        open_ledger(postgres.url(name)) as opened,
    ):
        yield opened


@pytest.fixture
def emptied_ledger(_shared_ledger: Ledger) -> Ledger:
    """Give the ledger that other tests used before; partitions and numbers go on."""
    empty(_shared_ledger)
    return _shared_ledger
