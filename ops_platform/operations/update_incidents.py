"""Open, and keep up to date, the incident of each run that failed."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from ops_platform.adapters.ledger import alerts, executions, incidents, jobs
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.incidents import Run, correlate


def update_incidents(
    tx: Transaction, changed: Iterable[tuple[str, str]], *, policy: AlertPolicy, now: datetime
) -> None:
    """Write the incidents of runs, given as account and run id; new ones get their alert."""
    by_account: dict[str, set[str]] = defaultdict(set)
    for account, run_id in changed:
        by_account[account].add(run_id)
    for account, run_ids in by_account.items():
        for execution, flow, owner in executions.failed_runs(tx, account, run_ids):
            run = Run(
                execution,
                failed=jobs.failed_of_run(tx, account, execution.run_id),
                succeeded=jobs.succeeded_of_run(tx, account, execution.run_id),
                flow=flow,
                owner=owner,
            )
            incident = correlate(run)
            if incident is not None and incidents.save(tx, incident):
                alerts.open_alert(tx, incident.id, policy.decide(incident, now), now=now)
