"""What was exported and dropped comes back as it was."""

import gzip
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_platform.adapters.ledger import patience
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.events import Event
from ops_platform.operations.export_events import Exported, days_between, export_events
from ops_platform.operations.import_events import HELD_FOR, Imported, Importer
from ops_platform.operations.ingest_events import record
from ops_platform.operations.keep_history import Kept, keep_history
from ops_platform_tests.build import ACCOUNTS, NOON, a_job_event
from ops_platform_tests.build_runs import a_job_history
from ops_platform_tests.ledger_world import POLICY, alerts, empty
from ops_platform_tests.operations.history_world import (
    NOW,
    REPLAYED,
    TABLES,
    all_rows,
    any_days,
    day,
    dropped,
    moved,
    partitions,
    resolve_all,
    some_days,
    tell,
)

STATES = ("jobs", "executions", "container_instances", "runs")
# Each example is some transactions with a real database.
_ON_A_DATABASE = settings(
    max_examples=max(1, settings().max_examples // 5),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _export(ledger: Ledger, folder: Path, first: int = 0, last: int = 2) -> list[Path]:
    return [each.file for each in _exported(ledger, folder, first, last)]


def _exported(
    ledger: Ledger, folder: Path, first: int = 0, last: int = 2, *, force: bool = True
) -> list[Exported]:
    days = days_between(day(first), day(last))
    return list(export_events(ledger, days, folder, now=NOW, force=force))


def _import(ledger: Ledger, files: Sequence[Path], *, whole: Sequence[date] = ()) -> list[Imported]:
    return list(Importer(ledger, ACCOUNTS, REPLAYED, NOW).import_files(files, whole=whole))


def _keep(ledger: Ledger, *, later: timedelta = timedelta()) -> Kept:
    """Keep the fourth day and what came after."""
    return keep_history(ledger, kept_from=day(3), now=NOW + later, pause=lambda _: None)


@pytest.fixture
def exported(ledger: Ledger, tmp_path: Path) -> list[Path]:
    """Give the files of three of five days, in each of which a run failed."""
    tell(ledger, some_days(5))
    resolve_all(ledger)
    return _export(ledger, tmp_path)


def test_days_that_were_dropped_come_back_as_they_were(
    ledger: Ledger, exported: list[Path]
) -> None:
    """Every row of events and state, when it came included; and they are whole again."""
    before, sent = all_rows(ledger), alerts(ledger)
    _keep(ledger)
    assert all_rows(ledger) != before

    done = _import(ledger, exported)

    assert all_rows(ledger) == before
    assert (dropped(ledger), partitions(ledger)) == ([], [day(number) for number in range(5)])
    assert alerts(ledger) == sent, "nothing is told of what is brought back"
    assert [each.day for each in done] == [day(0), day(1), day(2)]
    # Still there were the run that an incident is about, and the hosts, which are not gone.
    assert [(each.new["jobs"], each.duplicates) for each in done] == [(6, 2), (6, 3), (6, 4)]


def test_an_import_of_what_is_there_changes_nothing(ledger: Ledger, exported: list[Path]) -> None:
    """However often."""
    before = all_rows(ledger, [*TABLES, "incidents", "alerts"])

    done = _import(ledger, [*exported, *exported])

    assert sum(each.new.total() for each in done) == 0
    assert all_rows(ledger, [*TABLES, "incidents", "alerts"]) == before


@_ON_A_DATABASE
@given(told=any_days(), order=st.permutations([0, 1, 2]), again=st.data())
def test_whatever_happened_comes_back(
    emptied_ledger: Ledger,
    tmp_path_factory: pytest.TempPathFactory,
    told: list[Event],
    order: list[int],
    again: st.DataObject,
) -> None:
    """In any order of the files, and though some events had come again before."""
    ledger = emptied_ledger
    empty(ledger)
    tell(ledger, told)
    resolve_all(ledger)
    before = all_rows(ledger)
    files = _export(ledger, tmp_path_factory.mktemp("days"))
    assert all_rows(ledger) == before
    _keep(ledger)
    tell(ledger, again.draw(st.lists(st.sampled_from(told), max_size=4)))

    _import(ledger, [files[number] for number in order])

    assert all_rows(ledger) == before
    # A day before the first may have been dropped too, if a job began there.
    assert not {day(number) for number in range(3)}.intersection(dropped(ledger))


@_ON_A_DATABASE
@given(told=any_days(), number=st.integers(0, 2))
def test_a_day_comes_back_whole_by_itself(
    emptied_ledger: Ledger,
    tmp_path_factory: pytest.TempPathFactory,
    told: list[Event],
    number: int,
) -> None:
    """The state of what touched it knows what the events of other days told."""
    ledger = emptied_ledger
    empty(ledger)
    tell(ledger, told)
    resolve_all(ledger)
    before = all_rows(ledger)
    (file,) = _export(ledger, tmp_path_factory.mktemp("days"), number, number)
    _keep(ledger)

    _import(ledger, [file])

    now = all_rows(ledger)
    for table in STATES:
        assert [row for row in now[table] if row not in before[table]] == []
    known = {row["job_id"] for row in now["jobs"]}
    of_day = [row for row in before["events"] if row["time"].startswith(str(day(number)))]
    assert [row for row in of_day if row not in now["events"]] == []
    assert {row["job_id"] for row in of_day if row["job_id"]} <= known
    assert day(number) not in dropped(ledger)


def test_a_job_that_only_ran_through_a_day_is_in_its_file(ledger: Ledger, tmp_path: Path) -> None:
    """No event of the day tells of it, and its metrics count it."""
    told = [moved(event, lambda at: NOON + (at - NOON) * 17_280) for event in _a_job()]
    tell(ledger, told)
    before = all_rows(ledger)["jobs"]
    (file,) = _export(ledger, tmp_path, 1, 1)
    keep_history(ledger, kept_from=day(9), now=NOW, pause=lambda _: None)
    assert all_rows(ledger)["jobs"] == []

    _import(ledger, [file])

    assert all_rows(ledger)["jobs"] == before
    assert dropped(ledger) == [day(number) for number in range(9) if number != 1]


def _a_job() -> Sequence[Event]:
    """Return events in ten seconds, which are to become two days."""
    return a_job_history("long", exits=[0], begin=0)


def test_another_ledger_takes_the_days_too(
    ledger: Ledger, exported: list[Path], emptied_ledger: Ledger
) -> None:
    """And Dagster is not told of runs that are long over as if they were news."""
    empty(emptied_ledger)

    _import(emptied_ledger, exported)

    before, now = all_rows(ledger), all_rows(emptied_ledger)
    assert all(row in before[table] for table in TABLES for row in now[table])
    assert len(now["executions"]) == 3
    with emptied_ledger.transaction() as tx:
        assert set(tx.scalars(sa.text("SELECT seq FROM executions"))) == {0}


def test_what_was_imported_is_held_for_a_week(ledger: Ledger, exported: list[Path]) -> None:
    """Somebody brought it back to look at it; then it goes as it went before."""
    _keep(ledger)
    before = all_rows(ledger)
    _import(ledger, exported[1:])
    back = all_rows(ledger)

    held = _keep(ledger)
    assert (held.held, held.dropped, all_rows(ledger)) == ((day(1), day(2)), (), back)
    assert dropped(ledger) == [day(0)]

    gone = _keep(ledger, later=HELD_FOR)
    assert (gone.held, gone.dropped) == ((), (day(1), day(2)))
    assert all_rows(ledger) == before
    assert dropped(ledger) == [day(0), day(1), day(2)]


def test_messages_that_were_rejected_come_back_without_what_they_held(
    ledger: Ledger, tmp_path: Path
) -> None:
    """They are counted; and a file that leaves the house may hold no secret."""
    secret = b'{"detail-type": "Other", "password": "hunter2"}'
    record(ledger, [secret, secret], accounts=ACCOUNTS, policy=POLICY, now=NOON)
    (before,) = all_rows(ledger, ["rejected_messages"])["rejected_messages"]
    (file,) = _export(ledger, tmp_path, 0, 0)
    assert b"hunter2" not in gzip.decompress(file.read_bytes())
    assert b"68756e74657232" not in gzip.decompress(file.read_bytes())
    _keep(ledger)
    assert all_rows(ledger, ["rejected_messages"])["rejected_messages"] == []

    _import(ledger, [file])

    (now,) = all_rows(ledger, ["rejected_messages"])["rejected_messages"]
    assert now == {**before, "body": "\\x"}


@pytest.mark.parametrize("damage", ["cut", "cut early", "changed", "another line", "no end"])
def test_a_damaged_file_is_refused_before_anything_is_written(
    ledger: Ledger, exported: list[Path], damage: str
) -> None:
    """Nor is anything imported of the whole file in front of it."""
    _keep(ledger)
    before = all_rows(ledger)
    whole = exported[2].read_bytes()
    heading, *lines = gzip.decompress(whole).splitlines(keepends=True)
    exported[2].write_bytes(
        {
            "cut": whole[: len(whole) // 2],
            "cut early": whole[:30],
            "changed": gzip.compress(heading + b"".join(lines).replace(b"TrainFlow", b"TrainFlaw")),
            "another line": gzip.compress(heading + b"".join([*lines, lines[0]])),
            "no end": gzip.compress(heading + b"".join(lines[:-1])),
        }[damage]
    )

    with pytest.raises(PlatformError, match=r"is damaged.* Nothing was imported"):
        _import(ledger, exported)

    assert all_rows(ledger) == before
    assert dropped(ledger) == [day(0), day(1), day(2)]


def test_a_file_of_a_later_version_is_refused(ledger: Ledger, exported: list[Path]) -> None:
    """Rather than misunderstood."""
    text = gzip.decompress(exported[0].read_bytes()).replace(b'"version":1', b'"version":2')
    exported[0].write_bytes(gzip.compress(text))

    with pytest.raises(PlatformError, match="another version of the platform, in format 2"):
        _import(ledger, exported)


def test_an_old_event_that_came_again_keeps_the_time_it_first_came(
    ledger: Ledger, exported: list[Path]
) -> None:
    """How late events are is a metric."""
    before = all_rows(ledger)
    _keep(ledger)
    tell(ledger, [*some_days(1), a_job_event(id="late", job_id="late")])

    _import(ledger, exported)

    now = all_rows(ledger)
    assert [row for row in now["events"] if row not in before["events"]] == [
        row for row in now["events"] if row["event_id"] == "late"
    ]


def test_nothing_is_dropped_from_under_an_export(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file has its day whole, as it was at one moment."""
    monkeypatch.setattr(patience, "_FOR_READERS", "100ms")
    tell(ledger, some_days(5))
    resolve_all(ledger)
    tried: list[int] = []

    def show(rows: int) -> None:
        if not tried:
            with pytest.raises(PlatformError, match="in use by others"):
                _keep(ledger)
            tell(ledger, [a_job_event(id="late", job_id="late")])
            tried.append(rows)

    (done,) = export_events(ledger, [day(0)], tmp_path, now=NOW, show=show)

    assert tried
    assert (done.rows["events"], done.rows["jobs"]) == (34, 6)
    assert _keep(ledger).dropped == (day(0), day(1), day(2))
