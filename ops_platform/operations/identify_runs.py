"""Find flow and owner of failed runs of which no job told any.

A run whose first job could not even be submitted has no job to ask; its state machine knows.
"""

from collections.abc import Iterable
from datetime import datetime

from ops_platform.adapters.ledger import incidents, rows, runs
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.rollups.marks import mark_runs
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.ports import Machine, StateMachines
from ops_platform.operations.update_incidents import update_incidents

AT_ONCE = 20


def identify_runs(
    ledger: Ledger, machines: StateMachines, *, account: str, policy: AlertPolicy, now: datetime
) -> int:
    """Ask the state machines of an account's unidentified incidents; return how many answered.

    Each run is asked for until there is an answer, and then never again: what is found is kept,
    and so is that there is nothing.

    Raises:
        PlatformError: Some machines could not be asked; what the others told is kept.
    """
    with ledger.transaction() as tx:
        unknown = incidents.unidentified(tx, account, limit=AT_ONCE)
    told, refused = _ask(machines, {row["machine_arn"] for row in unknown})
    answered = [row for row in unknown if row["machine_arn"] in told]
    if answered:
        with ledger.transaction() as tx:
            rows.lock(tx, f"state of {account}")
            for row in answered:
                machine = told[row["machine_arn"]]
                flow, owner = (machine.flow, machine.owner) if machine else (None, None)
                runs.identify(tx, account, row["run_id"], flow=flow, owner=owner)
            changed = [(account, row["run_id"]) for row in answered]
            mark_runs(tx, changed, now)
            update_incidents(tx, changed, policy=policy, now=now)
    if refused:
        raise PlatformError(" ".join(refused))
    return len(answered)


def _ask(
    machines: StateMachines, arns: Iterable[str]
) -> tuple[dict[str, Machine | None], list[str]]:
    told: dict[str, Machine | None] = {}
    refused: list[str] = []
    for arn in sorted(arns):
        try:
            told[arn] = machines.describe(arn)
        except PlatformError as error:  # one that may not be read does not hide the others
            refused.append(str(error))
    return told, refused
