"""What the ledger forgets beside a day's events: the state of what ended before the days it keeps.

The metrics of an hour are made of every job, execution and instance that touched it. So something
goes only if it ended before the first day that is kept, and with it its run does: a run's jobs stay
while any of them, its execution or its incident is open, since together they tell why it failed.

``LOST`` counts as an end: nobody will ever tell more. What never ended stays. So do for good the
incidents with their alerts and the cancellations: they are few, they are the record of what the
platform told people and did to their jobs, and the rollups of old days are made of them too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

Bound = Mapping[str, object]
BATCH = 5000
# The time of an event has whole seconds and comes from another clock than the moments it tells.
_MARGIN = timedelta(hours=1)
_FIRST = "-infinity"

_JOB_IS_OVER = """{0}.status IN ('SUCCEEDED', 'FAILED', 'LOST') AND {0}.changed_at < :until
  AND greatest({0}.stopped_at, {0}.submitted_at, {0}.pending_at, {0}.runnable_at, {0}.starting_at,
    {0}.running_ats[cardinality({0}.running_ats)]) < :kept IS NOT FALSE"""
_EXECUTION_IS_OVER = """{0}.status IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'LOST')
  AND {0}.changed_at < :until
  AND greatest({0}.stopped_at, ({0}.moves->-1->>'at')::timestamptz) < :kept IS NOT FALSE"""
_OF_RUN = "({0}.account, {0}.run_id) = (run.account, run.run_id)"
_LIVES = f"""
  EXISTS (SELECT FROM jobs AS one WHERE {_OF_RUN.format("one")}
    AND NOT ({_JOB_IS_OVER.format("one")}))
  OR EXISTS (SELECT FROM executions AS one WHERE {_OF_RUN.format("one")}
    AND NOT ({_EXECUTION_IS_OVER.format("one")}))
  OR EXISTS (SELECT FROM incidents AS one WHERE {_OF_RUN.format("one")} AND one.state = 'open')"""  # noqa: S608, ours
_CANDIDATES = """
WITH old AS MATERIALIZED (
  SELECT account, {key} AS key, run_id, changed_at, {began} AS began, {is_over} AS is_over
  FROM {table} AS one
  WHERE changed_at < :until AND (changed_at, account, {key}) > (:at, :account, :key)
  ORDER BY changed_at, account, {key} LIMIT :size
), living AS MATERIALIZED (
  SELECT * FROM (SELECT DISTINCT account, run_id FROM old WHERE run_id IS NOT NULL) AS run
  WHERE {lives}
)
SELECT old.account, old.key, old.run_id, old.changed_at, old.began,
  old.is_over AND living.run_id IS NULL AS goes
FROM old LEFT JOIN living USING (account, run_id) ORDER BY changed_at, account, key
"""
_JOBS = _CANDIDATES.format(
    table="jobs",
    key="job_id",
    began="least(created_at, submitted_at, changed_at)",
    is_over=_JOB_IS_OVER.format("one"),
    lives=_LIVES,
)
# One that an incident names as what resolved it must not make room for another to do so.
_EXECUTIONS = _CANDIDATES.format(
    table="executions",
    key="execution_arn",
    began="least(started_at, (moves->0->>'at')::timestamptz, changed_at)",
    is_over=_EXECUTION_IS_OVER.format("one")
    + """ AND NOT EXISTS (SELECT FROM incidents WHERE incidents.account = one.account
      AND resolved_by = concat('run ', one.run_id, ' succeeded'))""",
    lives=_LIVES,
)
# A host's jobs may outlive it in the ledger, and their hours name its type.
_INSTANCES = f"""
WITH used AS MATERIALIZED (
  SELECT account, container_instance FROM jobs AS one
  WHERE (created_at < :kept OR created_at IS NULL) AND NOT ({_JOB_IS_OVER.format("one")})
  UNION SELECT account, tried->>'container_instance'
  FROM jobs AS one, jsonb_array_elements(attempts) AS tried
  WHERE (created_at < :kept OR created_at IS NULL) AND NOT ({_JOB_IS_OVER.format("one")})
)
SELECT account, instance_arn AS key, NULL AS run_id, changed_at, registered_at AS began,
  true AS goes
