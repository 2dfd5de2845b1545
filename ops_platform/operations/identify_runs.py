"""Find flow and owner of failed runs of which no job told any.

A run whose first job could not even be submitted has no job to ask; its state machine knows.
"""

from datetime import datetime

from ops_platform.adapters.ledger import incidents, rows, runs
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.incidents import AlertPolicy
from ops_platform.domain.ports import StateMachines
from ops_platform.operations.update_incidents import update_incidents

AT_ONCE = 20


def identify_runs(
    ledger: Ledger, machines: StateMachines, *, account: str, policy: AlertPolicy, now: datetime
) -> int:
    """Ask the state machines of an account's unidentified incidents; return how many were asked.

    Each run is asked for once, whatever the answer: what is found is kept, and so is nothing.
    """
    with ledger.transaction() as tx:
        unknown = incidents.unidentified(tx, account, limit=AT_ONCE)
    if not unknown:
        return 0
    found = {arn: machines.describe(arn) for arn in {row["machine_arn"] for row in unknown}}
    with ledger.transaction() as tx:
        rows.lock(tx, f"state of {account}")
        for row in unknown:
            machine = found[row["machine_arn"]]
            flow, owner = (machine.flow, machine.owner) if machine else (None, None)
            runs.identify(tx, account, row["run_id"], flow=flow, owner=owner)
        changed = [(account, row["run_id"]) for row in unknown]
        update_incidents(tx, changed, policy=policy, now=now)
    return len(unknown)
