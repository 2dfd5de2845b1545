"""How a flow did before an incident, and which of its jobs failed by themselves."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_platform.adapters.ledger import executions, jobs, tracks
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.schema import watched
from ops_platform.domain.incidents import Incident, Run, correlate, split_failures
from ops_platform.domain.interactive import correlate_interactive
from ops_platform.domain.lifecycle import Execution, Job, ended_at
from ops_platform.domain.reasons import STALE_MARK, TIME_LIMIT_MARK
from ops_platform.domain.story import Track
from ops_platform_tests.build import (
    ACCOUNT,
    EXECUTION_ARN,
    MACHINE_ARN,
    a_failed_execution,
    a_failed_job,
    after,
    an_execution_event,
    an_incident,
)
from ops_platform_tests.ledger_world import empty


def _ended(at: float, status: str = "FAILED", **changes: Any) -> Execution:
    """Return another run of the machine, which ended so many seconds past noon."""
    named = {"execution_arn": f"{EXECUTION_ARN}{at}{status}", "name": f"{at}{status}"}
    if status != "SUCCEEDED":
        return a_failed_execution(at, **(named | {"status": status} | changes))
    moments = {"time": after(int(at)), "stopped_at": after(at)}
    return Execution(
        ACCOUNT, an_execution_event(**(named | moments | {"status": status} | changes))
    )


def _track(ledger: Ledger, *known: Execution, at: float = 60, **changes: Any) -> Track | None:
    with ledger.transaction() as tx:
        executions.save(tx, known)
        return tracks.track(tx, an_incident(**({"opened_at": after(at)} | changes)))


def test_failures_are_counted_since_the_last_success(emptied_ledger: Ledger) -> None:
    """However they failed, and the one that is told is one of them."""
    found = _track(
        emptied_ledger,
        _ended(-50),
        _ended(-40, "SUCCEEDED"),
        _ended(-30, "TIMED_OUT"),
        _ended(-20, "ABORTED"),
        _ended(60),
    )

    assert found == Track(3, after(-40), after(-50))


def test_what_ended_later_does_not_count(emptied_ledger: Ledger) -> None:
    """The message stays the same when it is written anew."""
    known = (_ended(-40, "SUCCEEDED"), _ended(60), _ended(61), _ended(70, "SUCCEEDED"))

    assert _track(emptied_ledger, *known) == Track(1, after(-40), after(-40))


def test_a_failure_that_was_redriven_stays_a_failure(emptied_ledger: Ledger) -> None:
    """Whether it runs again or has succeeded since."""
    failed = [_ended(10), _ended(20), _ended(60)]
    success = an_execution_event(status="SUCCEEDED", time=after(80), stopped_at=after(80))
    again = an_execution_event(redriven_at=after(70))
    redriven = [
        Execution(ACCOUNT, _renamed(latest, each), each.failure)
        for each, latest in zip(failed, (success, again, success), strict=True)
    ]

    assert _track(emptied_ledger, *redriven) == Track(3, None, after(80))


def _renamed(event: Any, other: Execution) -> Any:
    names = {"execution_arn": other.latest.execution_arn, "name": other.latest.name}
    return msgspec.structs.replace(event, **names)


def test_other_machines_and_accounts_do_not_count(emptied_ledger: Ledger) -> None:
    """Nor do the child executions of a Distributed Map."""
    found = _track(
        emptied_ledger,
        _ended(-30, machine_arn=f"{MACHINE_ARN}/label"),
        _ended(-20, machine_arn=f"{MACHINE_ARN}2"),
        msgspec.structs.replace(_ended(-10), account="staging"),
        _ended(60),
    )

    assert found == Track(1, None, after(60))


def test_watching_may_have_begun_before_the_first_run(emptied_ledger: Ledger) -> None:
    """Then nothing succeeded since."""
    with emptied_ledger.transaction() as tx:
        tx.execute(sa.insert(watched).values(account=ACCOUNT, since=after(-1000)))

    assert _track(emptied_ledger, _ended(60)) == Track(1, None, after(-1000))


def test_a_start_that_was_missed_has_a_track_too(emptied_ledger: Ledger) -> None:
    """It is none of the failures itself."""
    known = (_ended(-40, "SUCCEEDED"), _ended(-20))

    assert _track(emptied_ledger, *known, run_id="") == Track(1, after(-40), after(-40))


def test_without_a_machine_there_is_no_track(emptied_ledger: Ledger) -> None:
    """A run by hand has none."""
    assert _track(emptied_ledger, machine_arn=None) is None


def _of_step(
    ledger: Ledger, incident: Incident, step: str, *, offset: int = 0, limit: int = 99
) -> list[Job]:
    with ledger.transaction() as tx:
        return tracks.of_step(tx, incident, step, offset=offset, limit=limit)


def _stored(ledger: Ledger, execution: Execution | None, known: Iterable[Job]) -> None:
    empty(ledger)
    with ledger.transaction() as tx:
        executions.save(tx, [execution] if execution else [])
        jobs.save(tx, known)


def test_a_page_holds_its_part_of_the_failures_in_order(emptied_ledger: Ledger) -> None:
    """The first to stop is the first; the id decides between two."""
    execution = a_failed_execution(60)
    known = [a_failed_job(f"job-{at:02}", stop=30 - at // 2) for at in range(10)]
    _stored(emptied_ledger, execution, known)
    incident = an_incident(opened_at=after(60))

    page = _of_step(emptied_ledger, incident, "work", offset=2, limit=3)

    assert [job.latest.job_id for job in page] == ["job-06", "job-07", "job-04"]
    assert page == [known[6], known[7], known[4]]
    assert _of_step(emptied_ledger, incident, "other") == []


failures = st.lists(
    st.builds(
        lambda at, stop, **changes: a_failed_job(f"job-{at}", stop=stop, **changes),
        st.integers(0, 99),
        st.sampled_from([10, 20, 30, 59.5, 60, 60.5, 70]),
        step=st.sampled_from(["work", "join", None]),
        terminated=st.booleans(),
        cancelled=st.booleans(),
        status_reason=st.sampled_from(
            [None, f"{STALE_MARK}: too large", TIME_LIMIT_MARK, f"no {STALE_MARK}", "100%_"]
        ),
        array_size=st.sampled_from([None, None, None, 2]),
        status=st.sampled_from(["FAILED", "FAILED", "FAILED", "SUCCEEDED"]),
    ),
    max_size=12,
    unique_by=lambda job: job.latest.job_id,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(failures, st.sampled_from([None, 15, 30]))
def test_the_failures_of_a_step_are_those_of_the_incident(
    emptied_ledger: Ledger, known: list[Job], redriven: float | None
) -> None:
    """The query and the domain tell root failures by the same rules."""
    since = None if redriven is None else after(redriven)
    execution = a_failed_execution(60, redriven_at=since)
    _stored(emptied_ledger, execution, known)
    failed = tuple(job for job in known if job.latest.status == "FAILED")
    incident = correlate(Run(execution, failed, succeeded={}, flow="TrainFlow"))
    assert incident is not None
    assert execution.failure is not None

    roots, _ = split_failures(failed, ended_at(execution.failure), since=since)
    for step in {"work", "join", "unknown", *incident.steps}:
        expected = [job for job in roots if (job.latest.step or "unknown") == step]
        expected.sort(key=_failed_first)
        assert _of_step(emptied_ledger, incident, step) == expected


def _failed_first(job: Job) -> tuple[datetime | None, str]:
    return job.stopped_at, job.latest.job_id


by_hand = st.lists(
    st.builds(
        lambda at, stop, **changes: a_failed_job(f"job-{at}", stop=stop, run_id="1741", **changes),
        st.integers(0, 99),
        st.sampled_from([10, 20, 30]),
        step=st.sampled_from(["work", None]),
        task_id=st.sampled_from(["7", "8", None]),
        retry=st.sampled_from([0, 1, None]),
        terminated=st.booleans(),
        status=st.sampled_from(["FAILED", "FAILED", "SUCCEEDED", "RUNNING"]),
    ),
    max_size=10,
    unique_by=lambda job: job.latest.job_id,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(by_hand)
def test_of_a_run_by_hand_the_last_retries_count(emptied_ledger: Ledger, known: list[Job]) -> None:
    """As in its incident."""
    incident = correlate_interactive(known)
    if incident is None:
        return
    _stored(emptied_ledger, None, known)

    found = {step: _of_step(emptied_ledger, incident, step) for step in incident.steps}

    assert {step: len(page) for step, page in found.items()} == {
        step: tally.failed for step, tally in incident.steps.items()
    }
    first = [page[0].latest.job_id for page in found.values() if page]
    assert incident.failed_jobs == 0 or incident.job_id in first
