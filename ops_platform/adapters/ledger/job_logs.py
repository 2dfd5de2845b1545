"""The ends of the logs of failed jobs, each read once, since CloudWatch keeps them less long."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.schema import job_logs
from ops_platform.domain.job_log import LogAbsence
from ops_platform.domain.story import JobLog

_KEY = ("account", "job_id")


def save(
    tx: sa.Connection,
    account: str,
    job_id: str,
    log: JobLog,
    *,
    log_stream: str | None,
    fetched_at: datetime,
) -> None:
    """Store what was found of a job's log, in the place of what was found before."""
    values = {
        "log_stream": log_stream,
        "exception": log.exception,
        "tail": log.tail,
        "truncated": log.truncated,
        "absence": log.absence,
        "fetched_at": fetched_at,
    }
    statement = insert(job_logs).values(account=account, job_id=job_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=values))


def load(tx: sa.Connection, account: str, job_id: str) -> JobLog | None:
    """Return what was found of a job's log, None if nobody has looked."""
    row = tx.execute(_select(account, job_id)).one_or_none()
    if row is None:
        return None
    absence = LogAbsence(row.absence) if row.absence else None
    return JobLog(row.exception, row.tail, truncated=row.truncated, absence=absence)


def is_settled(tx: sa.Connection, account: str, job_id: str, log_stream: str | None) -> bool:
    """Tell whether to look once more would find the same.

    It would not where CloudWatch did not answer, or where the job has run again since.
    """
    row = tx.execute(_select(account, job_id)).one_or_none()
    if row is None or row.log_stream != log_stream:
        return False
    return bool(row.absence != LogAbsence.UNAVAILABLE)


def _select(account: str, job_id: str) -> sa.Select[tuple[str | None, ...]]:
    return sa.select(job_logs).where(job_logs.c.account == account, job_logs.c.job_id == job_id)
