"""What is older than is kept goes, all else stays, and days that went are known."""

from datetime import timedelta
from threading import Event as Signal
from threading import Thread

import msgspec
import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger import history, patience
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import JobEvent
from ops_platform.operations.keep_history import Kept, keep_history, kept_since
from ops_platform_tests.build import ACCOUNT, NOON, a_job_event, an_execution_event
from ops_platform_tests.build import an_instance_event as an_instance
from ops_platform_tests.operations.history_world import (
    NOW,
    a_run_of,
    all_rows,
    day,
    dropped,
    partitions,
    resolve_all,
    some_days,
    tell,
)


def _keep(ledger: Ledger, days: int = 7, *, dry_run: bool = False) -> Kept:
    """Keep so many days before the eleventh, at noon."""
    kept_from = kept_since(NOW, days=days)
    return keep_history(ledger, kept_from=kept_from, now=NOW, dry_run=dry_run, pause=lambda _: None)


def _ids(ledger: Ledger, table: str, column: str) -> set[str]:
    return {str(row[column]) for row in all_rows(ledger, [table])[table]}


def test_days_before_those_that_are_kept_are_dropped_and_recorded(ledger: Ledger) -> None:
    """With their jobs, executions, instances and runs; the others keep every row."""
    tell(ledger, some_days(5))
    resolve_all(ledger)
    before = all_rows(ledger)

    done = _keep(ledger, 7)

    assert (done.kept_from, done.dropped, done.busy) == (day(3), (day(0), day(1), day(2)), ())
    assert (done.days, done.oldest) == (2, day(3))
    assert dropped(ledger) == [day(0), day(1), day(2)]
    assert partitions(ledger) == [day(3), day(4)]
    after = all_rows(ledger)
    assert after.pop("runs") == before["runs"], "their incidents, which stay, are named by them"
    for table, rows in after.items():
        assert rows == [row for row in before[table] if _is_of(row, ("-3", "-4"))], table
        assert len(rows) > 0


def _is_of(row: dict[str, object], names: tuple[str, ...]) -> bool:
    # Of a host that nobody told to be gone nobody knows that it is.
    return "instance_arn" in row or str(row["event_id"]).endswith(names)


def test_a_second_run_finds_nothing_to_do(ledger: Ledger) -> None:
    """Nor does it forget what was dropped."""
    tell(ledger, some_days(5))
    resolve_all(ledger)
    _keep(ledger)
    before = all_rows(ledger)

    again = _keep(ledger)

    assert (again.dropped, again.rows.total(), dropped(ledger)) == ((), 0, [day(0), day(1), day(2)])
    assert all_rows(ledger) == before


def test_a_dry_run_tells_the_same_and_changes_nothing(ledger: Ledger) -> None:
    """Not even what is recorded as dropped."""
    tell(ledger, some_days(5))
    resolve_all(ledger)
    before = all_rows(ledger)

    told = _keep(ledger, dry_run=True)

    assert (all_rows(ledger), dropped(ledger)) == (before, [])
    done = _keep(ledger)
    assert (told.dropped, told.rows) == (done.dropped, done.rows)
    assert done.rows["jobs"] == 3 * 6


def test_today_is_kept_whatever_is_asked_for(ledger: Ledger) -> None:
    """Keeping nothing keeps the day that is not over."""
    tell(ledger, some_days(11))

    done = _keep(ledger, days=-3)

    assert done.kept_from == NOW.date()
    assert partitions(ledger) == [NOW.date()]


def test_rollups_stay(ledger: Ledger) -> None:
    """They are what old days are remembered by."""
    tell(ledger, some_days(1))
    row = "VALUES ('jobs_submitted', :at, '{}', 6)"
    with ledger.transaction() as tx:
        insert = f"INSERT INTO metrics_hourly (metric, hour, dimensions, count) {row}"
        tx.execute(sa.text(insert), {"at": NOON})

    _keep(ledger)

    assert len(all_rows(ledger, ["metrics_hourly"])["metrics_hourly"]) == 1


