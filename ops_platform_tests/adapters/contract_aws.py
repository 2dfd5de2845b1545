"""The contract suites against a real AWS account: ``make contract-aws``.

No test run collects this file by itself. Environment variables name what to read, and
``docs/contract-aws.md`` says how to set them. Nothing is written unless ``OPS_CONTRACT_WRITE=1``,
which creates a queue with its dead-letter queue and a log group for each test, and deletes them.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.batch import AwsBatchJobs
from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.adapters.histories import StepFunctionsHistories
from ops_platform.adapters.instance_types import Ec2InstanceTypes
from ops_platform.adapters.logs import CloudWatchJobLogs
from ops_platform.adapters.schedules import EventBridgeSchedules
from ops_platform.adapters.sqs import SqsEventQueue
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform.clock import now
from ops_platform.domain.capacity import Platform, Size
from ops_platform.domain.execution_history import History
from ops_platform.domain.job_log import BATCH_LOG_GROUP, LogAbsence, LogTail
from ops_platform.domain.lifecycle import EXECUTION_ENDS
from ops_platform.domain.ports import NoRun
from ops_platform.domain.schedules import Unreadable, parse
from ops_platform.settings.accounts import Account
from ops_platform_tests.adapters.aws_worlds import (
    CloudWatchLogsWorld,
    SqsWorld,
    logs_world,
    sqs_world,
)
from ops_platform_tests.adapters.logs_contract import LogsContract
from ops_platform_tests.adapters.queue_contract import QueueContract

_WRITE = os.environ.get("OPS_CONTRACT_WRITE") == "1"


def _named(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        pytest.fail(f"Set {variable}; docs/contract-aws.md says to what.", pytrace=False)
    return value


@pytest.fixture(scope="session")
def machine_arn() -> str:
    """Return the ARN of a state machine that Metaflow deployed."""
    return _named("OPS_CONTRACT_STATE_MACHINE_ARN")


@pytest.fixture(scope="session")
def clients(machine_arn: str) -> AccountClients:
    """Return the clients of the account that the state machine is in."""
    _, _, _, region, account_id, *_ = machine_arn.split(":")
    account = Account(
        name="contract",
        aws_account_id=account_id,
        region=region,
        profile=os.environ.get("OPS_CONTRACT_PROFILE"),
        role_arn=os.environ.get("OPS_CONTRACT_ROLE_ARN"),
        external_id=os.environ.get("OPS_CONTRACT_EXTERNAL_ID"),
        endpoint_url=os.environ.get("OPS_CONTRACT_ENDPOINT_URL"),
    )
    return AccountClients(account)


def test_the_backlog_of_the_event_queue_can_be_read(clients: AccountClients) -> None:
    """It is counted, and no message of it is received."""
    backlog = SqsEventQueue(clients.sqs, _named("OPS_CONTRACT_QUEUE_URL")).backlog()

    assert backlog.visible >= 0
    assert backlog.in_flight >= 0


def test_a_flow_deployed_by_metaflow_is_recognised(
    clients: AccountClients, machine_arn: str
) -> None:
    """Its definition names a flow and an owner."""
    machine = StepFunctions(clients.step_functions).describe(machine_arn)

    assert machine is not None
    assert machine.flow
    assert machine.owner


def test_a_machine_that_never_was_is_gone(clients: AccountClients, machine_arn: str) -> None:
    """AWS's error for it is the one we know."""
    machines = StepFunctions(clients.step_functions)

    assert machines.describe(f"{machine_arn[:-1]}-no-such") is None


def test_a_flow_is_among_the_machines_that_are_listed(
    clients: AccountClients, machine_arn: str
) -> None:
    """However many pages it takes."""
    listed = StepFunctions(clients.step_functions).list_machines()

    assert machine_arn in {machine.arn for machine in listed}


@pytest.mark.parametrize("status", sorted(EXECUTION_ENDS))
def test_ends_are_listed_as_they_stopped_and_described_alike(
    clients: AccountClients, machine_arn: str, status: str
) -> None:
    """The last of the past 30 days, if there were any."""
    api, since = StepFunctions(clients.step_functions), now() - timedelta(days=30)

    listed = list(islice(api.list_executions(machine_arn, status=status, since=since), 100))

    stops = [each.stopped_at for each in listed if each.stopped_at is not None]
    assert stops == sorted(stops, reverse=True)
    assert len(stops) == len(listed)
    for each in listed[:1]:
        event = api.describe_execution(each.arn)
        assert event is not None
        assert (event.status, event.stopped_at) == (status, each.stopped_at)


