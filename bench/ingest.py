"""How fast events in memory become state in Postgres, against the floor of the same work.

The floor decodes the same bodies into the same structs, skipping what we skip, and copies the
very rows that ingest wrote into a table of the same columns without an index.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa

from bench.database import Bench
from bench.load import Load, run_events
from bench.results import Result
from ops_platform.adapters.ledger import rows
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.schema import events
from ops_platform.domain import aws_documents as aws
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.routes import Routing, Stage
from ops_platform.operations.ingest_events import Recorded, record

ACCOUNTS = {"222222222222": "production"}
POLICY = AlertPolicy(
    settle=timedelta(seconds=60),
    max_age=timedelta(hours=24),
    routing=Routing(
        routes=(),
        channels={"production": "#alerts"},
        stages={"production": Stage.PRODUCTION},
    ),
)
_BATCH = 5000
_EVENTS_A_JOB = 10


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, tag_field="detail-type"):
    id: str
    time: datetime
    account: str
    region: str


class _JobChange(_Envelope, frozen=True, kw_only=True, tag="Batch Job State Change"):
    detail: aws.Job


class _ExecutionChange(
    _Envelope, frozen=True, kw_only=True, tag="Step Functions Execution Status Change"
):
    detail: aws.Execution


@dataclass(frozen=True, slots=True)
class _Measured:
    events: int
    seconds: float
    floor_seconds: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds

    @property
    def floor_rate(self) -> float:
        return self.events / self.floor_seconds


def ingest_in_memory(bench: Bench) -> Iterator[Result]:
    """Measure the run of a 10,000-wide foreach, then how the time grows with the width."""
    sizes = (10_000, 100_000, 300_000)
    found = {size: _measure(bench, Load(width=size // _EVENTS_A_JOB)) for size in sizes}
    wide = found[100_000]
    yield Result(
        name=f"(a) ingest {wide.events:,} events of a 10,000-wide foreach",
        measured=f"{wide.rate:,.0f} events/s",
        target="≥ 10,000 events/s",
        met=wide.rate >= 10_000,
    )
    ratio = wide.floor_rate / wide.rate
    yield Result(
        name="(a) the floor: decode the same JSON, copy the same rows",
        measured=f"{wide.floor_rate:,.0f} events/s, {ratio:.1f} times ours",
        target="≤ 10 times",
        met=ratio <= 10,
    )
    for each in found.values():
        yield Result(f"(b) ingest {each.events:,} events", f"{each.rate:,.0f} events/s")
    growth = found[10_000].rate / found[300_000].rate
    yield Result(
        name="(b) cost of an event, 300,000 against 10,000",
        measured=f"{growth:.2f} times",
        target="≤ 1.5 times (linear)",
        met=growth <= 1.5,
    )


def _measure(bench: Bench, load: Load) -> _Measured:
    with bench.ledger() as ledger:
        recorded, seconds, decoding = Recorded(), 0.0, 0.0
        bodies = run_events(load)
        # The events of the widest run would not fit in memory; making them is not timed.
        while batch := list(islice(bodies, _BATCH)):
            decoding += _decode_seconds(batch)
            started = time.perf_counter()
            recorded += record(
                ledger, batch, accounts=ACCOUNTS, policy=POLICY, now=datetime.now(UTC)
            )
            seconds += time.perf_counter() - started
        if recorded.new != recorded.read:
            raise RuntimeError(f"Every event is new and valid, yet: {recorded}")
        return _Measured(recorded.new, seconds, decoding + _copy_seconds(ledger))


def _decode_seconds(bodies: Iterable[bytes]) -> float:
    decode = msgspec.json.Decoder(_JobChange | _ExecutionChange).decode
    started = time.perf_counter()
    for body in bodies:
        decode(body)
    return time.perf_counter() - started


def _copy_seconds(ledger: Ledger) -> float:
    columns = [column.name for column in events.columns]
    with ledger.transaction() as tx:
        stored = [tuple(row) for row in tx.execute(sa.select(*map(_as_copied, events.columns)))]
    started = time.perf_counter()
    with ledger.transaction() as tx:
        tx.execute(sa.text("CREATE TABLE floor (LIKE events)"))
        rows.copy(tx, "floor", columns, stored)
    return time.perf_counter() - started


def _as_copied(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """JSON is copied as the text that was stored, not decoded and encoded once more."""
    return sa.cast(column, sa.Text) if column.name in {"attempts", "detail"} else column
