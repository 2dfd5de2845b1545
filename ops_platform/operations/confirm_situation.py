"""Ask Batch itself who holds capacity, before a queue is said to stand still.

The ledger knows by events, and may be blind: events may wait in their queue, or the account be
watched only since today. Then jobs that run are not seen, and a job that waits for them looks
stuck.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from ops_platform.adapters.ledger import queue_state
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.batch_ports import BatchQueues, ListedJob
from ops_platform.domain.capacity import Holder, Situation
from ops_platform.domain.lifecycle import Job, later

# As many run at most on what an account may have.
_MOST_LISTED = 20_000
_MOST_DESCRIBED = 500


@dataclass(frozen=True, slots=True)
class Confirmer:
    """Confirms the situations of one account's queues."""

    ledger: Ledger
    api: BatchQueues
    account: str

    def confirm(self, situation: Situation, beside: Collection[str], *, now: datetime) -> Situation:
        """Return a situation as Batch tells it.

        Args:
            situation: As the ledger has it.
            beside: The ARNs of the queues that share its compute environments, itself included.
            now: The time.
        """
        own = situation.queue.arn
        started = {arn: self._started(arn) for arn in {own, *beside}}
        every = [job for jobs in started.values() for job in jobs]
        known = self._known(every)
        return replace(
            situation,
            started_at=later(situation.started_at, _last_start(started[own], known, now)),
            holders=_holders(every, known),
            confirmed=True,
        )

    def _started(self, arn: str) -> list[ListedJob]:
        return list(islice(self.api.started(arn), _MOST_LISTED))

    def _known(self, listed: Iterable[ListedJob]) -> dict[str, Job]:
        """Return the jobs with their sizes, described where no event has told of them."""
        ids = [job.id for job in listed]
        with self.ledger.transaction() as tx:
            known = queue_state.waiting(tx, self.account, ids)
        unknown = [job_id for job_id in ids if job_id not in known]
        described = self.api.describe(unknown[:_MOST_DESCRIBED])
        return known | {each.id: each.job for each in described}


def _last_start(
    listed: Iterable[ListedJob], known: dict[str, Job], now: datetime
) -> datetime | None:
    """Return when a job last started; one that is STARTING since nobody knows when does so now."""
    heard = {job_id: job.starting_at for job_id, job in known.items()}
    return max((job.started_at or heard.get(job.id) or now for job in listed), default=None)


def _holders(listed: Iterable[ListedJob], known: dict[str, Job]) -> list[Holder]:
    """Return who holds capacity, the largest first.

    A job of which nobody knows holds as much as the largest that is known: doubt speaks for those
    that wait.
    """
    most = max((job.latest.vcpus or 1 for job in known.values()), default=1)
    held: dict[tuple[str | None, str | None], list[float]] = defaultdict(list)
    for job in listed:
        latest = known[job.id].latest if job.id in known else None
        whose = (latest.flow, latest.owner) if latest else (None, None)
        held[whose].append((latest.vcpus or 1) if latest else most)
    holders = [Holder(flow, owner, sum(vcpus), len(vcpus)) for (flow, owner), vcpus in held.items()]
    return sorted(holders, key=lambda each: -each.vcpus)
