"""The locks on flows: one holder at a time, and who took and released each."""

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.promotion_tables import flow_locks, lock_events
from ops_platform.adapters.ledger.queries import Row, fetch
from ops_platform.domain.flow_locks import FlowLock, same_holder


def take(tx: sa.Connection, wanted: FlowLock, *, reason: str) -> FlowLock:
    """Take a lock unless somebody else has it; return the one that holds then.

    Who holds it already keeps it as it was taken.
    """
    values = msgspec.to_builtins(wanted, builtin_types=(datetime,))
    made = (
        insert(flow_locks).values(values).on_conflict_do_nothing().returning(flow_locks.c.account)
    )
    if fetch(tx, made):
        _tell(tx, wanted, "taken", actor=wanted.taken_by, reason=reason, now=wanted.taken_at)
        return wanted
    held = holder(tx, wanted.account, wanted.machine)
    # It was released between the two looks: whoever asks again gets it.
    return held if held is not None else take(tx, wanted, reason=reason)


def holder(tx: sa.Connection, account: str, machine: str) -> FlowLock | None:
    """Return the lock on a machine, None if nobody has it."""
    wanted = (flow_locks.c.account == account) & (flow_locks.c.machine == machine)
    rows = fetch(tx, sa.select(flow_locks).where(wanted))
    return msgspec.convert(rows[0], FlowLock) if rows else None


def release(
    tx: sa.Connection, lock: FlowLock, *, actor: str, reason: str, now: datetime
) -> FlowLock | None:
    """Release a lock if it is still of the same holder; return what was released."""
    wanted = (flow_locks.c.account == lock.account) & (flow_locks.c.machine == lock.machine)
    rows = fetch(tx, sa.select(flow_locks).where(wanted).with_for_update())
    held = msgspec.convert(rows[0], FlowLock) if rows else None
    if held is None or not same_holder(held, lock):
        return None
    tx.execute(sa.delete(flow_locks).where(wanted))
    _tell(tx, held, "released", actor=actor, reason=reason, now=now)
    return held


def held(tx: sa.Connection, account: str | None = None) -> list[FlowLock]:
    """Return all locks, the first taken first."""
    query = sa.select(flow_locks).order_by(flow_locks.c.taken_at, flow_locks.c.machine)
    if account is not None:
        query = query.where(flow_locks.c.account == account)
    return [msgspec.convert(row, FlowLock) for row in fetch(tx, query)]


def events(tx: sa.Connection, account: str, machine: str) -> list[Row]:
    """Return who took and released the lock on a machine, in their order."""
    wanted = (lock_events.c.account == account) & (lock_events.c.machine == machine)
    return fetch(tx, sa.select(lock_events).where(wanted).order_by(lock_events.c.id))


def _tell(
    tx: sa.Connection, lock: FlowLock, what: str, *, actor: str, reason: str, now: datetime
) -> None:
    tx.execute(
        insert(lock_events).values(
            account=lock.account,
            machine=lock.machine,
            what=what,
            holder=lock.holder,
            actor=actor,
            reason=reason,
            at=now,
        )
    )
