"""What is asked every minute is found by an index, however many alerts there have been."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from ops_platform.adapters.ledger import health
from ops_platform.adapters.ledger.database import Ledger
from ops_platform_tests.build import NOON

DAY = timedelta(days=1)
_SENT = (
    """
    INSERT INTO incidents
      (id, account, flow, run_id, kind, state, opened_at,
       failed_jobs, collateral_jobs, steps, reason)
    SELECT each::text, 'staging', 'Flow', each::text, 'run_failed', 'open', now(), 1, 0, '{}', ''
    FROM generate_series(1, 5000) each
    """,
    """
    INSERT INTO alerts (incident_id, channel, part, state, why, due_at)
    SELECT id, '#alerts', 'message', 'sent', 'first notification', now() FROM incidents
    """,
    "ANALYZE incidents, alerts",
)


def test_neither_what_waits_nor_what_is_dead_is_looked_for_among_all_that_was_sent(
    emptied_ledger: Ledger,
) -> None:
    """Many alerts were sent; none waits, and none is dead."""
    asked: list[tuple[str, Any]] = []
    with emptied_ledger.transaction() as tx:
        for statement in _SENT:
            tx.execute(sa.text(statement))
        sa.event.listen(tx, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
        health.outbox(tx, "staging", now=NOON, limit=DAY, tried=5, dead_within=DAY)
        (query, values) = asked[0]
        plan = [str(row[0]) for row in tx.exec_driver_sql(f"EXPLAIN {query}", values)]
    indexes = {line.split(" on ")[1].split()[0] for line in plan if "Bitmap Index Scan" in line}
    assert {"alerts_next", "alerts_dead"} <= indexes
