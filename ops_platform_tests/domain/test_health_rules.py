"""What is wrong with each part of the platform, as tables."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ops_platform.domain.health import Finding, What
from ops_platform.domain.health_rules import (
    Automation,
    AutomationKind,
    Cleanup,
    Ingest,
    Outbox,
    Reconciliation,
    done_within,
    judge_automations,
    judge_cleanup,
    judge_delivery,
    judge_ingest,
    judge_parsing,
    judge_reconciliation,
)
from ops_platform_tests.build import NOON

LIMIT = timedelta(minutes=15)


def before(**length: float) -> datetime:
    """Return a moment before noon."""
    return NOON - timedelta(**length)


def named(findings: list[Finding]) -> list[What]:
    """Return what was found, by name."""
    return [finding.what for finding in findings]


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        # Nothing waits: a quiet account is a healthy one.
        (Ingest("staging", 0, comes_in=False), []),
        # Something always waits where much happens, and it comes out.
        (Ingest("staging", 40, comes_in=True), []),
        (Ingest("staging", 40, comes_in=False), [What.EVENTS_WAIT]),
        (Ingest("staging", "No.", comes_in=True), [What.QUEUE_UNREADABLE]),
    ],
)
def test_events_that_wait_while_none_comes_in_are_found(facts: Ingest, found: list[What]) -> None:
    """Neither a quiet account nor a busy one is taken for a broken one."""
    findings = judge_ingest(facts, limit=LIMIT)
    assert named(findings) == found
    assert not any(finding.is_old for finding in findings), "the message may have come just now"


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (Outbox("staging"), []),
        (Outbox("staging", overdue=2, overdue_since=before(minutes=16)), [What.OVERDUE]),
        (Outbox("staging", refused=1, refusal="channel_not_found"), [What.REFUSED]),
        (Outbox("staging", unsure=1, unsure_since=before(hours=1)), [What.UNSURE]),
        (Outbox("staging", dead=3), [What.DEAD]),
        (
            Outbox("staging", overdue=1, overdue_since=before(hours=1), dead=1),
            [What.OVERDUE, What.DEAD],
        ),
    ],
)
def test_alerts_that_are_not_delivered_are_found(facts: Outbox, found: list[What]) -> None:
    """Each way not to be delivered has its own name."""
    findings = judge_delivery(facts, now=NOON)
    assert named(findings) == found
    # Since when a message is tried in vain, nobody wrote down.
    assert {finding.what for finding in findings if not finding.is_old} <= {What.REFUSED}


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        # No state machine yet: nothing to be behind with.
        (Reconciliation("staging", 0), []),
        (Reconciliation("staging", 3, oldest=before(minutes=10)), []),
        (Reconciliation("staging", 3, behind=1, oldest=before(hours=1)), [What.BEHIND]),
        # The first reading of an account may take long.
        (Reconciliation("staging", 3, unread=3, watched_since=before(hours=2)), []),
        (Reconciliation("staging", 3, unread=1, watched_since=before(days=2)), [What.NEVER_READ]),
    ],
)
def test_state_machines_that_are_behind_are_found(facts: Reconciliation, found: list[What]) -> None:
    """What is not asked for cannot fill what events missed."""
    assert named(judge_reconciliation(facts, now=NOON)) == found


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        # Nobody has looked yet, nor was anything heard of the account.
        (Cleanup("staging"), []),
        (Cleanup("staging", watched_since=before(minutes=29)), []),
        (Cleanup("staging", watched_since=before(minutes=30)), [What.UNCLEANED]),
        (Cleanup("staging", before(minutes=29), before(days=2)), []),
        (Cleanup("staging", before(minutes=30), before(days=2)), [What.UNCLEANED]),
    ],
)
def test_an_account_that_is_not_searched_for_stale_jobs_is_found(
    facts: Cleanup, found: list[What]
) -> None:
    """What blocks its queues would stay there unseen."""
    assert named(judge_cleanup(facts, within=timedelta(minutes=30), now=NOON)) == found


@pytest.mark.parametrize(("interval", "within"), [(1, 15), (5, 15), (10, 30), (60, 180)])
def test_a_watermark_may_be_three_intervals_old_but_at_least_the_limit(
    interval: int, within: int
) -> None:
    """A slow reconciliation is not a broken one."""
    assert done_within(LIMIT, timedelta(minutes=interval)) == timedelta(minutes=within)


@pytest.mark.parametrize(("rejected", "found"), [(0, []), (9, []), (10, [What.REJECTED])])
def test_many_messages_that_are_not_understood_are_found(rejected: int, found: list[What]) -> None:
    """One by hand is nobody's concern; ten in an hour are a change of AWS."""
    assert named(judge_parsing(rejected)) == found


SENSOR = Automation(
    "ingest_events_staging",
    AutomationKind.SENSOR,
    is_on=True,
    due_at=before(seconds=-10),
    ticked_at=NOON,
)


@pytest.mark.parametrize(
    ("automation", "found"),
    [
        (SENSOR, []),
        (replace(SENSOR, due_at=before(minutes=14)), []),
        (replace(SENSOR, due_at=before(minutes=15)), [What.SILENT]),
        (replace(SENSOR, due_at=before(minutes=15), ticked_at=None), [What.SILENT]),
        # Turned off for a moment is no standstill.
        (replace(SENSOR, is_on=False), []),
        (replace(SENSOR, is_on=False, due_at=before(minutes=15)), [What.TURNED_OFF]),
        # A few failures are no standstill either.
        (replace(SENSOR, failures=3, well_at=before(minutes=1)), []),
        (replace(SENSOR, failures=90, well_at=before(minutes=15)), [What.FAILING]),
        # It failed long ago, and has stood still since.
        (
            replace(SENSOR, failures=1, well_at=before(hours=2), due_at=before(hours=1)),
            [What.SILENT],
        ),
    ],
)
def test_what_stands_still_beyond_the_limit_is_found(
    automation: Automation, found: list[What]
) -> None:
    """A sensor that does not tick, one that is off, and one whose ticks fail."""
    findings = judge_automations([automation], now=NOON, limit=LIMIT)
    assert named(findings) == found
    assert {finding.about for finding in findings} <= {"ingest_events_staging"}


def test_a_finding_tells_the_number_and_what_to_do() -> None:
    """Who reads it at night shall not have to look anything up."""
    stuck = replace(SENSOR, failures=90, well_at=before(minutes=16), error="Boom.\nTraceback")
    (finding,) = judge_automations([stuck], now=NOON, limit=LIMIT)
    assert finding.sentence == (
        "The sensor ingest_events_staging fails, 90 ticks in a row for 16 min: Boom."
        " Its ticks in Dagster tell more."
    )
    (waits,) = judge_ingest(Ingest("staging", 1, comes_in=False), limit=LIMIT)
    assert waits.sentence == (
        "1 message waits in the queue of staging, and no event of the last 15 min is in the ledger:"
        " runs that fail now are not told. Look at its ingest sensor in Dagster."
    )


def test_a_long_error_is_cut() -> None:
    """Foreign text is no longer than the sentence around it."""
    (finding,) = judge_delivery(Outbox("staging", refused=1, refusal="x" * 500), now=NOON)
    assert len(finding.sentence) < 300
    assert "x…." in finding.sentence
