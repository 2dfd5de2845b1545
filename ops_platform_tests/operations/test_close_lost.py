"""What an emulated account left open is closed when it begins anew."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import Event
from ops_platform.operations.close_lost import close_lost_executions
from ops_platform.operations.ingest_events import record
from ops_platform_tests.build import (
    ACCOUNT,
    ACCOUNTS,
    a_failure,
    a_job_event,
    after,
    an_execution_event,
    bodies,
)
from ops_platform_tests.build_runs import a_failing_run
from ops_platform_tests.ledger_world import POLICY, contents

LATER = after(3600)


def _record(ledger: Ledger, *events: Event, now: datetime = LATER) -> None:
    record(ledger, bodies(events), accounts=ACCOUNTS, policy=POLICY, now=now)


def _statuses(ledger: Ledger, table: sa.Table, key: str) -> dict[str, Any]:
    return {row[key]: row["status"] for row in contents(ledger)[table.name]}


def test_an_open_execution_and_its_open_jobs_are_lost(ledger: Ledger) -> None:
    """What had ended stays as it was."""
    open_run = an_execution_event(id="open", execution_arn="open", name="open")
    _record(ledger, *a_failing_run(), open_run, a_job_event(job_id="open", run_id="sfn-open"))

    assert close_lost_executions(ledger, [ACCOUNT], now=LATER) == 1

    executions = _statuses(ledger, schema.executions, "execution_arn")
    assert sorted(executions.values()) == ["FAILED", "LOST"]
    jobs = _statuses(ledger, schema.jobs, "job_id")
    assert jobs.pop("open") == "LOST"
    assert set(jobs.values()) == {"SUCCEEDED", "FAILED"}


def test_other_accounts_are_left_alone(ledger: Ledger) -> None:
    """Only accounts that began anew have lost anything."""
    _record(ledger, an_execution_event())

    assert close_lost_executions(ledger, ["staging"], now=LATER) == 0
    assert list(_statuses(ledger, schema.executions, "execution_arn").values()) == ["RUNNING"]


def test_closing_twice_is_closing_once(ledger: Ledger) -> None:
    """Nothing is left open, so the second time changes nothing."""
    _record(ledger, an_execution_event(), a_job_event())
    close_lost_executions(ledger, [ACCOUNT], now=LATER)
    before = contents(ledger)

    assert close_lost_executions(ledger, [ACCOUNT], now=after(7200)) == 0
    assert contents(ledger) == before


def test_several_accounts_are_closed_in_one_go(ledger: Ledger) -> None:
    """And their executions are counted together."""
    staging = an_execution_event(id="s", aws_account_id="111111111111", execution_arn="s")
    _record(ledger, an_execution_event(), staging)

    assert close_lost_executions(ledger, ["staging", ACCOUNT], now=LATER) == 2


def test_a_job_that_ended_after_all_is_not_lost(ledger: Ledger) -> None:
    """Its last event may have waited in the queue."""
    _record(ledger, a_job_event(status="RUNNING"))
    close_lost_executions(ledger, [ACCOUNT], now=LATER)

    _record(ledger, a_job_event(id="end", status="SUCCEEDED", time=after(60)))

    assert list(_statuses(ledger, schema.jobs, "job_id").values()) == ["SUCCEEDED"]


def test_a_failure_that_was_still_in_the_queue_opens_its_incident(ledger: Ledger) -> None:
    """Whatever the execution is called by then."""
    _record(ledger, an_execution_event())
    close_lost_executions(ledger, [ACCOUNT], now=LATER)

    _record(ledger, a_failure())

    assert len(contents(ledger)["incidents"]) == 1
