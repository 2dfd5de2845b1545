"""What becomes of alerts, cancellations and messages marks the hours in which they are counted."""

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger import cancellations, incidents
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.rollups.marks import marked
from ops_platform.adapters.ledger.schema import alerts, marked_hours, rejected_messages
from ops_platform.adapters.ledger.schema import incidents as incident_rows
from ops_platform.domain.cancelling import Outcome
from ops_platform.domain.hours import HOUR, Hours
from ops_platform.domain.metric import Noun
from ops_platform.operations.roll_up_metrics import refresh, roll_up_hours
from ops_platform.operations.show_metrics import show_metric
from ops_platform_tests.build import NOON, an_incident
from ops_platform_tests.build_stale import a_judgement
from ops_platform_tests.metric_stories import PRICES

LATER = NOON + 26 * HOUR
MESSAGE = {"channel": "#alerts", "part": "message", "state": "pending", "why": "first"}


@pytest.fixture
def ledger_of_an_alert(emptied_ledger: Ledger) -> Ledger:
    """A ledger in which an alert waits that was due at noon; no hour is marked."""
    with emptied_ledger.transaction() as tx:
        incidents.save(tx, an_incident())
        tx.execute(
            sa.insert(alerts).values(
                incident_id=an_incident().id, due_at=NOON, plain=False, fallback=False, **MESSAGE
            )
        )
        tx.execute(sa.delete(marked_hours))
    return emptied_ledger


def _becomes(ledger: Ledger, **values: Any) -> None:
    with ledger.transaction() as tx:
        tx.execute(sa.update(alerts).values(**values))


def _marked(ledger: Ledger) -> set[datetime]:
    with ledger.transaction() as tx:
        return marked(tx, Noun.PLATFORM)


def test_a_dead_alert_marks_the_hour_it_was_due_in(ledger_of_an_alert: Ledger) -> None:
    """However long it was tried; the next refresh counts it there."""
    hours = Hours(NOON, NOON + HOUR)
    roll_up_hours(ledger_of_an_alert, hours, [Noun.PLATFORM], prices=PRICES, now=LATER)

    _becomes(ledger_of_an_alert, state="dead", reason="channel_not_found")

    assert _marked(ledger_of_an_alert) == {NOON}
    refresh(ledger_of_an_alert, prices=PRICES, now=LATER)
    (row,) = show_metric(ledger_of_an_alert, "alerts_dead", begin=NOON, end=NOON + HOUR)
    assert row["count"] == 1


def test_an_alert_that_is_sent_marks_the_hour_it_is_sent_in(ledger_of_an_alert: Ledger) -> None:
    """By Slack's own clock."""
    _becomes(ledger_of_an_alert, state="sent", message_ts=f"{LATER.timestamp():.6f}")

    assert _marked(ledger_of_an_alert) == {LATER}


def test_one_that_was_dead_and_is_sent_is_taken_out_of_its_hour(
    ledger_of_an_alert: Ledger,
) -> None:
    """Both hours are marked."""
    _becomes(ledger_of_an_alert, state="dead")
    _becomes(ledger_of_an_alert, state="sent", message_ts=f"{LATER.timestamp():.6f}")

    assert _marked(ledger_of_an_alert) == {NOON, LATER}


@pytest.mark.parametrize("values", [{"attempts": 3}, {"state": "withheld"}, {"due_at": LATER}])
def test_what_counts_for_nothing_marks_nothing(
    ledger_of_an_alert: Ledger, values: dict[str, Any]
) -> None:
    """A message that still waits, or is not to be sent."""
    _becomes(ledger_of_an_alert, **values)

    assert _marked(ledger_of_an_alert) == set()


def test_an_owner_who_is_found_later_marks_the_hours_of_the_alerts(
    ledger_of_an_alert: Ledger,
) -> None:
    """They are counted by flow and owner."""
    _becomes(ledger_of_an_alert, state="sent", message_ts=f"{NOON.timestamp():.6f}")
    with ledger_of_an_alert.transaction() as tx:
        tx.execute(sa.delete(marked_hours))
        tx.execute(sa.update(incident_rows).values(owner="grace"))

    assert _marked(ledger_of_an_alert) == {NOON}


def test_a_cancellation_that_settles_marks_the_hour_of_its_judgement(
    emptied_ledger: Ledger,
) -> None:
    """It is counted by what came of it."""
    with emptied_ledger.transaction() as tx:
        asked = cancellations.ask(tx, a_judgement(), now=NOON, asked_by="a run")
    assert asked is not None
    assert _marked(emptied_ledger) == {NOON}
    with emptied_ledger.transaction() as tx:
        tx.execute(sa.delete(marked_hours))
        cancellations.settle(tx, asked.id, Outcome.CANCELLED, now=LATER)

    assert _marked(emptied_ledger) == {NOON}


def test_a_rejected_message_marks_the_hour_it_was_first_seen_in(emptied_ledger: Ledger) -> None:
    """Seen again it is no other."""
    with emptied_ledger.transaction() as tx:
        values = {"digest": b"0" * 32, "body": b"{", "error": "no JSON", "times": 1}
        seen = {"first_seen_at": NOON, "last_seen_at": NOON}
        tx.execute(sa.insert(rejected_messages).values(**values, **seen))
        assert marked(tx, Noun.PLATFORM) == {NOON}
        tx.execute(sa.delete(marked_hours))
        tx.execute(sa.update(rejected_messages).values(times=2, last_seen_at=LATER))

    assert _marked(emptied_ledger) == set()
