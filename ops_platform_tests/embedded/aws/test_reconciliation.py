"""A run whose events of Step Functions are all lost is found by asking the account itself."""

import json
from datetime import timedelta

import sqlalchemy as sa

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform.clock import now
from ops_platform.operations.ingest_events import record
from ops_platform.operations.reconcile_executions import Reconciled, Reconciler
from ops_platform.settings.accounts import Account
from ops_platform_tests.embedded.aws.accounts import Aws, Json, eventually, task
from ops_platform_tests.ledger_world import POLICY, contents

_METAFLOW = {
    "metaflow.user": "SFN",
    "metaflow.owner": "robot",
    "metaflow.flow_name": "TrainFlow",
    "metaflow.step_name": "start",
    "metaflow.run_id.$": "$$.Execution.Name",
}


def _flow(aws: Aws, script: str) -> Json:
    """Return a machine of one step, written as Metaflow's deployer writes it."""
    start = task(aws.definition("true"), "SFN-TrainFlow--start--") | {"End": True}
    start["Parameters"] |= {
        "Parameters": _METAFLOW,
        "ContainerOverrides": {"Command": ["sh", "-c", script]},
    }
    return {"StartAt": "start", "States": {"start": start}}


def _reconcile(aws: Aws, ledger: Ledger) -> Reconciled:
    account = Account(
        name="staging",
        aws_account_id=aws.account.account_id,
        region=aws.account.region,
        endpoint_url=aws.account.endpoint_url,
    )
    return Reconciler(
        ledger=ledger,
        api=StepFunctions(AccountClients(account).step_functions),
        account="staging",
        policy=POLICY,
        clock=now,
        look_back=timedelta(hours=1),
        interval=timedelta(minutes=5),
    ).reconcile()


def test_a_run_is_found_though_no_event_told_of_its_execution(
    aws: Aws, emptied_ledger: Ledger
) -> None:
    """The events of its jobs, which AWS does not lose, complete the incident."""
    arn = aws.start(_flow(aws, "exit 4 # --tag owner:ana"), input='{"Parameters": "{}"}')
    aws.until_ended(arn)
    eventually(lambda: [event for event in aws.events(resource=arn) if _is_end(event)])
    told = [event for event in aws.events() if event["source"] == "aws.batch"]
    bodies = [json.dumps(event).encode() for event in told]
    accounts = {aws.account.account_id: "staging"}
    record(emptied_ledger, bodies, accounts=accounts, policy=POLICY, now=now())
    assert contents(emptied_ledger)["incidents"] == []

    done = _reconcile(aws, emptied_ledger)

    assert (done.trouble, done.unfinished) == ((), 0)
    assert done.machines >= 1
    incidents = {row["execution_arn"]: row for row in contents(emptied_ledger)["incidents"]}
    incident = incidents[arn]
    assert (incident["flow"], incident["state"]) == ("TrainFlow", "open")
    assert (incident["failed_jobs"], incident["step"]) == (1, "start")
    with emptied_ledger.transaction() as tx:
        (owner,) = tx.scalars(
            sa.select(schema.state_machines.c.owner).where(
                schema.state_machines.c.arn == incident["machine_arn"]
            )
        )
    assert owner == "ana"
    assert _reconcile(aws, emptied_ledger).filled == 0


def _is_end(event: Json) -> bool:
    return bool(event["source"] == "aws.states" and event["detail"]["status"] == "FAILED")