FROM container_instances AS one
WHERE changed_at < :until AND deregistered_at < :kept
  AND (changed_at, account, instance_arn) > (:at, :account, :key)
  AND NOT EXISTS (SELECT FROM used WHERE used.account = one.account
    AND used.container_instance = one.instance_arn)
ORDER BY changed_at, account, instance_arn LIMIT :size
"""  # noqa: S608, ours
_REJECTED = """
SELECT '' AS account, encode(digest, 'hex') AS key, NULL AS run_id, last_seen_at AS changed_at,
  first_seen_at AS began, true AS goes
FROM rejected_messages
WHERE last_seen_at < :kept AND (last_seen_at, '', encode(digest, 'hex')) > (:at, :account, :key)
ORDER BY last_seen_at, key LIMIT :size
"""
_GONE = "unnest(CAST(:accounts AS text[]), CAST(:keys AS text[])) AS gone(account, key)"
_DELETE = {
    "jobs": "(one.account, job_id) = (gone.account, gone.key)",
    "executions": "(one.account, execution_arn) = (gone.account, gone.key)",
    "container_instances": "(one.account, instance_arn) = (gone.account, gone.key)",
    "rejected_messages": "digest = decode(gone.key, 'hex')",
    "job_logs": "(one.account, job_id) = (gone.account, gone.key)",
}
_RUNS = """
DELETE FROM runs AS run
USING unnest(CAST(:accounts AS text[]), CAST(:runs AS text[])) AS gone(account, run_id)
WHERE (run.account, run.run_id) = (gone.account, gone.run_id)
""" + "".join(
    f"AND NOT EXISTS (SELECT FROM {table} AS one WHERE {_OF_RUN.format('one')})\n"
    for table in ("jobs", "executions", "incidents")
)


class Place(NamedTuple):
    """How far a table was gone through: the last row that was looked at."""

    at: datetime | str = _FIRST
    account: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Some rows of a table that are old, and those of them that go."""

    table: str
    last: Place | None
    gone: Sequence[tuple[str, str, str | None]]
    began: datetime | None

    def __len__(self) -> int:
        return len(self.gone)


def bounds(kept: datetime) -> Bound:
    """Return what the queries need to know: the moment from which on all is kept."""
    return {"kept": kept, "until": kept - _MARGIN}


TABLES: Mapping[str, str] = {
    "jobs": _JOBS,
    "executions": _EXECUTIONS,
    "container_instances": _INSTANCES,
    "rejected_messages": _REJECTED,
}


def find(tx: sa.Connection, table: str, after: Place, kept: datetime) -> Found:
    """Return the next old rows of a table, in the order in which they changed last."""
    values = {**bounds(kept), **after._asdict(), "size": BATCH}
    found = tx.execute(sa.text(TABLES[table]), values).all()
    going = [row for row in found if row.goes]
    last = Place(found[-1].changed_at, found[-1].account, found[-1].key) if found else None
    return Found(
        table,
        last,
        [(row.account, row.key, row.run_id) for row in going],
        min((row.began for row in going), default=None),
    )


def delete(tx: sa.Connection, found: Found) -> None:
    """Delete the rows that go, and what is nothing without them: logs, and names of runs."""
    if not found.gone:
        return
    accounts, keys, runs = map(list, zip(*found.gone, strict=True))
    values: dict[str, Any] = {"accounts": accounts, "keys": keys, "runs": runs}
    _delete(tx, found.table, values)
    if found.table == "jobs":
        _delete(tx, "job_logs", values)
    tx.execute(sa.text(_RUNS), values)


def _delete(tx: sa.Connection, table: str, values: dict[str, Any]) -> None:
    query = f"DELETE FROM {table} AS one USING {_GONE} WHERE {_DELETE[table]}"  # noqa: S608, ours
    tx.execute(sa.text(query), values)
