"""Close what the ledger holds open in accounts that have begun anew.

An emulated account starts empty, so executions it still ran when it ended will never end.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import msgspec

from ops_platform.adapters.ledger import executions, jobs, rows
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import ExecutionEvent, JobEvent
from ops_platform.domain.lifecycle import LOST, advance_execution, advance_job

E = TypeVar("E", ExecutionEvent, JobEvent)


def close_lost_executions(ledger: Ledger, accounts: Iterable[str], *, now: datetime) -> int:
    """Mark the accounts' open executions, and their jobs, as lost; return how many executions."""
    closed = 0
    for account in accounts:
        with ledger.transaction() as tx:
            rows.lock(tx, f"state of {account}")
            still_open = executions.still_open(tx, account)
            lost = [
                advance_execution(known, _lost(known.latest, now), account) for known in still_open
            ]
            executions.save(tx, lost)
            jobs.save(
                tx,
                [
                    advance_job(job, _lost(job.latest, now), account)
                    for job in jobs.still_open(tx, account)
                ],
            )
        closed += len(lost)
    return closed


def _lost(event: E, now: datetime) -> E:
    return msgspec.structs.replace(event, id=f"lost:{event.id}", time=now, status=LOST)
