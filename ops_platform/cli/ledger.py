"""How a command reaches the ledger, whichever edition it works on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.errors import PlatformError
from ops_platform.settings.edition import EMBEDDED_FILE, STATE_VARIABLE
from ops_platform.settings.load import load
from ops_platform.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Opened:
    """The ledger, and the settings it was found by."""

    ledger: Ledger
    settings: Settings


@contextmanager
def open_ledger(*, calls_aws: bool = False) -> Iterator[Opened]:
    """Open the ledger; the embedded edition's Postgres is started, or joined, meanwhile.

    That the edition is not up is said on standard error: in the wrong folder all lists are empty.

    Args:
        calls_aws: Whether the command is of no use without the edition's emulated AWS.

    Raises:
        PlatformError: It is of no use then.
    """
    settings = load(os.environ)
    if sentence := _not_up(settings):
        if calls_aws:
            raise PlatformError(sentence)
        click.echo(sentence, err=True)
    with _database_url(settings) as url:
        ledger = Ledger(url)
        try:
            yield Opened(ledger, settings)
        finally:
            ledger.close()


def _not_up(settings: Settings) -> str | None:
    """Return that the embedded edition has to be started, if it is the one and is not up."""
    if settings.edition == "aws" or (settings.state_dir / EMBEDDED_FILE).exists():
        return None
    return (
        f"The embedded edition in {settings.state_dir} is not up; start it with"
        f" `ops-platform embedded up`, or set {STATE_VARIABLE}."
    )


@contextmanager
def _database_url(settings: Settings) -> Iterator[str]:
    if settings.edition == "aws" or settings.database.url is not None:
        yield settings.require_database_url()
        return
    from ops_platform.embedded.postgres import running_postgres  # noqa: PLC0415, an extra

    with running_postgres(settings.state_dir) as server:
        yield server.url("ledger")
