"""Flows that broke or recovered: whose run ended otherwise than the one before."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from ops_platform.adapters.ledger.queries import fetch
from ops_platform.domain.morning import Turn

# A flow that did not run for longer is told like one that never ran before.
_REMEMBERED = timedelta(days=31)
_TURNS = sa.text("""
WITH ends AS (
  SELECT known.account, coalesce(known.project, '') AS project, known.branch,
    coalesce(runs.flow, runs.machine_flow, known.flow) AS flow,
    coalesce(runs.owner, runs.machine_owner) AS owner, known.error,
    (moved->>'at')::timestamptz AS at, moved->>'status' = 'SUCCEEDED' AS succeeded
  FROM executions AS known
  LEFT JOIN runs ON (runs.account, runs.run_id) = (known.account, known.run_id)
  CROSS JOIN LATERAL jsonb_array_elements(known.moves) AS moved
  WHERE known.changed_at >= :remembered AND strpos(known.machine_arn, '/') = 0
    AND moved->>'status' IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED')
), compared AS (
  SELECT *, lag(succeeded) OVER (
    PARTITION BY account, project, branch, flow ORDER BY at, succeeded
  ) AS before
  FROM ends WHERE flow IS NOT NULL AND at < :until
)
SELECT DISTINCT ON (account, project, branch, flow) account, flow, branch, owner, at, succeeded,
  error
FROM compared WHERE at >= :since AND before <> succeeded
ORDER BY account, project, branch, flow, at DESC
""")


def between(tx: sa.Connection, since: datetime, until: datetime) -> list[Turn]:
    """Return the last turn of each flow, on each of its branches, within that time."""
    given = {"since": since, "until": until, "remembered": since - _REMEMBERED}
    return [Turn(**row) for row in fetch(tx, _TURNS.bindparams(**given))]
