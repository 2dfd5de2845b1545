"""Find the flows that EventBridge should have started and did not.

EventBridge tells nobody of a start that failed, so what it should have started is worked out from
its rules and compared with what did start. The ledger is asked first, and Step Functions itself
before anything is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from ops_platform.adapters.aws_errors import FORBIDDEN, AwsError
from ops_platform.adapters.ledger import incidents, rows
from ops_platform.adapters.ledger import schedules as ledger_schedules
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.adapters.ledger.schedules import Watched
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.incidents import Incident
from ops_platform.domain.missed_schedules import (
    explain_missed,
    last_missed,
    missed_id,
    missed_incident,
)
from ops_platform.domain.ports import LastRun, NoRun, ScheduleRule, Schedules, Starts
from ops_platform.domain.schedules import EARLY, Missed, quiet_since
from ops_platform.operations.update_incidents import tell
from ops_platform.operations.watch_schedules import Over, Scheduled, watch_schedule


@dataclass(frozen=True, slots=True)
class MissedSchedules:
    """What a look at an account's schedules came to.

    ``machines`` were looked at, ``scheduled`` of them have an enabled rule. ``unreadable`` says of
    which expressions nobody knows what they mean, when they are first seen; ``trouble`` what AWS
    did not answer or allow.
    """

    account: str
    machines: int = 0
    scheduled: int = 0
    opened: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    unreadable: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()


def find_missed_schedules(
    ledger: Ledger,
    *,
    account: str,
    schedules: Schedules,
    starts: Starts,
    policy: AlertPolicy,
    now: datetime,
    grace: timedelta,
) -> MissedSchedules:
    """Open an incident for each schedule that was missed, and resolve those made up for.

    A state machine has one such incident at a time. Only what was due since its schedule is
    watched counts: nobody knows what the rules were before.
    """
    look = _Look(ledger, account, schedules, starts, policy, now, until=now - grace)
    with ledger.transaction() as tx:
        machines = ledger_schedules.watched(tx, account)
    try:
        for machine in machines:
            look.at(machine)
        look.close_others({machine.arn for machine in machines})
    except AwsError as error:  # AWS does not answer, so the rest has to wait
        look.trouble.append(str(error))
    return look.result()


@dataclass(slots=True)
class _Look:
    """One look at the schedules of an account."""

    ledger: Ledger
    account: str
    schedules: Schedules
    starts: Starts
    policy: AlertPolicy
    now: datetime
    until: datetime
    machines: int = 0
    scheduled: int = 0
    opened: list[Incident] = field(default_factory=list)
    resolved: list[Incident] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def result(self) -> MissedSchedules:
        """Return what it came to."""
        return MissedSchedules(
            account=self.account,
            machines=self.machines,
            scheduled=self.scheduled,
            opened=tuple(self.opened),
            resolved=tuple(self.resolved),
            unreadable=tuple(self.unreadable),
            trouble=tuple(self.trouble),
        )

    def at(self, machine: Watched) -> None:
        """Look at one machine; one that we may not read does not hide the others."""
        self.machines += 1
        try:
            scheduled = watch_schedule(
                self.ledger, self.schedules, machine, account=self.account, now=self.now
            )
            self.scheduled += scheduled.over is None
            self.unreadable += scheduled.unreadable
            self._judge(scheduled)
        except AwsError as error:
            if error.code not in FORBIDDEN:
                raise
            self.trouble.append(str(error))

    def close_others(self, machine_arns: set[str]) -> None:
        """Close the incidents of machines that are gone."""
        with self.ledger.transaction() as tx:
            rows.lock(tx, f"state of {self.account}")
            for incident in ledger_schedules.open_incidents(tx, self.account):
                if incident.machine_arn not in machine_arns:
                    self._resolve(tx, incident, by=Over.MACHINE_GONE, at=self.now)

    def _judge(self, scheduled: Scheduled) -> None:
        """Write what is missed and made up for, if Step Functions says the same as the ledger."""
        with self.ledger.transaction() as tx:
            waiting = self._waiting(tx, scheduled)
            if not waiting and self._missed(tx, scheduled, NoRun.NEVER) is None:
                return
        last_run = self.starts.last_run(scheduled.machine.arn)
        with self.ledger.transaction() as tx:
            rows.lock(tx, f"state of {self.account}")
            waiting = [
                incident
                for incident in self._waiting(tx, scheduled)
                if not self._made_up_for(tx, incident, scheduled, last_run)
            ]
            missed = self._missed(tx, scheduled, last_run)
            if missed is not None and last_run is not NoRun.GONE:
                self._tell(tx, scheduled, missed, last_run, waiting)

    def _waiting(self, tx: Transaction, scheduled: Scheduled) -> list[Incident]:
        arn = scheduled.machine.arn
        return ledger_schedules.open_incidents(tx, self.account, machine_arn=arn)

    def _missed(
        self, tx: Transaction, scheduled: Scheduled, last_run: LastRun | NoRun
    ) -> tuple[ScheduleRule, Missed] | None:
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

    def _made_up_for(
        self,
        tx: Transaction,
        incident: Incident,
        scheduled: Scheduled,
        last_run: LastRun | NoRun,
    ) -> bool:
        """Resolve an incident if a run has started, or if nobody waits for one any more."""
        arn, since = scheduled.machine.arn, incident.opened_at - EARLY
        run = ledger_schedules.first_start(tx, self.account, arn, since=since)
        if run is None and isinstance(last_run, LastRun) and last_run.started_at >= since:
            run = last_run
        if run is not None:
            at = max(run.started_at, incident.opened_at)
            self._resolve(tx, incident, by=f"run {run.run_id} started", at=at)
            return True
        over = Over.MACHINE_GONE if last_run is NoRun.GONE else scheduled.why_over(incident)
        if over is not None:
            self._resolve(tx, incident, by=over, at=self.now)
        return over is not None

    def _resolve(self, tx: Transaction, incident: Incident, *, by: str, at: datetime) -> None:
        resolved = incidents.resolve(tx, incident.id, by=by, now=at)
        if resolved is not None:
            tell(tx, resolved, is_new=False, policy=self.policy, now=self.now)
            self.resolved.append(resolved)

    def _tell(
        self,
        tx: Transaction,
        scheduled: Scheduled,
        missed: tuple[ScheduleRule, Missed],
        last_run: LastRun | NoRun,
        waiting: Sequence[Incident],
    ) -> None:
        """Open an incident, or count one more missed start in the one that is open."""
        rule, miss = missed
        incident = missed_incident(
            scheduled.machine, account=self.account, rule=rule, missed=miss, last_run=last_run
        )
        if waiting:
            self._count(tx, waiting[0], rule, miss, last_run)
        elif incidents.load(tx, incident.id) is None:  # an operator may have resolved this one
            incidents.save(tx, incident)
            tell(tx, incident, is_new=True, policy=self.policy, now=self.now)
            self.opened.append(incident)

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
