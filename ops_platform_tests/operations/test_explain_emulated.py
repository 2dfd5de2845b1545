"""A run of which every event but its end was lost, explained by an account that really ran it."""

import shlex
import sys
from collections.abc import Iterator

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.batch import AwsBatchJobs
from ops_platform.adapters.histories import StepFunctionsHistories
from ops_platform.adapters.ledger import incidents, job_logs
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.adapters.logs import CloudWatchJobLogs
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform.clock import now
from ops_platform.embedded.aws.account import staging
from ops_platform.operations.explain_failures import explain
from ops_platform.operations.ingest_events import record_events
from ops_platform.settings.accounts import Account
from ops_platform_tests.adapters.batch_contract import PARAMETERS
from ops_platform_tests.adapters.batch_worlds import HistoryWorld
from ops_platform_tests.embedded.aws.accounts import free_port, running
from ops_platform_tests.ledger_world import POLICY

PROGRAM = 'import os; print("TOKEN_PASSWORD=hunter22"); raise ValueError("no price for 7")'


@pytest.fixture
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountClients]:
    """Return the clients of an emulated account."""
    account = staging(free_port())
    with running(account, tmp_path_factory.mktemp("account")):
        yield AccountClients(
            Account(
                name="staging",
                aws_account_id=account.account_id,
                region=account.region,
                endpoint_url=account.endpoint_url,
                event_queue_url=account.event_queue_url,
            )
        )


def test_a_run_whose_events_were_lost_is_explained(ledger: Ledger, clients: AccountClients) -> None:
    """The history names the job, Batch tells how it ended, and CloudWatch what it said."""
    script = f"{shlex.quote(sys.executable)} -c {shlex.quote(PROGRAM)}"
    arn = HistoryWorld(clients).run_scripts([script, "sleep 30"], parameters=PARAMETERS)
    end = StepFunctions(clients.step_functions).describe_execution(arn)
    assert end is not None
    names = {end.aws_account_id: "staging"}
    record_events(ledger, [end], accounts=names, policy=POLICY, now=now())
    with ledger.transaction() as tx:
        (row,) = incidents.recent(tx, Filter())
        incident = incidents.load(tx, row["id"])
    assert incident is not None
    assert incident.job_id is None

    said = explain(
        ledger,
        incident,
        jobs=AwsBatchJobs(clients.batch),
        history=StepFunctionsHistories(clients.step_functions),
        logs=CloudWatchJobLogs(clients.logs),
        policy=POLICY,
        clock=now,
        seconds=20,
    )

    assert said == ()
    with ledger.transaction() as tx:
        found = incidents.load(tx, incident.id)
        assert found is not None
        assert found.job_id is not None
        log = job_logs.load(tx, "staging", found.job_id)
    assert (found.flow, found.step, found.owner) == ("TrainFlow", "work", "ana")
    assert (found.failed_jobs, found.reason) == (1, "user exception")
    assert log is not None
    assert log.exception == "ValueError: no price for 7"
    assert "hunter22" not in str(log.tail)
