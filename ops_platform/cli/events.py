"""``ops-platform events``: feed the platform events from a file, and keep its history."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO

import click

from ops_platform.cli.event_days import drop, export, import_
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.progress import Progress
from ops_platform.clock import now
from ops_platform.operations.ingest_events import Recorded, record
from ops_platform.operations.policy import account_names, alert_policy

_BATCH = 5000


@click.group()
def events() -> None:
    """Feed events of AWS to the platform, and keep their history."""


events.add_command(export)
events.add_command(drop)
events.add_command(import_)


@events.command()
@click.argument("file", type=click.File("rb"))
def replay(file: BinaryIO) -> None:
    """Record EventBridge envelopes from FILE, one JSON object a line; - is standard input.

    What is recorded this way is never alerted. Lines that are no event are kept as rejected
    messages and counted; the exit code is 0 all the same.
    """
    recorded = Recorded()
    lines = _lines(file)
    with open_ledger() as opened, Progress("events read") as progress:
        while batch := list(islice(lines, _BATCH)):
            recorded += record(
                opened.ledger,
                batch,
                accounts=account_names(opened.settings),
                policy=alert_policy(opened.settings, replayed=True),
                now=now(),
            )
            progress.show(recorded.read)
    keys = ("read", "new", "duplicates", "rejected")
    click.echo(json.dumps({key: getattr(recorded, key) for key in keys}))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    first = next(file, b"").removeprefix(BOM_UTF8)
    stripped = (line.strip(b"\r\n") for line in chain((first,), file))
    return (line for line in stripped if line.strip())