def test_the_rules_that_start_a_flow_can_be_read(clients: AccountClients, machine_arn: str) -> None:
    """Each has an expression that we understand."""
    rules = EventBridgeSchedules(clients.events).rules(machine_arn)

    assert [rule for rule in rules if isinstance(parse(rule.expression), Unreadable)] == []


def test_the_last_run_of_a_flow_can_be_read(clients: AccountClients, machine_arn: str) -> None:
    """The machine is there, whether or not it ever ran."""
    assert StepFunctions(clients.step_functions).last_run(machine_arn) is not NoRun.GONE


def test_a_history_that_never_was_is_gone(clients: AccountClients, machine_arn: str) -> None:
    """AWS's error for it is the one we know, and we may ask."""
    arn = machine_arn.replace(":stateMachine:", ":execution:") + ":no-such-execution"

    found = StepFunctionsHistories(clients.step_functions).failures(arn, seconds=20)

    assert found == History(gone=True)


def test_a_job_that_never_was_is_left_out(clients: AccountClients) -> None:
    """As is one that Batch has forgotten."""
    assert AwsBatchJobs(clients.batch).describe(["00000000-0000-0000-0000-000000000000"]) == []


@pytest.fixture(scope="session")
def offered(clients: AccountClients) -> Ec2InstanceTypes:
    """Return what EC2 offers in the region, read once."""
    return Ec2InstanceTypes(clients.ec2)


@pytest.fixture(scope="session")
def queues(clients: AccountClients, offered: Ec2InstanceTypes) -> AwsBatchQueues:
    """Return the account's Batch as the cleanup of stale jobs sees it."""
    return AwsBatchQueues(clients.batch, account="contract", types=offered)


def test_what_ec2_offers_can_be_read(offered: Ec2InstanceTypes) -> None:
    """And of some types that they have GPUs."""
    types = {each.name: each.size for each in offered.all()}

    assert types["m5.large"] == Size(2, 8192)
    assert any(size.gpus for size in types.values())


def test_the_queues_of_batch_can_be_read(queues: AwsBatchQueues) -> None:
    """Each has environments, and it is known what those that start instances may start."""
    found = queues.queues()

    assert found
    assert [queue.name for queue in found if not queue.environments] == []
    environments = [each for queue in found for each in queue.environments]
    unknown = [each for each in environments if each.platform is Platform.EC2 and not each.types]
    assert [(each.name, each.configured) for each in unknown] == []


def test_what_waits_in_a_queue_can_be_read(queues: AwsBatchQueues) -> None:
    """The front of each queue; of the first jobs that wait, each is described."""
    for queue in queues.queues():
        assert queues.front(queue.arn) is not None, f"we may not see the front of {queue.name}"
        listed = list(islice(queues.runnable(queue.arn), 100))
        known = queues.describe([job.id for job in listed])
        assert len(known) == len(listed)
        assert {job.queue for job in known} <= {queue.name}


def test_the_log_of_a_job_can_be_read(clients: AccountClients) -> None:
    """A stream of a job that ran has lines."""
    group = os.environ.get("OPS_CONTRACT_LOG_GROUP", BATCH_LOG_GROUP)

    tail = CloudWatchJobLogs(clients.logs).tail(
        stream=_named("OPS_CONTRACT_LOG_STREAM"), limit_lines=5, limit_bytes=4096, log_group=group
    )

    assert isinstance(tail, LogTail), f"No log: {tail}."
    assert 0 < len(tail.lines) <= 5


def test_a_log_stream_that_never_was_is_missing(clients: AccountClients) -> None:
    """AWS's error for it is the one we know."""
    group = os.environ.get("OPS_CONTRACT_LOG_GROUP", BATCH_LOG_GROUP)

    tail = CloudWatchJobLogs(clients.logs).tail(
        stream="no/such/stream", limit_lines=5, limit_bytes=4096, log_group=group
    )

    assert tail is LogAbsence.MISSING


if _WRITE:

    class TestRealQueue(QueueContract):
        """The adapter against SQS."""

        @pytest.fixture
        def world(self, clients: AccountClients) -> Iterator[SqsWorld]:
            """Return a fresh queue, whose long polls ask every server of it."""
            with sqs_world(clients, patience=5) as world:
                yield world

    class TestRealLogs(LogsContract):
        """The adapter against CloudWatch Logs."""

        @pytest.fixture
        def world(self, clients: AccountClients) -> Iterator[CloudWatchLogsWorld]:
            """Return a fresh log group."""
            with logs_world(clients, settle_seconds=5) as world:
                yield world
