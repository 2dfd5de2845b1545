"""Tell of what waits: whoever runs the platform of a blocked queue, an owner of a job that waits.

All of it is idempotent: what has not changed is not told again, and two that tell at once wait for
each other. A change of numbers alone is no news.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ops_platform.adapters.ledger import alerts, cancellations, executions, incidents, jobs, rows
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.blocked_queues import BlockedQueue
from ops_platform.domain.incidents import Incident, Kind, State
from ops_platform.domain.stale_incidents import (
    EXEMPT,
    GONE,
    MOVES_AGAIN,
    OURS,
    by_run,
    queue_incident,
    stuck_incident,
    why_over,
)
from ops_platform.domain.staleness import Decision, Judged
from ops_platform.operations.update_incidents import tell


def tell_queues(
    ledger: Ledger,
    account: str,
    *,
    looked_at: Collection[str],
    whole: bool = False,
    blocked: Sequence[BlockedQueue],
    policy: AlertPolicy,
    now: datetime,
) -> list[Incident]:
    """Open the incidents of queues that are blocked, resolve those that move; return the changed.

    Args:
        ledger: Where incidents are kept.
        account: The account of the queues.
        looked_at: The names of the queues that were looked at; of others nothing is said.
        whole: Whether those were all that the account has; another one is gone then.
        blocked: Those of them that are blocked.
        policy: What becomes of incidents.
        now: The time.
    """
    teller = _Teller(ledger, account, policy, now)
    with ledger.transaction() as tx:
        known = incidents.still_open(tx, account, Kind.QUEUE_BLOCKED)
    names = {each.queue for each in blocked}
    moving = [each for each in known if each.flow in looked_at and each.flow not in names]
    gone = [each for each in known if whole and each.flow not in looked_at]
    changed = [teller.blocked(each) for each in blocked]
    changed += [teller.over(each, by=MOVES_AGAIN) for each in moving]
    changed += [teller.over(each, by=GONE) for each in gone]
    return [incident for incident in changed if incident is not None]


def warn_owners(
    ledger: Ledger,
    account: str,
    judged: Sequence[Judged],
    *,
    policy: AlertPolicy,
    now: datetime,
    asked_by: str = "schedule",
) -> list[Incident]:
    """Tell the owners of runs that a job of theirs does not start; return what was told anew.

    Only of jobs whose verdict is to warn, and whose policy has that told.
    """
    teller = _Teller(ledger, account, policy, now)
    with ledger.transaction() as tx:
        known = {each.id: each for each in incidents.still_open(tx, account, Kind.JOB_STUCK)}
    told = []
    for group in by_run(each for each in judged if _is_wanted(each)):
        incident = stuck_incident(group, None, now=now)
        if _is_news(incident, known.get(incident.id)):
            told.append(teller.stuck(group, incident.id, asked_by=asked_by))
    return [incident for incident in told if incident is not None]


def settle_warnings(
    ledger: Ledger,
    account: str,
    waiting: Collection[str],
    *,
    policy: AlertPolicy,
    now: datetime,
    exempt: Collection[str] = (),
) -> list[Incident]:
    """Resolve the warnings about jobs that do not wait any more; return these.

    Args:
        ledger: Where incidents are kept.
        account: The account of the jobs.
        waiting: The ids of the jobs that still wait.
        policy: What becomes of incidents.
        now: The time.
        exempt: The ids of those that wait, but which an exemption spares by now.
    """
    teller = _Teller(ledger, account, policy, now)
    with ledger.transaction() as tx:
        known = incidents.still_open(tx, account, Kind.JOB_STUCK)
        found = jobs.load(tx, account, [each.job_id or "" for each in known])
    settled = []
    for each in known:
        job_id = each.job_id or ""
        by = why_over(found.get(job_id), each, waits=job_id in waiting)
        by = by or (EXEMPT if job_id in exempt else None)
        if by is not None:
            settled.append(teller.over(each, by=by))
    return [incident for incident in settled if incident is not None]


@dataclass(frozen=True, slots=True)
class _Teller:
    """Writes incidents of one account, each in a transaction of its own."""

    ledger: Ledger
    account: str
    policy: AlertPolicy
    now: datetime

    def blocked(self, queue: BlockedQueue) -> Incident | None:
        """Open or change the incident of a queue; None if that is no news."""
        incident = queue_incident(self.account, queue, now=self.now)
        with self.ledger.transaction() as tx:
            if not _is_news(incident, incidents.load(tx, incident.id)):
                return None
            return self._write(tx, incident, self._locked(tx, incident.id))

    def stuck(self, group: Sequence[Judged], incident_id: str, *, asked_by: str) -> Incident | None:
        """Warn of the jobs of a run and record it; None if that is no news, or over by now."""
        latest = group[0].waiting.job.latest
        with self.ledger.transaction() as tx:
            standing = self._locked(tx, incident_id)
            execution = executions.of_run(tx, self.account, latest.run_id or "")
            incident = stuck_incident(group, execution, now=self.now)
            job = jobs.load(tx, self.account, [latest.job_id]).get(latest.job_id)
            if why_over(job, incident, waits=True) is not None:
                return None
            written = self._write(tx, incident, standing)
            if written is not None:
                cancellations.warn(tx, group[0], now=self.now, asked_by=asked_by)
            return written

    def over(self, incident: Incident, *, by: str) -> Incident | None:
        """Resolve an incident and have that told; None if somebody was quicker."""
        with self.ledger.transaction() as tx:
            standing = self._locked(tx, incident.id)
            if standing is None or standing.failing != incident.failing:
                return None  # it was told anew meanwhile
            resolved = incidents.resolve(tx, incident.id, by=by, now=self.now)
            if resolved is not None:
                tell(tx, resolved, is_new=False, policy=self.policy, now=self.now)
            return resolved

    def _locked(self, tx: Transaction, incident_id: str) -> Incident | None:
        """Return an incident as it is, and keep it so until the transaction ends."""
        rows.lock(tx, f"state of {self.account}")
        alerts.keep(tx, [incident_id])
        return incidents.load(tx, incident_id)

    def _write(
        self, tx: Transaction, incident: Incident, standing: Incident | None
    ) -> Incident | None:
        if not _is_news(incident, standing):
            return None
        is_open = standing is not None and standing.state is State.OPEN
        if standing and is_open and not _began_after(standing.opened_at, incident):
            incident = msgspec.structs.replace(incident, opened_at=standing.opened_at)
        is_new = incidents.save(tx, incident)
        tell(tx, incident, is_new=is_new, policy=self.policy, now=self.now)
        return incident


def _is_wanted(judged: Judged) -> bool:
    return judged.verdict.decision is Decision.WARN and judged.policy.warn_before is not None


def _is_news(incident: Incident, standing: Incident | None) -> bool:
    """Tell whether an incident has to be written.

    Whoever resolved it by his word is not contradicted, unless something else is the matter, or it
    was over in between.
    """
    if standing is None or incident.failing != standing.failing:
        return True
    if standing.state is State.OPEN:
        return False
    return standing.resolved_by in OURS or _began_after(standing.resolved_at, incident)


def _began_after(moment: datetime | None, incident: Incident) -> bool:
    return bool(moment and incident.started_at and incident.started_at > moment)
