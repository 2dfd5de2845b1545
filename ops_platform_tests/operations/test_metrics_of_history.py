"""What is dropped changes no rollup of what is kept, and what comes back computes the same.

Held to any history: whatever the metrics are made of, it is in a day's file.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_platform.adapters.ledger import watched
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.events import Event
from ops_platform.domain.hours import of_day
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.operations.export_events import days_between, export_events
from ops_platform.operations.import_events import Importer
from ops_platform.operations.keep_history import keep_history
from ops_platform.operations.roll_up_metrics import roll_up_days, roll_up_hours
from ops_platform_tests.build import ACCOUNT, ACCOUNTS
from ops_platform_tests.ledger_world import empty
from ops_platform_tests.operations.history_world import (
    NOW,
    REPLAYED,
    any_days,
    day,
    resolve_all,
    some_days,
    tell,
)

_ON_A_DATABASE = settings(
    max_examples=max(1, settings().max_examples // 25),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
OLD = days_between(day(0), day(2))
KEPT = days_between(day(3), day(6))
Rows = list[dict[str, Any]]


def _live(ledger: Ledger, told: Sequence[Event]) -> None:
    """Let days pass that the account was watched on, until every incident is resolved."""
    with ledger.transaction() as tx:
        watched.begin(tx, {ACCOUNT}, of_day(day(-1)).begin)
    tell(ledger, told)
    resolve_all(ledger)


def _computed(ledger: Ledger, days: Sequence[date]) -> Rows:
    """Compute days anew, and return every row of their hours and of themselves."""
    hours = [hour for each in days for hour in of_day(each)]
    roll_up_hours(ledger, hours, prices=DEFAULT_PRICES, now=NOW)
    roll_up_days(ledger, days, now=NOW)
    queries = (
        "SELECT to_jsonb(one) FROM metrics_hourly AS one WHERE hour >= :first AND hour < :end",
        "SELECT to_jsonb(one) FROM metrics_daily AS one WHERE day >= :first AND day < :end",
    )
    span = {"first": of_day(days[0]).begin, "end": of_day(days[-1]).end}
    with ledger.transaction() as tx:
        found = [row for query in queries for row in tx.scalars(sa.text(query), span)]
    return sorted(found, key=str)


def _drop(ledger: Ledger) -> None:
    done = keep_history(ledger, kept_from=KEPT[0], now=NOW, pause=lambda _: None)
    assert not done.busy


def _export(ledger: Ledger, folder: Path) -> list[Path]:
    return [each.file for each in export_events(ledger, OLD, folder, now=NOW)]


def _import(ledger: Ledger, files: Sequence[Path]) -> None:
    list(Importer(ledger, ACCOUNTS, REPLAYED, NOW).import_files(files))


def test_a_dropped_day_is_refused_until_it_is_brought_back(ledger: Ledger, tmp_path: Path) -> None:
    """Its rollups stay as they were, and are the same when they are computed again."""
    _live(ledger, some_days(5))
    before = _computed(ledger, OLD)
    files = _export(ledger, tmp_path)
    _drop(ledger)
    tell(ledger, some_days(1)[:3])

    with pytest.raises(PlatformError, match=r"dropped.*events import"):
        _computed(ledger, OLD[:1])

    _import(ledger, files)
    assert _computed(ledger, OLD) == before


@_ON_A_DATABASE
@given(told=any_days(), number=st.integers(0, 2))
def test_any_day_alone_computes_the_same(
    emptied_ledger: Ledger,
    tmp_path_factory: pytest.TempPathFactory,
    told: list[Event],
    number: int,
) -> None:
    """Whatever the events of other days told of what touched it."""
    ledger = emptied_ledger
    empty(ledger)
    _live(ledger, told)
    before = _computed(ledger, [day(number)])
    files = _export(ledger, tmp_path_factory.mktemp("days"))
    _drop(ledger)

    _import(ledger, [files[number]])

    assert _computed(ledger, [day(number)]) == before


@_ON_A_DATABASE
@given(told=any_days())
@pytest.mark.slow
def test_what_is_dropped_is_not_missed(emptied_ledger: Ledger, told: list[Event]) -> None:
    """The rollups of the days that are kept stay what they were."""
    ledger = emptied_ledger
    empty(ledger)
    _live(ledger, told)
    before = _computed(ledger, KEPT)

    _drop(ledger)

    assert _computed(ledger, KEPT) == before
