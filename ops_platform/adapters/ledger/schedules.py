"""Since when the schedule of a state machine is watched, and what has started since."""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from ops_platform.adapters.ledger.queries import fetch
from ops_platform.adapters.ledger.schema import executions, incidents, state_machines
from ops_platform.domain.incidents import Incident, Kind, State
from ops_platform.domain.ports import LastRun, Machine


class Watched(msgspec.Struct, frozen=True):
    """A state machine of Metaflow's, and the schedule that was last seen of it.

    ``rule`` holds the ARNs of its enabled rules, ``schedule`` their expressions; both are None if
    it had none. ``scheduled_since`` is since when they have been seen to be the same.
    """

    arn: str
    flow: str | None
    owner: str | None
    rule: str | None
    schedule: str | None
    scheduled_since: datetime | None

    @property
    def machine(self) -> Machine:
        """The machine alone."""
        return Machine(arn=self.arn, flow=self.flow, owner=self.owner)


_WATCHED = [state_machines.c[name] for name in Watched.__struct_fields__]
_INCIDENT = [incidents.c[name] for name in Incident.__struct_fields__]


def watched(tx: sa.Connection, account: str) -> list[Watched]:
    """Return the state machines of an account that Metaflow deployed."""
    query = (
        sa.select(*_WATCHED)
        .where(state_machines.c.account == account, state_machines.c.is_metaflow)
        .order_by(state_machines.c.arn)
    )
    return [Watched(**row) for row in fetch(tx, query)]


def watch(
    tx: sa.Connection,
    account: str,
    arn: str,
    *,
    rule: str | None,
    schedule: str | None,
    since: datetime | None,
) -> None:
    """Remember the schedule of a machine, and since when it is watched."""
    mine = (state_machines.c.account == account) & (state_machines.c.arn == arn)
    values = {"rule": rule, "schedule": schedule, "scheduled_since": since}
    tx.execute(sa.update(state_machines).where(mine).values(values))


def first_start(tx: sa.Connection, account: str, arn: str, *, since: datetime) -> LastRun | None:
    """Return the first run of a machine that started at this time or later."""
    return _start(tx, account, arn, since, executions.c.started_at.asc())


def last_start(tx: sa.Connection, account: str, arn: str, *, since: datetime) -> LastRun | None:
    """Return the last run of a machine, if it started at this time or later."""
    return _start(tx, account, arn, since, executions.c.started_at.desc())


def _start(
    tx: sa.Connection,
    account: str,
    arn: str,
    since: datetime,
    order: sa.UnaryExpression[datetime],
) -> LastRun | None:
    query = (
        sa.select(executions.c.run_id, executions.c.status, executions.c.started_at)
        .where(executions.c.account == account, executions.c.machine_arn == arn)
        # The index knows when an execution stopped, which is no earlier than it started.
        .where(executions.c.stopped_at.is_(None) | (executions.c.stopped_at >= since))
        .where(executions.c.started_at >= since)
        .order_by(order, executions.c.run_id)
        .limit(1)
    )
    return next((LastRun(**row) for row in fetch(tx, query)), None)


def open_incidents(
    tx: sa.Connection, account: str, *, machine_arn: str | None = None
) -> list[Incident]:
    """Return the missed schedules, of an account or a machine, that nobody has made up for."""
    query = (
        sa.select(*_INCIDENT)
        .where(incidents.c.account == account, incidents.c.kind == Kind.MISSED_SCHEDULE)
        .where(incidents.c.state == State.OPEN)
        .order_by(incidents.c.opened_at)
    )
    if machine_arn is not None:
        query = query.where(incidents.c.machine_arn == machine_arn)
    return [msgspec.convert(row, Incident) for row in fetch(tx, query)]
