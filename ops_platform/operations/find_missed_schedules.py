"""Find the flows that EventBridge should have started and did not.

EventBridge tells nobody of a start that failed, so what it should have started is worked out from
its rules and compared with what did start. The ledger is asked first, and Step Functions itself
before anything is said.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops_platform.adapters.aws_errors import FORBIDDEN, AwsError
from ops_platform.adapters.ledger import rows
from ops_platform.adapters.ledger import schedules as ledger_schedules
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.schedules import Watched
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.incidents import Incident
from ops_platform.domain.ports import NoRun, Schedules, Starts
from ops_platform.operations.settle_missed_schedules import Settler
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
    look = _Look(ledger, schedules, starts, Settler(account, policy, now, until=now - grace))
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
    schedules: Schedules
    starts: Starts
    settler: Settler
    machines: int = 0
    scheduled: int = 0
    opened: list[Incident] = field(default_factory=list)
    resolved: list[Incident] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def result(self) -> MissedSchedules:
        """Return what it came to."""
        return MissedSchedules(
            account=self.settler.account,
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
        account, now = self.settler.account, self.settler.now
        try:
            scheduled = watch_schedule(
                self.ledger, self.schedules, machine, account=account, now=now
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
        settler = self.settler
        with self.ledger.transaction() as tx:
            rows.lock(tx, f"state of {settler.account}")
            for incident in ledger_schedules.open_incidents(tx, settler.account):
                if incident.machine_arn in machine_arns:
                    continue
                if done := settler.resolve(tx, incident, by=Over.MACHINE_GONE, at=settler.now):
                    self.resolved.append(done)

    def _judge(self, scheduled: Scheduled) -> None:
        """Write what is missed and made up for, if Step Functions says the same as the ledger."""
        settler = self.settler
        with self.ledger.transaction() as tx:
            waiting = settler.waiting(tx, scheduled)
            if not waiting and settler.missed(tx, scheduled, NoRun.NEVER) is None:
                return
        last_run = self.starts.last_run(scheduled.machine.arn)
        with self.ledger.transaction() as tx:
            rows.lock(tx, f"state of {settler.account}")
            waiting = []
            for incident in settler.waiting(tx, scheduled):
                done = settler.make_up_for(tx, incident, scheduled, last_run)
                (self.resolved if done else waiting).append(done or incident)
            missed = settler.missed(tx, scheduled, last_run)
            if missed is None or last_run is NoRun.GONE:
                return
            opened = settler.open_or_count(tx, scheduled, missed, last_run, waiting)
            self.opened += [opened] if opened else []
