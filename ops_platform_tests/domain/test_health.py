"""When a check of the platform fails, and the incident that it makes then."""

from datetime import datetime, timedelta

import pytest

from ops_platform.domain.health import (
    Check,
    Finding,
    Health,
    State,
    Subject,
    What,
    incident_of,
    settle,
    subjects,
)
from ops_platform.domain.incidents import Kind, incident_id
from ops_platform_tests.build import NOON

LIMIT = timedelta(minutes=15)
INGEST = Subject(Check.INGEST, "staging")
OLD = Finding(What.OVERDUE, "It is late.")
NEW = Finding(What.EVENTS_WAIT, "It waits.", is_old=False)


def before(minutes: float) -> datetime:
    """Return the moment so many minutes before noon."""
    return NOON - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("findings", "since", "state"),
    [
        # All is well, whatever was before.
        ([], None, State.PASSES),
        ([], before(60), State.PASSES),
        # Once is never, however old the thing is.
        ([OLD], None, State.SUSPECTED),
        ([NEW], None, State.SUSPECTED),
        # Twice in a row is enough for what is known to be old.
        ([OLD], before(1), State.FAILS),
        # What may have begun when it was first seen has to last.
        ([NEW], before(1), State.SUSPECTED),
        ([NEW], before(14.9), State.SUSPECTED),
        ([NEW], before(15), State.FAILS),
        # The old one takes the new one with it.
        ([NEW, OLD], before(1), State.FAILS),
    ],
)
def test_a_check_fails_twice_in_a_row_and_for_the_limit(
    findings: list[Finding], since: datetime | None, state: State
) -> None:
    """What is over before that is nobody's concern."""
    health = settle(INGEST, findings, since=since, now=NOON, limit=LIMIT)
    assert health.state is state


def test_since_is_the_first_of_an_unbroken_row() -> None:
    """It is remembered until the check passes."""
    first = settle(INGEST, [NEW], since=None, now=before(20), limit=LIMIT)
    later = settle(INGEST, [NEW], since=first.since, now=NOON, limit=LIMIT)
    passed = settle(INGEST, [], since=later.since, now=NOON, limit=LIMIT)
    assert (first.since, later.since, passed.since) == (before(20), before(20), None)


def test_each_account_has_its_checks_and_the_platform_has_two() -> None:
    """The checks are a list that Dagster, Slack and the command line share."""
    assert list(map(str, subjects(["staging", "production"]))) == [
        "staging/ingest",
        "staging/reconciliation",
        "staging/delivery",
        "staging/cleanup",
        "production/ingest",
        "production/reconciliation",
        "production/delivery",
        "production/cleanup",
        "parsing",
        "automations",
    ]


def test_an_incident_tells_which_check_fails_since_when_and_why() -> None:
    """It is the same one whoever finds it, and has no run, no owner and no jobs."""
    health = Health(INGEST, State.FAILS, (NEW, OLD), before(20))
    incident = incident_of(health, account="staging", now=NOON)
    assert incident.id == incident_id("platform/staging/ingest")
    assert (incident.kind, incident.reason) == (Kind.PLATFORM_STALLED, "platform stalled")
    assert (incident.account, incident.flow, incident.run_id) == (
        "staging",
        "ops_platform",
        "ingest",
    )
    assert incident.error == "It waits. It is late."
    assert incident.opened_at == before(20)


def test_the_platform_as_a_whole_has_incidents_apart_from_an_accounts() -> None:
    """An account may have any name but this is not one of them."""
    assert Subject(Check.PARSING).incident_id == incident_id("platform/ledger/parsing")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        # Only the numbers differ.
        (Finding(What.DEAD, "1 is dead."), Finding(What.DEAD, "2 are dead."), True),
        (Finding(What.DEAD, "It is."), Finding(What.OVERDUE, "It is."), False),
        (Finding(What.SILENT, "It is.", "a"), Finding(What.SILENT, "It is.", "b"), False),
    ],
)
def test_the_digest_follows_what_is_wrong_and_not_the_numbers(
    one: Finding, other: Finding, *, same: bool
) -> None:
    """A message that counts minutes would be edited each minute."""
    digests = {Health(INGEST, State.FAILS, (each,), NOON).digest for each in (one, other)}
    assert (len(digests) == 1) is same
