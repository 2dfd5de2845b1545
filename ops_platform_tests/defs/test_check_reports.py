"""When a check is reported anew, and what is remembered of the last report."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from ops_platform.defs.check_reports import (
    Report,
    check_specs,
    evaluation,
    is_due,
    key_of,
    last_reports,
)
from ops_platform.domain.health import Check, Finding, Health, State, Subject, What, subjects
from ops_platform_tests.build import NOON
from ops_platform_tests.defs.dagster_world import settings_in
from ops_platform_tests.defs.health_world import dagster_instance

INGEST = Subject(Check.INGEST, "staging")
HEARTBEAT = timedelta(minutes=15)
WAITS = Finding(What.EVENTS_WAIT, "3 messages wait.")
OFF = Finding(What.TURNED_OFF, "It is off.", "ingest_events_staging")
PASSED = Report(State.PASSES, "", None, NOON)
FAILED = Report(State.FAILS, "events wait", NOON, NOON)


@pytest.mark.parametrize(
    ("health", "last", "minutes", "due"),
    [
        # Nothing was ever reported.
        (Health(INGEST, State.PASSES), None, 0, True),
        # Nothing has changed.
        (Health(INGEST, State.PASSES), PASSED, 14, False),
        (Health(INGEST, State.FAILS, (WAITS,), NOON), FAILED, 14, False),
        # Now and then, to show that somebody still looks.
        (Health(INGEST, State.PASSES), PASSED, 15, True),
        # Dagster would show it as not evaluated.
        (Health(INGEST, State.PASSES), replace(PASSED, is_shown=False), 1, True),
        # A change counts at once.
        (Health(INGEST, State.SUSPECTED, (WAITS,), NOON), PASSED, 1, True),
        (Health(INGEST, State.FAILS, (WAITS, OFF), NOON), FAILED, 1, True),
        (Health(INGEST, State.PASSES), FAILED, 1, True),
    ],
)
def test_a_check_is_reported_when_it_changed_and_now_and_then(
    health: Health, last: Report | None, minutes: float, *, due: bool
) -> None:
    """What is reported is kept for ever, so it is not reported each minute."""
    at = NOON + timedelta(minutes=minutes)
    assert is_due(health, last, now=at, heartbeat=HEARTBEAT) is due


def test_what_was_reported_is_remembered(tmp_path: Path) -> None:
    """Dagster's own record is the memory: the sensor and the job share it."""
    suspected = Health(INGEST, State.SUSPECTED, (WAITS, OFF), NOON)
    well = Health(Subject(Check.PARSING), State.PASSES)
    with dagster_instance(tmp_path) as instance:
        for health in (well, suspected):
            instance.report_runless_asset_event(evaluation(health))
        reports = last_reports(instance, subjects(["staging"]))
    assert set(reports) == {INGEST, well.subject}
    found = "events wait, ingest_events_staging is turned off"
    report = reports[INGEST]
    assert (report.state, report.found, report.since) == (State.SUSPECTED, found, NOON)
    assert (reports[well.subject].found, reports[well.subject].since) == ("", None)
    assert not is_due(suspected, report, now=report.at, heartbeat=HEARTBEAT)


def test_a_check_of_an_asset_that_was_made_anew_is_reported_again(tmp_path: Path) -> None:
    """The cleanup is made more often than its check changes."""
    cleanup = Subject(Check.CLEANUP, "staging")
    health = Health(cleanup, State.PASSES)
    with dagster_instance(tmp_path) as instance:
        shown = []
        for event in (evaluation(health), dg.AssetMaterialization(key_of(cleanup).asset_key)):
            instance.report_runless_asset_event(event)
            shown.append(last_reports(instance, [cleanup])[cleanup].is_shown)
    assert shown == [True, False]


def test_what_is_only_suspected_passes_and_says_so() -> None:
    """Red is what Slack is told of, too."""
    told = evaluation(Health(INGEST, State.SUSPECTED, (WAITS,), NOON))
    assert (told.passed, told.description) == (True, "It does not count yet: 3 messages wait.")
    failed = evaluation(Health(INGEST, State.FAILS, (WAITS,), NOON))
    assert (failed.passed, failed.description) == (False, "3 messages wait.")
    assert failed.metadata["incident"].value == INGEST.incident_id


def test_every_check_is_declared_on_the_asset_it_is_reported_for(tmp_path: Path) -> None:
    """One that is reported but not declared is shown nowhere."""
    declared = {spec.key: spec for spec in check_specs(settings_in(tmp_path))}
    assert set(declared) == {key_of(each) for each in subjects(["staging", "production"])}
    assert all("15 minutes" in str(spec.description) for spec in declared.values())
