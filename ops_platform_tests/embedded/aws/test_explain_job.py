"""A job is explained against a whole account, in each state that it goes through."""

import json
from collections.abc import Callable

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.adapters.instance_types import Ec2InstanceTypes
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.domain.stale_policy import Policies
from ops_platform.operations.explain_job import Explained, Explainer
from ops_platform.operations.ingest_events import record
from ops_platform.settings.accounts import Account
from ops_platform_tests.embedded.aws.accounts import Aws
from ops_platform_tests.embedded.aws.queue_plans import Plans
from ops_platform_tests.ledger_world import POLICY

Explain = Callable[[str], Explained]
METAFLOW = {"metaflow.flow_name": "SimulateCity", "metaflow.step_name": "start"}


@pytest.fixture
def explain(aws: Aws, emptied_ledger: Ledger) -> Explain:
    """Give what explains a job after taking in the events so far."""
    account = aws.account
    clients = AccountClients(
        Account(
            name="staging",
            aws_account_id=account.account_id,
            region=account.region,
            endpoint_url=account.endpoint_url,
        )
    )
    types = Ec2InstanceTypes(clients.ec2)

    def explained(job_id: str) -> Explained:
        told = [json.dumps(event).encode() for event in aws.events()]
        names = {account.account_id: "staging"}
        record(emptied_ledger, told, accounts=names, policy=POLICY, now=now())
        explainer = Explainer(
            ledger=emptied_ledger,
            api=AwsBatchQueues(clients.batch, account="staging", types=types),
            types=types,
            account="staging",
            policies=Policies(),
            enforce=True,
            clock=now,
        )
        found = explainer.explain(job_id)
        assert found is not None
        assert found.trouble == ()
        return found

    return explained


def test_a_job_that_can_never_start_is_explained_at_once(aws: Aws, explain: Explain) -> None:
    """With the instance types that its environment really has; the one behind names it."""
    plans = Plans(aws)
    queue = plans.queue(plans.environment("r5.large", "r5.xlarge", most=4))
    huge = aws.submit("exit 0", queue=queue, vcpus="999", parameters=METAFLOW)
    aws.until(huge, "RUNNABLE")
    behind = aws.submit("exit 0", queue=queue, parameters=METAFLOW)
    aws.until(behind, "RUNNABLE")

    found = explain(huge)
    assert found.sentence == (
        f"The job asks for 999 vCPUs; the most that queue {queue} has is 4 vCPUs (r5.xlarge)."
    )
    assert found.advice.startswith("Ask for at most 4 vCPUs: @resources(cpu=4, memory=")
    assert " at step start of SimulateCity. " in found.advice
    assert found.next.startswith("If nothing changes, it is cancelled in 1")
    assert explain(behind).judged is not None


def test_a_job_that_runs_and_ends_is_told_so(aws: Aws, explain: Explain) -> None:
    """And what it held up meanwhile."""
    plans = Plans(aws)
    queue = plans.queue(plans.environment(most=2))
    running = aws.submit("sleep 60", queue=queue, vcpus="2", parameters=METAFLOW)
    aws.until(running, "RUNNING")
    waiting = aws.submit("exit 0", queue=queue, vcpus="2", parameters=METAFLOW)
    aws.until(waiting, "RUNNABLE")

    assert explain(running).sentence.startswith("It runs for ")
    held = explain(waiting)
    assert held.sentence == (
        "The job asks for 2 vCPUs and waits for jobs that run: they hold 2 of at most 2:"
        " SimulateCity 2."
    )
    assert held.next.startswith("It is left alone, since it waits its turn")
    aws.client("batch").terminate_job(jobId=running, reason="Enough.")
    aws.until(running, "FAILED")
    assert explain(running).sentence.startswith("It failed: aborted by a person. Enough.")
