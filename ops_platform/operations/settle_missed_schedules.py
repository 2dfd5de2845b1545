"""What a missed schedule comes to in the ledger: an incident opened, counted on, or resolved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from ops_platform.adapters.ledger import incidents
from ops_platform.adapters.ledger import schedules as ledger_schedules
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.incidents import Incident
from ops_platform.domain.missed_schedules import (
    explain_missed,
    last_missed,
    missed_id,
    missed_incident,
)
from ops_platform.domain.ports import LastRun, NoRun, ScheduleRule
from ops_platform.domain.schedules import EARLY, Missed, quiet_since
from ops_platform.operations.update_incidents import tell
from ops_platform.operations.watch_schedules import Over, Scheduled


@dataclass(frozen=True, slots=True)
class Settler:
    """Judges and writes within the caller's transaction; starts due after ``until`` may be late."""

    account: str
    policy: AlertPolicy
    now: datetime
    until: datetime

    def waiting(self, tx: Transaction, scheduled: Scheduled) -> list[Incident]:
        """Return the incidents of a machine that nobody has made up for."""
        arn = scheduled.machine.arn
        return ledger_schedules.open_incidents(tx, self.account, machine_arn=arn)

    def missed(
        self, tx: Transaction, scheduled: Scheduled, last_run: LastRun | NoRun
    ) -> tuple[ScheduleRule, Missed] | None:
        """Return what was missed, by what the ledger and Step Functions know of runs."""
        quiet = [quiet_since(schedule, self.until) for _, schedule in scheduled.rules]
        since = min((at for at in quiet if at is not None), default=None)
        if since is None or scheduled.since is None:
            return None
        arn = scheduled.machine.arn
        known = ledger_schedules.last_start(tx, self.account, arn, since=since)
        starts = (run.started_at for run in (known, last_run) if isinstance(run, LastRun))
        return last_missed(
            scheduled.rules,
            since=scheduled.since,
            last_start=max(starts, default=None),
            until=self.until,
        )

    def make_up_for(
        self, tx: Transaction, incident: Incident, scheduled: Scheduled, last_run: LastRun | NoRun
    ) -> Incident | None:
        """Resolve an incident if a run has started, or if nobody waits for one any more."""
        arn, since = scheduled.machine.arn, incident.opened_at - EARLY
        run = ledger_schedules.first_start(tx, self.account, arn, since=since)
        if run is None and isinstance(last_run, LastRun) and last_run.started_at >= since:
            run = last_run
        if run is not None:
            at = max(run.started_at, incident.opened_at)
            return self.resolve(tx, incident, by=f"run {run.run_id} started", at=at)
        over = Over.MACHINE_GONE if last_run is NoRun.GONE else scheduled.why_over(incident)
        return self.resolve(tx, incident, by=over, at=self.now) if over else None

    def resolve(
        self, tx: Transaction, incident: Incident, *, by: str, at: datetime
    ) -> Incident | None:
        """Resolve an incident and have that told; None if somebody was quicker."""
        resolved = incidents.resolve(tx, incident.id, by=by, now=at)
        if resolved is not None:
            tell(tx, resolved, is_new=False, policy=self.policy, now=self.now)
        return resolved

    def open_or_count(
        self,
        tx: Transaction,
        scheduled: Scheduled,
        missed: tuple[ScheduleRule, Missed],
        last_run: LastRun | NoRun,
        waiting: Sequence[Incident],
    ) -> Incident | None:
        """Open an incident, or count one more missed start in the one that is open."""
        rule, miss = missed
        if waiting:
            self._count(tx, waiting[0], rule, miss, last_run)
            return None
        incident = missed_incident(
            scheduled.machine, account=self.account, rule=rule, missed=miss, last_run=last_run
        )
        if incidents.load(tx, incident.id) is not None:
            return None  # an operator has resolved this very one
        incidents.save(tx, incident)
        tell(tx, incident, is_new=True, policy=self.policy, now=self.now)
        return incident

    def _count(
        self,
        tx: Transaction,
        waiting: Incident,
        rule: ScheduleRule,
        miss: Missed,
        last_run: LastRun | NoRun,
    ) -> None:
        if missed_id(rule, waiting.opened_at) != waiting.id:
            return  # another rule of the machine has missed a start since
        error = explain_missed(rule, replace(miss, expected=waiting.opened_at), last_run)
        if error != waiting.error:
            counted = msgspec.structs.replace(waiting, error=error)
            incidents.save(tx, counted)
            tell(tx, counted, is_new=False, policy=self.policy, now=self.now)
