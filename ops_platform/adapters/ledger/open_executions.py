"""Which execution a run is, as long as it has not ended."""

import sqlalchemy as sa

from ops_platform.adapters.ledger.schema import executions

_OPEN = ("RUNNING", "PENDING_REDRIVE")


def of_run(tx: sa.Connection, account: str, run_id: str) -> str | None:
    """Return the ARN of the execution that a run is; None unless exactly one is open.

    A child execution of a Distributed Map is a part of a run.
    """
    is_child = executions.c.machine_arn.contains("/", autoescape=True)
    query = sa.select(executions.c.execution_arn).where(
        executions.c.account == account,
        executions.c.run_id == run_id,
        executions.c.status.in_(_OPEN),
        ~is_child,
    )
    found = tx.scalars(query.limit(2)).all()
    return str(found[0]) if len(found) == 1 else None
