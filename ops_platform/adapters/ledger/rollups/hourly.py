"""The rows of whole hours, computed from what the ledger knows and put in place of those before."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.rollups import engine, job_facts, marks, other_facts
from ops_platform.adapters.ledger.rollups.compiled import COLUMNS, statement, zeros
from ops_platform.adapters.ledger.rollups.engine import Engine
from ops_platform.adapters.ledger.rollups.taken import TAKEN, WATCHED
from ops_platform.adapters.ledger.schema import metrics_hourly, rollups
from ops_platform.domain.aws_values import millis
from ops_platform.domain.hours import HOUR, Hours
from ops_platform.domain.metric import Noun
from ops_platform.domain.moments import MADE
from ops_platform.domain.prices import Price
from ops_platform.domain.reasons import STALE_MARK
from ops_platform.domain.rollups import stored

HOURLY = "hour"
_NANO = 10**9
_ROLLED = """
CREATE TABLE rolled (
  metric VARCHAR, hour BIGINT, account VARCHAR, dimensions JSON, count BIGINT, sum DOUBLE,
  min DOUBLE, max DOUBLE, last DOUBLE, "values" VARCHAR, at_ms VARCHAR
)
"""
# The accounts that were watched then, and those of which an hour has anything.
_SEEN = """
CREATE TABLE seen AS
SELECT hour, account
FROM taken_accounts
JOIN (SELECT unnest(range(getvariable('since'), getvariable('until'), 3600000)) AS hour) AS hours
  ON epoch_ms(since) < hour + 3600000
UNION SELECT hour, account FROM rolled WHERE account <> ''
"""
_GIVEN = f"""
SELECT metric, epoch_ms(hour), dimensions, {", ".join(f'"{name}"' for name in COLUMNS)}
FROM rolled
"""


def replace(
    tx: sa.Connection, noun: Noun, hours: Hours, *, prices: Sequence[Price], now: datetime
) -> dict[datetime, int]:
    """Compute the rows of a noun for hours of one day; return how many each hour has.

    The marks of the hours are taken away with it. Those of events that come meanwhile stay: the
    transaction does not see them, nor the events, since it sees the ledger as it was at its start.
    """
    marks.unmark(tx, noun, hours)
    c = metrics_hourly.c
    mine = c.metric.in_([metric.name for metric in stored(noun)])
    tx.execute(sa.delete(metrics_hourly).where(mine, c.hour >= hours.begin, c.hour < hours.end))
    with engine.running() as running:
        _take(running, tx, noun, hours, prices)
        found = _compute(running, noun, hours, now)
        running.give(tx, _GIVEN, "metrics_hourly", ("metric", "hour", "dimensions", *COLUMNS))
    _note(tx, noun, hours, now)
    return dict.fromkeys(hours, 0) | found


def _take(
    running: Engine, tx: sa.Connection, noun: Noun, hours: Hours, prices: Sequence[Price]
) -> None:
    given = {"since": hours.begin, "until": hours.end, "stale_mark": STALE_MARK, "made": MADE}
    for each in (*TAKEN[noun], WATCHED):
        running.take(tx, each, given)
    running.run(
        "CREATE TABLE prices (pattern VARCHAR, vcpu_hour HUGEINT, gib_hour HUGEINT, rank INTEGER)"
    )
    for rank, price in enumerate(sorted(prices, key=_exactness)):
        nano = (round(price.vcpu_hour * _NANO), round(price.gib_hour * _NANO))
        running.run("INSERT INTO prices VALUES (?, ?, ?, ?)", (price.instance_type, *nano, rank))


def _exactness(price: Price) -> tuple[bool, int]:
    return not price.instance_type.endswith("*"), len(price.instance_type)


def _compute(running: Engine, noun: Noun, hours: Hours, now: datetime) -> dict[datetime, int]:
    for name, moment in (("since", hours.begin), ("until", hours.end), ("now", now)):
        running.run(f"SET VARIABLE {name} = CAST({millis(moment)} AS BIGINT)")
    prepare = job_facts.PREPARE if noun is Noun.JOBS else other_facts.PREPARE.get(noun, ())
    for each in (_ROLLED, *prepare, *map(statement, stored(noun)), _SEEN):
        running.run(each)
    for metric in stored(noun):
        running.run(zeros(metric))
    first = millis(hours.begin)
    counted = running.rows("SELECT hour, count(*) FROM rolled GROUP BY hour")
    return {hours.begin + (hour - first) // 3_600_000 * HOUR: number for hour, number in counted}


def _note(tx: sa.Connection, noun: Noun, hours: Hours, now: datetime) -> None:
    values = [
        {
            "grain": HOURLY,
            "noun": noun.value,
            "began": hour,
            "computed_at": now,
            "partial": now < hour + HOUR,
        }
        for hour in hours
    ]
    statement = insert(rollups).values(values)
    told = {name: statement.excluded[name] for name in ("computed_at", "partial")}
    tx.execute(
        statement.on_conflict_do_update(index_elements=["grain", "noun", "began"], set_=told)
    )
