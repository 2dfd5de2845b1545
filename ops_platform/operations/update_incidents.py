"""Open, and keep up to date, the incident of each run that failed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from ops_platform.adapters.ledger import alerts, executions, incidents, jobs
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.incidents import Incident, Run, correlate
from ops_platform.domain.interactive import correlate_interactive, is_interactive
from ops_platform.operations.plan_alerts import open_incident, plan


def update_incidents(
    tx: Transaction, changed: Iterable[tuple[str, str]], *, policy: AlertPolicy, now: datetime
) -> None:
    """Write the incidents of runs, given as account and run id, and what is to be told of them.

    A run that succeeded resolves the incidents of earlier runs of its state machine.
    """
    by_account: dict[str, set[str]] = defaultdict(set)
    for account, run_id in changed:
        by_account[account].add(run_id)
    for account, run_ids in by_account.items():
        found = {each.id: each for each in _correlated(tx, account, run_ids)}
        new = {each.id for each in found.values() if incidents.save(tx, each)}
        found |= {each.id: each for each in incidents.resolve_by_success(tx, account, run_ids)}
        alerts.keep(tx, found.keys() - new)
        for each in found.values():
            tell(tx, each, is_new=each.id in new, policy=policy, now=now)


def tell(
    tx: Transaction, incident: Incident, *, is_new: bool, policy: AlertPolicy, now: datetime
) -> None:
    """Put into the outbox what is to be told of an incident that was just saved."""
    if is_new:
        open_incident(tx, incident, policy=policy, now=now)
    else:
        # As it is stored: somebody else may have resolved it meanwhile.
        stored = incidents.load(tx, incident.id)
        plan(tx, stored or incident, policy=policy, now=now)


def _correlated(tx: Transaction, account: str, run_ids: set[str]) -> Iterator[Incident]:
    for execution, flow, owner in executions.failed_runs(tx, account, run_ids):
        run = Run(
            execution,
            failed=jobs.failed_of_run(tx, account, execution.run_id),
            succeeded=jobs.succeeded_of_run(tx, account, execution.run_id),
            flow=flow,
            owner=owner,
        )
        incident = correlate(run)
        if incident is not None:
            yield incident
    for run_id in filter(is_interactive, run_ids):
        incident = correlate_interactive(jobs.of_run(tx, account, run_id))
        if incident is not None:
            yield incident
