"""What it costs to keep an incident up to date while the jobs of a very wide run keep failing."""

import time
from collections.abc import Iterator

import msgspec

from bench.database import Bench
from bench.ingest import ACCOUNTS, POLICY
from bench.load import Load, run_events
from bench.results import Result
from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import ExecutionEvent, JobEvent
from ops_platform.operations.ingest_events import record_events
from ops_platform.operations.update_incidents import update_incidents

JOBS = 60_000
_BATCH = 5000
_TARGET_SECONDS = 1.5


def late_jobs(bench: Bench) -> Iterator[Result]:
    """Measure the last batch of a run of which that many jobs have failed, its incident alone."""
    template = list(map(parse, run_events(Load(width=1, failing=1))))
    job = next(e for e in template if isinstance(e, JobEvent) and e.status == "FAILED")
    execution = [e for e in template if isinstance(e, ExecutionEvent)][-1]
    with bench.ledger() as ledger:
        for first in range(0, JOBS, _BATCH):
            failed = [
                msgspec.structs.replace(job, id=f"event-{number}", job_id=f"job-{number:06}")
                for number in range(first, first + _BATCH)
            ]
            record_events(ledger, failed, accounts=ACCOUNTS, policy=POLICY, now=execution.time)
        record_events(ledger, [execution], accounts=ACCOUNTS, policy=POLICY, now=execution.time)
        started = time.perf_counter()
        with ledger.transaction() as tx:
            run = ("production", str(job.run_id))
            update_incidents(tx, [run], policy=POLICY, now=execution.time)
        seconds = time.perf_counter() - started
    yield Result(
        name=f"the incident of a run with {JOBS:,} failed jobs, brought up to date once",
        measured=f"{seconds:.2f} s",
        target=f"≤ {_TARGET_SECONDS} s a batch",
        met=seconds <= _TARGET_SECONDS,
    )
