"""Runs of which no job tells: the state machine is asked, once it answers."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger import incidents
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.ports import Machine
from ops_platform.operations.identify_runs import identify_runs
from ops_platform.operations.ingest_events import record
from ops_platform_tests.build import ROUTING, a_failure, a_job_event, after, body
from ops_platform_tests.fakes import FakeStateMachines

MACHINES = "arn:aws:states:us-east-1:111111111111:stateMachine:"
EXECUTIONS = MACHINES.replace("stateMachine", "execution")
POLICY = AlertPolicy(settle=timedelta(), routing=ROUTING, max_age=timedelta(days=1))


def failed(ledger: Ledger, *machines: str) -> None:
    """Record a failure without any job for each state machine."""
    events = [
        a_failure(
            id=f"failure-of-{name}",
            machine_arn=MACHINES + name,
            execution_arn=f"{EXECUTIONS}{name}:run-of-{name}",
            name=f"run-of-{name}",
        )
        for name in machines
    ]
    accounts = {events[0].aws_account_id: "staging"}
    record(ledger, map(body, events), accounts=accounts, policy=POLICY, now=after(60))


def identified(ledger: Ledger, machines: FakeStateMachines) -> int:
    """Ask the state machines of the account."""
    return identify_runs(ledger, machines, account="staging", policy=POLICY, now=after(60))


def owners(ledger: Ledger) -> Sequence[tuple[str, str | None]]:
    """Return flow and owner of each incident."""
    with ledger.transaction() as tx:
        return sorted((row["flow"], row["owner"]) for row in incidents.recent(tx, Filter()))


def test_a_machine_that_may_not_be_read_does_not_hide_the_others(ledger: Ledger) -> None:
    """Its error is told, and what the others say is kept."""
    failed(ledger, "Forbidden", "Train")
    train = Machine(arn=MACHINES + "Train", flow="TrainFlow", owner="ada")
    machines = FakeStateMachines([train], forbidden=[MACHINES + "Forbidden"])

    with pytest.raises(PlatformError, match="Forbidden"):
        identified(ledger, machines)

    assert owners(ledger) == [("Forbidden", None), ("TrainFlow", "ada")]


def test_a_machine_that_is_gone_is_asked_for_once(ledger: Ledger) -> None:
    """That there is nothing to learn is remembered, too."""
    failed(ledger, "Gone")
    machines = FakeStateMachines([])
    assert [identified(ledger, machines), identified(ledger, machines)] == [1, 0]
    assert owners(ledger) == [("Gone", None)]


@pytest.mark.parametrize("first", ["machine", "job"])
def test_a_job_knows_better_than_the_machine(ledger: Ledger, first: str) -> None:
    """The machine may have been deployed again, by somebody else, since the run."""
    failed(ledger, "Train")
    job = a_job_event(run_id="sfn-run-of-Train", flow="TrainFlow", owner="zoe")
    accounts = {job.aws_account_id: "staging"}
    machine = Machine(arn=MACHINES + "Train", flow="TrainFlow", owner="ada")
    steps: list[Callable[[], object]] = [
        lambda: identified(ledger, FakeStateMachines([machine])),
        lambda: record(ledger, [body(job)], accounts=accounts, policy=POLICY, now=after(60)),
    ]
    for step in steps if first == "machine" else reversed(steps):
        step()

    assert owners(ledger) == [("TrainFlow", "zoe")]
