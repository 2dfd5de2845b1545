"""Find out what became of the jobs whose end was asked for, and record it.

That ``CancelJob`` succeeds says nothing: only the job itself tells. Whoever asked looks at once; if
it was killed before it could, the next cleaning does.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from ops_platform.adapters.ledger import cancellations
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.batch_ports import BatchQueues
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.cancelling import Outcome, outcome_of
from ops_platform.domain.events import JobEvent
from ops_platform.domain.lifecycle import JOB_ENDS


def settle_unsettled(
    ledger: Ledger, api: BatchQueues, account: str, *, clock: Callable[[], datetime]
) -> list[Cancellation]:
    """Settle what earlier cleanings of an account have left open; return what is settled now."""
    with ledger.transaction() as tx:
        asked = cancellations.unsettled(tx, account)
    return settle(ledger, api, asked, clock=clock)


def settle(
    ledger: Ledger,
    api: BatchQueues,
    asked: Sequence[Cancellation],
    *,
    clock: Callable[[], datetime],
) -> list[Cancellation]:
    """Look what became of jobs; return the records of those that no longer wait, with outcomes."""
    if not asked:
        return []
    described = {each.id: each.job.latest for each in api.describe([it.job_id for it in asked])}
    now, settled = clock(), []
    with ledger.transaction() as tx:
        for each in asked:
            event = described.get(each.job_id)
            outcome = became(each, event)
            if outcome is not None:
                reason = event.status_reason if event else None
                known = cancellations.settle(tx, each.id, outcome, reason=reason, now=now)
                settled.append(known or msgspec.structs.replace(each, outcome=outcome))
    return settled


def became(asked: Cancellation, described: JobEvent | None) -> Outcome | None:
    """Return what became of a job since its end was asked for; None if it still waits.

    One that waits in a later attempt than that one has started meanwhile.
    """
    outcome = outcome_of(described)
    if described is None:
        return outcome
    if outcome is Outcome.FINISHED and asked.execution_arn and described.terminated:
        return Outcome.RUN_STOPPED
    retried = described.status not in JOB_ENDS and len(described.attempts) >= asked.attempt
    return Outcome.STARTED if retried else outcome
