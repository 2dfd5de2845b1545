"""How long the incident of a very wide run takes, from the ledger to the words of its messages.

The jobs are written into the ledger as they are after ingest. What is measured is what is done in
the transaction that stores the run's end, and then for the message and each page of its thread.
"""

import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bench.database import Bench
from bench.ingest import POLICY
from bench.load import REGION
from bench.results import Result
from ops_platform.adapters.ledger import executions, incidents, jobs, tracks
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.alert_message import Message, render
from ops_platform.domain.blocks import MOST, weight
from ops_platform.domain.detail_pages import pages, render_page
from ops_platform.domain.events import Attempt, ExecutionEvent, JobEvent
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident, incident_id
from ops_platform.domain.lifecycle import Execution, Job
from ops_platform.domain.story import JobLog, Story
from ops_platform.operations.update_incidents import update_incidents

_ACCOUNT, _ACCOUNT_ID = "production", "222222222222"
_NAME = "6f0c2f4e-5d1b-4f7a-9a43-0c8a7f6d1e21"
_STATES = f"arn:aws:states:{REGION}:{_ACCOUNT_ID}"
_INSTANCES = f"arn:aws:ecs:{REGION}:{_ACCOUNT_ID}:container-instance/flows"
_STOP = datetime(2026, 3, 2, 12, tzinfo=UTC)
_STEPS, _ROOTS, _COLLATERAL = 5, 500, 4_500
_JOBS = 10_000
_LINKS = Links(REGION, metaflow_ui="https://metaflow.example.com", dagster="https://d.example.com")
_LOG = JobLog("ValueError: 3 < 4", "a line of a log\n" * 100, truncated=True, absence=None)
_MOST_GROWTH = 1.2


@dataclass(frozen=True, slots=True)
class _Measured:
    """One run: seconds in the transaction and for the messages, the latter's peak of memory."""

    built: float
    rendered: float
    peak: int
    messages: list[Message]


def wide_incident(bench: Bench) -> Iterator[Result]:
    """Compare with the target, and with the same run when ten times as many are dragged along."""
    one = _measure(bench, collateral=_COLLATERAL)
    yield Result(
        name=f"the incident of {_JOBS:,} jobs, {_ROOTS} root failures in {_STEPS} steps",
        measured=(
            f"{one.built + one.rendered:.2f} s ({one.built:.2f} s built, "
            f"{one.rendered:.2f} s rendered: {len(one.messages)} messages)"
        ),
        target="≤ 1 s",
        met=one.built + one.rendered <= 1,
    )
    largest = max(weight(message.blocks) for message in one.messages)
    yield Result(
        name="its largest message, with what Slack counts for blocks",
        measured=f"{largest:,} characters",
        target=f"≤ {MOST:,}",
        met=largest <= MOST,
    )
    ten = _measure(bench, collateral=10 * _COLLATERAL)
    yield Result(
        name="memory for its messages, with ten times the collateral",
        measured=f"{one.peak / 1e6:.1f} MB, then {ten.peak / 1e6:.1f} MB",
        target=f"≤ {_MOST_GROWTH:g} times (flat)",
        met=ten.peak <= _MOST_GROWTH * one.peak,
    )


def _measure(bench: Bench, *, collateral: int) -> _Measured:
    with bench.ledger() as ledger:
        _fill(ledger, collateral)
        started = time.perf_counter()
        with ledger.transaction() as tx:
            run = [(_ACCOUNT, f"sfn-{_NAME}")]
            update_incidents(tx, run, policy=POLICY, now=_STOP + timedelta(minutes=1))
        built = time.perf_counter() - started
        incident = _incident(ledger)
        started = time.perf_counter()
        messages = list(_messages(ledger, incident))
        rendered = time.perf_counter() - started
        tracemalloc.start()
        for _ in _messages(ledger, incident):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return _Measured(built, rendered, peak, messages)


def _messages(ledger: Ledger, incident: Incident) -> Iterator[Message]:
    """Yield the message and the pages of its thread, each from a transaction of its own."""
    with ledger.transaction() as tx:
        track = tracks.track(tx, incident)
        job = jobs.load(tx, incident.account, [incident.job_id or ""]).get(incident.job_id or "")
    yield render(Story(incident, _LINKS, "<@U0ADA00001>", track, _LOG, job=job), _STOP)
    for page in pages(incident):
        with ledger.transaction() as tx:
            found = tracks.of_step(tx, incident, page.step, offset=page.offset, limit=page.limit)
        yield render_page(page, found, incident=incident, links=_LINKS)


def _incident(ledger: Ledger) -> Incident:
    with ledger.transaction() as tx:
        incident = incidents.load(tx, incident_id(f"{_STATES}:execution:WideFlow:{_NAME}"))
    if incident is None or incident.failed_jobs != _ROOTS or len(incident.steps) != _STEPS:
        raise RuntimeError(f"That is not the incident of the run: {incident}")
    return incident


def _fill(ledger: Ledger, collateral: int) -> None:
    succeeded = _JOBS - _ROOTS - _COLLATERAL
    known = [
        *(_job(at, "FAILED", after=at % 60 - 60) for at in range(_ROOTS)),
        *(_job(_ROOTS + at, "FAILED", after=5) for at in range(collateral)),
        *(_job(_ROOTS + collateral + at, "SUCCEEDED", after=-90) for at in range(succeeded)),
    ]
    with ledger.transaction() as tx:
        jobs.save(tx, known)
        executions.save(tx, [_execution()])
    with ledger.transaction() as tx:
        tx.execute(sa.text("ANALYZE"))


def _job(number: int, status: str, *, after: int) -> Job:
    job_id, stopped = f"{number:08x}-51f7-4bb3-9f59-5a3a2f6d8a10", _STOP + timedelta(seconds=after)
    started = stopped - timedelta(minutes=3)
    placed = f"{_INSTANCES}/{number % 40:032x}"
    stream, code = f"metaflow_{'9f2c' * 14}/default/{number:032x}", int(status == "FAILED")
    ended = "Essential container in task exited"
    attempt = Attempt(started, stopped, code, ended, stream, placed)
    return Job(
        _ACCOUNT,
        JobEvent(
            id=job_id, time=stopped, aws_account_id=_ACCOUNT_ID, region=REGION, job_id=job_id,
            job_name="SFN-WideFlow--work--", queue="flows", definition="metaflow_9f2c:1",
            status=status, blocked=False, status_reason=ended, created_at=started,
            started_at=started, stopped_at=stopped, attempts=(attempt,) * 3, max_attempts=3,
            exit_code=code, container_reason=None, log_stream=stream, container_instance=placed,
            vcpus=1.0, memory_mib=4096, gpus=None, flow="WideFlow", step=f"step{number % _STEPS}",
            run_id=f"sfn-{_NAME}", owner="ana", array_size=None, cancelled=False,
            terminated=after > 0,
        ),
    )  # fmt: skip


def _execution() -> Execution:
    end = ExecutionEvent(
        id="end", time=_STOP, aws_account_id=_ACCOUNT_ID, region=REGION,
        execution_arn=f"{_STATES}:execution:WideFlow:{_NAME}",
        machine_arn=f"{_STATES}:stateMachine:WideFlow", name=_NAME, status="FAILED",
        started_at=_STOP - timedelta(hours=1), stopped_at=_STOP, redriven_at=None,
        error="States.TaskFailed", cause=None, metaflow_input=True,
    )  # fmt: skip
    return Execution(_ACCOUNT, end, end)