def _job(
    job_id: str, *, began: float, ended: float | None = None, **changes: object
) -> list[JobEvent]:
    """Return the events of a job that began and ended so many days after the first noon."""
    begin = NOON + timedelta(days=began)
    events = [a_job_event(id=f"{job_id}-1", job_id=job_id, time=begin, created_at=begin, **changes)]
    if ended is not None:
        end = {"time": NOON + timedelta(days=ended), "stopped_at": NOON + timedelta(days=ended)}
        given = {"id": f"{job_id}-2", "status": "SUCCEEDED", **end}
        events.append(msgspec.structs.replace(events[0], **given))
    return events


def test_a_job_stays_that_is_open_or_touches_a_day_that_is_kept(ledger: Ledger) -> None:
    """It counts in every hour it touches, so none but those that are wholly before may go."""
    free = {"run_id": None, "flow": None, "owner": None}
    tell(ledger, _job("open", began=0, **free))
    tell(ledger, _job("spans", began=0, ended=3, **free))
    tell(ledger, _job("midnight", began=0, ended=2.5, **free))
    tell(ledger, _job("before", began=0, ended=2, **free))

    _keep(ledger, 7)

    assert _ids(ledger, "jobs", "job_id") == {"open", "spans", "midnight"}


def test_days_that_a_job_only_ran_through_are_dropped_with_it(ledger: Ledger) -> None:
    """No event tells of them, and yet their rollups cannot be computed any more."""
    tell(ledger, _job("long", began=-5, ended=-1, run_id=None))

    _keep(ledger, 7)

    assert dropped(ledger) == [day(number) for number in range(-5, 3)]


def test_a_run_goes_as_a_whole(ledger: Ledger) -> None:
    """While its execution or one of its jobs may still fail, its earlier jobs may tell why."""
    tell(ledger, _job("over", began=0, ended=1, run_id="sfn-over"))
    run = {"run_id": "sfn-long"}
    tell(ledger, [*_job("first", began=0, ended=1, **run), *_job("last", began=1, ended=4, **run)])
    tell(ledger, _job("of running", began=0, ended=1, run_id="sfn-running"))
    tell(ledger, [an_execution_event(name="running")])

    _keep(ledger, 7)

    assert _ids(ledger, "jobs", "job_id") == {"first", "last", "of running"}
    assert len(all_rows(ledger)["executions"]) == 1
    assert _ids(ledger, "runs", "run_id") == {"sfn-long", "sfn-running"}


def test_the_run_of_an_open_incident_stays(ledger: Ledger) -> None:
    """Somebody still has to look at it; once it is resolved the run goes, the incident does not."""
    tell(ledger, a_run_of(0))
    before = all_rows(ledger)

    _keep(ledger)
    assert all_rows(ledger, ["jobs", "executions", "runs"]) == {
        table: before[table] for table in ("jobs", "executions", "runs")
    }

    resolve_all(ledger)
    _keep(ledger)
    left = all_rows(ledger, ["jobs", "executions", "incidents", "alerts"])
    assert [len(left[table]) for table in left] == [0, 0, 1, 1]


def test_the_execution_that_resolved_an_incident_stays(ledger: Ledger) -> None:
    """Else a later one would seem to have, as soon as news of an old run come."""
    done = {"status": "SUCCEEDED", "time": NOON + timedelta(hours=2)}
    stopped = {"started_at": NOON + timedelta(hours=1), "stopped_at": NOON + timedelta(hours=2)}
    again = an_execution_event(id="2", name="2", execution_arn="arn:2", **done, **stopped)
    tell(ledger, [*a_run_of(0), again])

    _keep(ledger)

    assert _ids(ledger, "executions", "execution_arn") == {"arn:2"}
    assert _ids(ledger, "incidents", "resolved_by") == {"run sfn-2 succeeded"}


