"""How a command reaches the ledger, whichever edition it works on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.settings.load import load
from ops_platform.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Opened:
    """The ledger, and the settings it was found by."""

    ledger: Ledger
    settings: Settings


@contextmanager
def open_ledger() -> Iterator[Opened]:
    """Open the ledger; the embedded edition's Postgres is started, or joined, meanwhile."""
    settings = load(os.environ)
    with _database_url(settings) as url:
        ledger = Ledger(url)
        try:
            yield Opened(ledger, settings)
        finally:
            ledger.close()


@contextmanager
def _database_url(settings: Settings) -> Iterator[str]:
    if settings.edition == "aws" or settings.database.url is not None:
        yield settings.require_database_url()
        return
    from ops_platform.embedded.postgres import running_postgres  # noqa: PLC0415, an extra

    with running_postgres(settings.state_dir) as server:
        yield server.url("ledger")
