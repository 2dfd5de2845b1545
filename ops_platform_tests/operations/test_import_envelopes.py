"""Envelopes that somebody kept go the way of all events, and make a day whole if he says so."""

import gzip
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.errors import PlatformError
from ops_platform.operations.import_events import Imported, Importer
from ops_platform.operations.keep_history import Kept, keep_history
from ops_platform_tests.build import ACCOUNTS, bodies
from ops_platform_tests.ledger_world import POLICY, alerts
from ops_platform_tests.operations.history_world import (
    NOW,
    REPLAYED,
    all_rows,
    day,
    dropped,
    resolve_all,
    some_days,
    tell,
)

_STATES = ("jobs", "executions", "container_instances", "runs")


def _import(ledger: Ledger, file: Path, *, whole: Sequence[date] = ()) -> Imported:
    (done,) = Importer(ledger, ACCOUNTS, REPLAYED, NOW).import_files([file], whole=whole)
    return done


def _drop(ledger: Ledger) -> Kept:
    return keep_history(ledger, kept_from=day(3), now=NOW, pause=lambda _: None)


def test_envelopes_go_the_way_of_all_events(ledger: Ledger, tmp_path: Path) -> None:
    """Parsed and redacted, counted once, and nobody is alerted."""
    file = tmp_path / "archive.json"
    told = bodies(some_days(1))
    file.write_bytes(b"\n".join([*told, told[0], b'{"id": "1"}']))

    done = _import(ledger, file)

    assert (done.day, done.read, done.new["events"]) == (None, len(told) + 2, len(told))
    assert (done.duplicates, done.rejected) == (1, 1)
    (alert,) = alerts(ledger)
    assert (alert["state"], alert["reason"]) == ("withheld", "replayed")
    assert "a secret" not in str(all_rows(ledger))


def test_envelopes_make_a_day_whole_only_if_somebody_says_so(
    ledger: Ledger, tmp_path: Path
) -> None:
    """Nobody else knows whether the archive had all of them."""
    told = some_days(3)
    tell(ledger, told)
    resolve_all(ledger)
    before = all_rows(ledger, _STATES)
    _drop(ledger)
    file = tmp_path / "archive.json.gz"
    file.write_bytes(gzip.compress(b"".join(bodies(told))))

    _import(ledger, file)
    assert dropped(ledger) == [day(0), day(1), day(2)]

    _import(ledger, file, whole=[day(0), day(1)])
    assert dropped(ledger) == [day(2)]
    assert all_rows(ledger, _STATES) == before
    assert _drop(ledger).dropped == (day(2),)


def test_a_day_that_is_not_over_is_not_whole(ledger: Ledger, tmp_path: Path) -> None:
    """Whatever somebody says."""
    with pytest.raises(PlatformError, match="is not over yet"):
        _import(ledger, tmp_path / "none", whole=[NOW.date()])


def test_who_would_have_it_alerted_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """What is long over is no news to anybody."""
    with pytest.raises(ValueError, match="must not be alerted"):
        list(Importer(ledger, ACCOUNTS, POLICY, NOW).import_files([tmp_path]))
