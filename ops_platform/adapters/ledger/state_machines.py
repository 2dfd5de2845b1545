"""The state machines of the accounts: what each of them is, and how far its executions are read."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.queries import fetch, one_of
from ops_platform.adapters.ledger.schema import state_machines
from ops_platform.domain.ports import Machine


class Remembered(msgspec.Struct, frozen=True):
    """A state machine as it was when it was last described.

    What its executions came to is in the ledger if they ended before ``reconciled_until``.
    """

    arn: str
    is_metaflow: bool
    flow: str | None
    owner: str | None
    revision: str | None
    described_at: datetime
    reconciled_until: datetime | None = None


_KEY = ["account", "arn"]
_COLUMNS = [state_machines.c[name] for name in Remembered.__struct_fields__]


def load(tx: sa.Connection, account: str) -> dict[str, Remembered]:
    """Return the state machines of an account by ARN."""
    query = sa.select(*_COLUMNS).where(state_machines.c.account == account)
    return {row["arn"]: Remembered(**row) for row in fetch(tx, query)}


def remember(
    tx: sa.Connection, account: str, machines: Iterable[Machine], *, now: datetime
) -> None:
    """Store what machines are; how far their executions are read stays as it is."""
    rows: list[dict[str, Any]] = [
        {
            "account": account,
            "arn": machine.arn,
            "is_metaflow": machine.flow is not None,
            "flow": machine.flow,
            "owner": machine.owner,
            "revision": machine.revision,
            "described_at": now,
        }
        for machine in sorted(machines, key=lambda machine: machine.arn)
    ]
    if not rows:
        return
    statement = insert(state_machines).values(rows)
    changes = {name: statement.excluded[name] for name in rows[0] if name not in _KEY}
    tx.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=changes))


def reconciled(tx: sa.Connection, account: str, arn: str, *, until: datetime) -> None:
    """Remember up to when a machine's executions are read; it never goes back."""
    mine = (state_machines.c.account == account) & (state_machines.c.arn == arn)
    reached = sa.func.greatest(state_machines.c.reconciled_until, until)
    tx.execute(sa.update(state_machines).where(mine).values(reconciled_until=reached))


def forget(tx: sa.Connection, account: str, arns: Collection[str]) -> None:
    """Forget machines that are gone."""
    mine = (state_machines.c.account == account) & one_of(state_machines.c.arn, arns)
    tx.execute(sa.delete(state_machines).where(mine))