def test_a_host_stays_while_it_is_up_or_a_job_of_a_kept_day_ran_on_it(ledger: Ledger) -> None:
    """Its type is what the hours of that job are counted by."""
    gone = {"time": NOON + timedelta(days=1), "status": "INACTIVE", "version": 2}
    for arn in ("unused", "used"):
        tell(ledger, [an_instance(id=arn, instance_arn=arn)])
        tell(ledger, [an_instance(id=f"{arn} gone", instance_arn=arn, **gone)])
    tell(ledger, [an_instance(id="up", instance_arn="up")])
    tell(ledger, _job("late", began=0, ended=4, container_instance="used", run_id=None))

    _keep(ledger)

    assert _ids(ledger, "container_instances", "instance_arn") == {"up", "used"}


def test_logs_go_with_their_jobs_and_rejected_messages_with_their_day(ledger: Ledger) -> None:
    """Both hold foreign text, and much of it."""
    tell(ledger, [*_job("old", began=0, ended=1), *_job("new", began=0, ended=4, run_id=None)])
    with ledger.transaction() as tx:
        columns = "account, job_id, truncated, fetched_at"
        log = f"INSERT INTO job_logs ({columns}) VALUES (:a, :j, false, :t)"
        message = "INSERT INTO rejected_messages VALUES (:d, '', 'no event', :first, :last, 2)"
        tx.execute(sa.text(log), [{"a": ACCOUNT, "j": job, "t": NOON} for job in ("old", "new")])
        for digest, last in ((b"old", NOON), (b"new", NOON + timedelta(days=4))):
            tx.execute(sa.text(message), {"d": digest, "first": NOON, "last": last})

    done = _keep(ledger)

    assert _ids(ledger, "job_logs", "job_id") == {"new"}
    assert done.rows["rejected_messages"] == 1


def test_events_of_days_far_away_go_too(ledger: Ledger) -> None:
    """They share a partition, from which those of the future do not go."""
    far = NOON.replace(year=1999)
    ahead = NOON.replace(year=2999)
    tell(ledger, [a_job_event(id="far", time=far), a_job_event(id="ahead", time=ahead)])

    done = _keep(ledger)

    assert done.dropped == (far.date(),)
    assert far.date() in dropped(ledger)
    assert _ids(ledger, "events", "event_id") == {"ahead"}


def test_an_event_that_comes_later_does_not_make_its_day_whole(ledger: Ledger) -> None:
    """Its partition is made anew and dropped again, and the day is dropped all the while."""
    tell(ledger, some_days(5))
    _keep(ledger)

    tell(ledger, [a_job_event(id="late")])

    assert partitions(ledger) == [day(0), day(3), day(4)]
    with ledger.transaction() as tx:
        assert history.dropped_days_among(tx, [day(0), day(3)]) == [day(0)]
    assert _keep(ledger).dropped == (day(0),)
    assert partitions(ledger) == [day(3), day(4)]


def test_days_that_somebody_reads_are_not_dropped_meanwhile(ledger: Ledger) -> None:
    """Nor is the whole run given up: the day is left for the next."""
    tell(ledger, some_days(1))
    resolve_all(ledger)
    asked, ended = Signal(), Signal()

    def read() -> None:
        with ledger.transaction() as tx:
            tx.execute(sa.text("SELECT count(*) FROM events"))
            asked.set()
            ended.wait(30)

    reader = Thread(target=read)
    reader.start()
    asked.wait(30)
    try:
        done = _keep(ledger)
    finally:
        ended.set()
        reader.join()

    assert (done.busy, partitions(ledger), dropped(ledger)) == (
        (day(0),),
        [day(0)],
        [day(0), day(1), day(2)],
    )
    assert _keep(ledger).dropped == (day(0),)


def test_whoever_asked_is_waited_for(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollup that found a day to be whole can rely on it until it has been written."""
    monkeypatch.setattr(patience, "_FOR_READERS", "100ms")
    tell(ledger, some_days(1))
    with ledger.transaction() as tx:
        assert history.dropped_days_among(tx, [day(0)]) == []
        with pytest.raises(Exception, match="in use by others"):
            _keep(ledger)
    assert partitions(ledger) == [day(0)]
