"""A real ledger, empty for each test."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.embedded.postgres import PostgresServer
from ops_platform_tests.ledger_world import empty, open_ledger
from ops_platform_tests.postgres_fixture import fresh_database


@pytest.fixture(scope="session")
def _shared_ledger(postgres: PostgresServer) -> Iterator[Ledger]:
    """Give one ledger to all tests here: to empty it is quicker than to make another."""
    with fresh_database(postgres) as name, open_ledger(postgres.url(name)) as opened:
        yield opened


@pytest.fixture
def ledger(_shared_ledger: Ledger) -> Ledger:
    """Give an empty ledger."""
    empty(_shared_ledger)
    return _shared_ledger
