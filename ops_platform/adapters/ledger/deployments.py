"""What was deployed to production, in its order, and when it was last looked at for drift."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from ops_platform.adapters.ledger.promotion_tables import deployments, drift_looks
from ops_platform.adapters.ledger.queries import fetch
from ops_platform.domain.deployments import Deployment
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Finding


@dataclass(frozen=True, slots=True)
class Current:
    """What runs by the record; the drift is None until somebody looked."""

    deployment: Deployment
    drift: str | None
    looked_at: datetime | None


def add(tx: sa.Connection, deployment: Deployment) -> Deployment:
    """Record a deployment; that of the same promotion is recorded once."""
    values = msgspec.to_builtins(deployment, builtin_types=(datetime,))
    del values["id"]
    done = insert(deployments).values(values)
    tx.execute(done.on_conflict_do_nothing(index_elements=["promotion_id"]))
    wanted = deployments.c.promotion_id == deployment.promotion_id
    (row,) = fetch(tx, sa.select(deployments).where(wanted))
    return msgspec.convert(row, Deployment)


def latest(tx: sa.Connection, account: str, machine: str) -> Deployment | None:
    """Return the last deployment of a machine, None if we never deployed it."""
    return next(iter(history(tx, account, machine, limit=1)), None)


def history(
    tx: sa.Connection, account: str, machine: str, *, limit: int | None = None
) -> list[Deployment]:
    """Return the deployments of a machine, the last first."""
    query = (
        sa.select(deployments)
        .where(deployments.c.account == account, deployments.c.machine == machine)
        .order_by(deployments.c.id.desc())
        .limit(limit)
    )
    return [msgspec.convert(row, Deployment) for row in fetch(tx, query)]


def get(tx: sa.Connection, deployment_id: int) -> Deployment:
    """Return a deployment.

    Raises:
        PlatformError: There is none of that number.
    """
    rows = fetch(tx, sa.select(deployments).where(deployments.c.id == deployment_id))
    if not rows:
        raise PlatformError(
            f"There is no deployment {deployment_id}; see `ops-platform deployments list`."
        )
    return msgspec.convert(rows[0], Deployment)


def current(tx: sa.Connection, account: str | None = None) -> list[Current]:
    """Return the last deployment of each machine, by name."""
    last = (
        sa.select(deployments)
        .ext(distinct_on(deployments.c.account, deployments.c.machine))
        .order_by(deployments.c.account, deployments.c.machine, deployments.c.id.desc())
    )
    if account is not None:
        last = last.where(deployments.c.account == account)
    looks = {(row["account"], row["machine"]): row for row in fetch(tx, sa.select(drift_looks))}
    found = []
    for row in fetch(tx, last):
        look = looks.get((row["account"], row["machine"]))
        made = msgspec.convert(row, Deployment)
        is_newer = look is not None and look["looked_at"] >= made.deployed_at
        found.append(
            Current(made, look["reason"], look["looked_at"])
            if look is not None and is_newer
            else Current(made, None, None)
        )
    return found


def owner(tx: sa.Connection, account: str, machine: str) -> str | None:
    """Return whom the last deployment of a machine names as its owner."""
    found = latest(tx, account, machine)
    return found.owner if found else None


def note_drift(
    tx: sa.Connection, account: str, machine: str, finding: Finding, now: datetime
) -> None:
    """Note what a look for drift found; the last look is kept."""
    seen = {"looked_at": now, "reason": finding.reason, "message": finding.message}
    noted = insert(drift_looks).values(account=account, machine=machine, **seen)
    tx.execute(noted.on_conflict_do_update(index_elements=["account", "machine"], set_=seen))
