"""What the jobs of a run tell of it: which flow's it is, and whose."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.schema import runs
from ops_platform.domain.lifecycle import Job


def note(tx: sa.Connection, jobs: Iterable[Job]) -> None:
    """Remember flow and owner of the runs that the jobs belong to.

    All jobs of a run name the same; should they differ, the least wins, in whatever order.
    """
    told = {
        (job.account, job.latest.run_id): {"flow": job.latest.flow, "owner": job.latest.owner}
        for job in jobs
        if job.latest.run_id and (job.latest.flow or job.latest.owner)
    }
    if not told:
        return
    values = [{"account": key[0], "run_id": key[1], **named} for key, named in sorted(told.items())]
    statement = insert(runs).values(values)
    least = {
        name: sa.func.least(runs.c[name], statement.excluded[name]) for name in ("flow", "owner")
    }
    changed = sa.tuple_(runs.c.flow, runs.c.owner).is_distinct_from(
        sa.tuple_(least["flow"], least["owner"])
    )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["account", "run_id"], set_=least, where=changed
        )
    )


def identify(
    tx: sa.Connection, account: str, run_id: str, *, flow: str | None, owner: str | None
) -> None:
    """Remember what a state machine tells of a run, unless jobs told already."""
    values = {"account": account, "run_id": run_id, "flow": flow, "owner": owner}
    tx.execute(insert(runs).values(values).on_conflict_do_nothing())
