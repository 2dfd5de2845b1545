"""The inbox: each event once, in the partition of its day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from ops_platform.adapters.ledger import events
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import Event
from ops_platform_tests.build import (
    ACCOUNT,
    NOON,
    a_failure,
    a_job_event,
    after,
    an_instance_event,
)
from ops_platform_tests.ledger_world import contents


def _insert(ledger: Ledger, *told: Event, now: datetime = NOON) -> Sequence[Event]:
    arrived = [(ACCOUNT, event) for event in told]
    with ledger.transaction() as tx:
        return [event for _, event in events.insert_new(tx, arrived, received_at=now)]


def _partitions(ledger: Ledger) -> dict[str, set[str]]:
    """Return the ids of the events by the partition they are in."""
    query = sa.text("SELECT tableoid::regclass::text, array_agg(event_id) FROM events GROUP BY 1")
    with ledger.transaction() as tx:
        return {name: set(ids) for name, ids in tx.execute(query)}


def test_an_event_is_new_once(ledger: Ledger) -> None:
    """Within a batch and across batches."""
    one, other = a_job_event(id="one"), a_job_event(id="other")

    assert _insert(ledger, one, one) == [one]
    assert _insert(ledger, one, other) == [other]
    assert _insert(ledger) == []
    assert len(contents(ledger)["events"]) == 2


def test_each_kind_of_event_is_stored_with_its_subject(ledger: Ledger) -> None:
    """A job in columns of its own, the others as JSON beside their status."""
    _insert(
        ledger,
        a_job_event(id="a"),
        a_job_event(id="b", blocked=True),
        a_failure(id="c"),
        an_instance_event(id="d"),
    )

    rows = contents(ledger)["events"]

    assert [row["kind"] for row in rows] == [
        "job",
        "queue_blocked",
        "container_instance",
        "execution",
    ]
    assert [row["status"] for row in rows] == ["RUNNABLE", "RUNNABLE", "ACTIVE", "FAILED"]
    assert [row["detail"] is None for row in rows] == [True, True, False, False]
    assert rows[3]["detail"]["execution_arn"] == rows[3]["subject"]


def test_a_day_has_a_partition_and_far_days_share_one(ledger: Ledger) -> None:
    """So that an event of 1970 or of the year 9999 makes no table of its own."""
    near = a_job_event(id="today")
    midnight = a_job_event(id="tomorrow", time=NOON + timedelta(hours=12))
    old = a_job_event(id="1970", time=datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
    far = a_job_event(id="9999", time=datetime.fromisoformat("9999-12-31T23:59:59+00:00"))

    _insert(ledger, near, midnight, old, far)

    assert _partitions(ledger) == {
        "events_20260302": {"today"},
        "events_20260303": {"tomorrow"},
        "events_other": {"1970", "9999"},
    }


def test_the_time_zone_of_an_event_does_not_move_it_to_another_day(ledger: Ledger) -> None:
    """Days are UTC's, whatever the envelope was written in."""
    _insert(ledger, a_job_event(id="x", time=datetime.fromisoformat("2026-03-03T01:00:00+05:30")))

    assert _partitions(ledger) == {"events_20260302": {"x"}}


def test_a_day_that_comes_near_takes_its_events_out_of_the_shared_partition(
    ledger: Ledger,
) -> None:
    """They stay where a query of that day looks, and are still known."""
    early = a_job_event(id="early", time=NOON + timedelta(days=30))
    late = a_job_event(id="late", time=NOON + timedelta(days=30, seconds=1))
    other = a_job_event(id="other", time=NOON + timedelta(days=31))
    _insert(ledger, early, other)
    assert _partitions(ledger) == {"events_other": {"early", "other"}}

    again = _insert(ledger, early, late, now=NOON + timedelta(days=29))

    assert again == [late]
    assert _partitions(ledger) == {
        "events_20260401": {"early", "late"},
        "events_other": {"other"},
    }


def test_a_day_without_new_events_needs_no_second_partition(ledger: Ledger) -> None:
    """A batch of duplicates is taken on any later day."""
    event = a_job_event(id="again")
    _insert(ledger, event)

    assert _insert(ledger, event, now=NOON + timedelta(days=500)) == []


def test_events_of_the_same_id_at_other_times_are_others(ledger: Ledger) -> None:
    """The key is both, since a partitioned table must have the day in it."""
    assert len(_insert(ledger, a_job_event(), a_job_event(time=after(1)))) == 2


def test_what_came_on_other_days_is_not_read(ledger: Ledger) -> None:
    """Else each batch would take longer, the longer the platform runs."""
    _insert(ledger, *(a_job_event(id=f"old-{number}") for number in range(2000)))
    new = [a_job_event(id=f"new-{number}", time=NOON + timedelta(days=1)) for number in range(500)]
    read = sa.text("SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = :name")

    with ledger.transaction() as tx:
        events.insert_new(tx, [(ACCOUNT, event) for event in new], received_at=NOON)
        seen = tx.scalar(read, {"name": f"events_{NOON:%Y%m%d}"})

    assert seen == 0
