"""The incident of a failed run is opened once, told once, and kept up to date."""

from dataclasses import replace
from typing import Any

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.events import Event
from ops_platform.operations.ingest_events import record
from ops_platform.operations.update_incidents import update_incidents
from ops_platform_tests.build import (
    ACCOUNT,
    ACCOUNTS,
    RUN,
    a_failure,
    a_job_event,
    after,
    an_execution_event,
    bodies,
)
from ops_platform_tests.build_runs import a_failing_run, a_job_history
from ops_platform_tests.ledger_world import POLICY, alerts, contents

NOW = after(120)


def _record(ledger: Ledger, *events: Event, policy: AlertPolicy = POLICY) -> None:
    record(ledger, bodies(events), accounts=ACCOUNTS, policy=policy, now=NOW)


def _incident(ledger: Ledger) -> dict[str, Any]:
    [incident] = contents(ledger)["incidents"]
    return incident


def test_jobs_that_become_known_later_are_added_to_the_incident(ledger: Ledger) -> None:
    """It is there as soon as the run has failed, and its alert is not opened again."""
    _record(ledger, a_failure())
    assert (_incident(ledger)["failed_jobs"], _incident(ledger)["owner"]) == (0, None)

    _record(ledger, *a_job_history("late", exits=[1], begin=0))

    incident = _incident(ledger)
    assert (incident["failed_jobs"], incident["owner"], incident["job_id"]) == (1, "ana", "late")
    assert len(alerts(ledger)) == 1


def test_a_redrive_that_succeeds_resolves_the_incident(ledger: Ledger) -> None:
    """Without another alert of this kind."""
    _record(ledger, *a_failing_run())
    assert _incident(ledger)["state"] == "open"

    end = {"status": "SUCCEEDED", "time": after(100), "stopped_at": after(100)}
    _record(ledger, an_execution_event(id="done", **end))

    assert _incident(ledger)["state"] == "resolved"
    assert len(alerts(ledger)) == 1


def test_a_second_failure_after_a_redrive_is_the_same_incident(ledger: Ledger) -> None:
    """One run, one incident, one alert; it shows the last failure."""
    _record(ledger, a_failure())
    _record(ledger, a_failure(100, id="again", error="States.Timeout", status="TIMED_OUT"))

    incident = _incident(ledger)

    assert (incident["kind"], incident["opened_at"]) == ("run_timed_out", after(100))
    assert len(alerts(ledger)) == 1


def test_what_was_withheld_is_not_told_later(ledger: Ledger) -> None:
    """An incident that was replayed first stays quiet when its events come live."""
    first, *rest = a_failing_run()[::-1]
    _record(ledger, first, *rest[:6], policy=replace(POLICY, replayed=True))
    _record(ledger, *rest)

    assert [(alert["state"], alert["reason"]) for alert in alerts(ledger)] == [
        ("withheld", "replayed")
    ]


def test_runs_that_did_not_fail_or_are_not_known_have_no_incident(ledger: Ledger) -> None:
    """Nor have jobs without an execution."""
    _record(ledger, an_execution_event(), *a_job_history("x", exits=[1, 0], begin=0))
    with ledger.transaction() as tx:
        changed = [(ACCOUNT, f"sfn-{RUN}"), (ACCOUNT, "sfn-none"), ("nobody", "sfn-none")]
        update_incidents(tx, changed, policy=POLICY, now=NOW)

    assert contents(ledger)["incidents"] == []
    assert alerts(ledger) == []


def test_updating_an_incident_again_changes_nothing(ledger: Ledger) -> None:
    """It is made from state alone."""
    _record(ledger, *a_failing_run())
    before = contents(ledger), alerts(ledger)
    with ledger.transaction() as tx:
        update_incidents(tx, [(ACCOUNT, f"sfn-{RUN}")] * 2, policy=POLICY, now=after(999))

    assert (contents(ledger), alerts(ledger)) == before


def test_the_parent_of_an_array_is_not_counted_beside_its_children(ledger: Ledger) -> None:
    """Neither as a success nor as a failure."""
    children = [
        *a_job_history("p:0", exits=[0], begin=0),
        *a_job_history("p:1", exits=[1], begin=0),
    ]
    parents = [
        a_job_event(id="ok", job_id="p", status="SUCCEEDED", array_size=1),
        a_job_event(id="bad", job_id="q", status="FAILED", array_size=1),
    ]
    _record(ledger, *children, *parents, a_failure())

    counts = {"failed": 1, "collateral": 0, "succeeded": 1}
    assert _incident(ledger)["steps"] == {"work": counts}
