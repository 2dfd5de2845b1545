"""Which jobs of a run the ledger knows, by their ids alone: a run may have tens of thousands."""

from collections.abc import Sequence

import sqlalchemy as sa

from ops_platform.adapters.ledger.queries import one_of
from ops_platform.adapters.ledger.schema import jobs
from ops_platform.domain.lifecycle import JOB_ENDS, LOST


def open_ids(tx: sa.Connection, account: str, run_id: str, *, limit: int) -> list[str]:
    """Return the ids of those jobs of a run that have not ended."""
    query = (
        sa.select(jobs.c.job_id)
        .where(jobs.c.account == account, jobs.c.run_id == run_id)
        .where(jobs.c.status.not_in(JOB_ENDS), jobs.c.status != LOST)
        .order_by(jobs.c.job_id)
        .limit(limit)
    )
    return list(tx.scalars(query))


def not_ended(tx: sa.Connection, account: str, job_ids: Sequence[str]) -> list[str]:
    """Return those of the ids, in their order, of which the ledger knows no job that has ended."""
    query = sa.select(jobs.c.job_id).where(
        jobs.c.account == account, one_of(jobs.c.job_id, job_ids), jobs.c.status.in_(JOB_ENDS)
    )
    ended = set(tx.scalars(query))
    return [job_id for job_id in dict.fromkeys(job_ids) if job_id not in ended]
